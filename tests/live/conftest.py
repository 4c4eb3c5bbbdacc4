"""A Redis of these tests' own, because they flush, stop and start it; and boards to put there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from ccenter.demo import embedded
from monitoring.bus import BoardReader, BoardWriter, CommandInbox, Lease, Leases


@pytest.fixture(scope="session")
def redis_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("live")
    yield home
    embedded.stop(home)


@pytest.fixture(scope="session")
def own_redis_url(redis_home: Path) -> str:
    shared = os.environ.pop("REDIS_URL", None)  # a shared one must not be flushed by these tests
    try:
        return embedded.redis(redis_home)
    finally:
        if shared is not None:
            os.environ["REDIS_URL"] = shared


@pytest.fixture
def redis_url(own_redis_url: str, settings: Any) -> str:
    settings.REDIS_URL = own_redis_url
    with redis_py.Redis.from_url(own_redis_url) as client:
        client.flushall()
    return own_redis_url


@pytest.fixture
def raw(redis_url: str) -> Iterator[redis_py.Redis]:
    with redis_py.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def leases(redis_url: str) -> AsyncIterator[Leases]:
    leases = Leases(redis_url, "first:1")
    yield leases
    await leases.close()


@pytest.fixture
async def others(redis_url: str) -> AsyncIterator[Leases]:
    """Another worker's leases, with a short life."""
    leases = Leases(redis_url, "second:2", seconds=0.15)
    yield leases
    await leases.close()


@pytest.fixture
async def lease(leases: Leases) -> Lease:
    lease = await leases.acquire("1")
    assert lease is not None
    return lease


@pytest.fixture
async def writer(redis_url: str, lease: Lease) -> AsyncIterator[BoardWriter]:
    """A writer that holds PBX 1."""
    writer = BoardWriter(redis_url)
    writer.hold(lease)
    yield writer
    await writer.close()


@pytest.fixture
async def reader(redis_url: str) -> AsyncIterator[BoardReader]:
    reader = BoardReader(redis_url)
    yield reader
    await reader.close()


@pytest.fixture
async def inbox(redis_url: str) -> AsyncIterator[CommandInbox]:
    inbox = CommandInbox(redis_url)
    yield inbox
    await inbox.close()

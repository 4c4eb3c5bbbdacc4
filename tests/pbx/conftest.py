"""A Redis of these tests' own, because they flush and stop it, and a rig that runs a collector on a scripted PBX."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from ccenter.demo import embedded
from tests.pbx.rig import Rig
from tests.pbx.scripted import ScriptedPbx, scripted


@pytest.fixture(scope="session")
def redis_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("pbx")
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
async def pbx() -> AsyncIterator[ScriptedPbx]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def rig(pbx: ScriptedPbx, redis_url: str) -> AsyncIterator[Rig]:
    rig = Rig(pbx.address, redis_url)
    yield rig
    await rig.close()

"""How the bus talks to Redis: short deadlines, one quick retry, and Redis's errors in the bus's own words.

A dead server must cost a caller little, because callers are a web request or the collector's loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import redis
from django.conf import settings
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from monitoring.bus.errors import BusAway

DEADLINE = 2.0


def open_async(url: str, *, deadline: float | None = DEADLINE) -> AsyncRedis:
    """A client of the running loop. ``deadline=None``: it waits on purpose (pub/sub, BLPOP)."""
    return AsyncRedis.from_url(
        url,
        socket_timeout=deadline,
        socket_connect_timeout=DEADLINE,
        # One retry replaces a pooled connection that died while idle; more would hide an outage.
        retry=AsyncRetry(NoBackoff(), 1),
    )


@lru_cache(maxsize=4)
def _pool(url: str) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(
        url, socket_timeout=DEADLINE, socket_connect_timeout=DEADLINE, retry=Retry(NoBackoff(), 1)
    )


def web_client() -> redis.Redis:
    """The web process's shared client (thread-safe)."""
    return redis.Redis(connection_pool=_pool(settings.REDIS_URL))


@contextmanager
def bus_errors() -> Iterator[None]:
    """Turn "Redis cannot be reached" into BusAway; a wrong command of ours stays the bug it is."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, OSError) as error:
        raise BusAway(f"{type(error).__name__}: {error}"[:300]) from error

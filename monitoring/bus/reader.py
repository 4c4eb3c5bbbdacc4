"""The web side's eye on the live boards: a whole board, and the numbered frames that follow it.

Subscribe first, read the board second, drop the frames it already holds: nothing is missed between the two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson

from monitoring.bus import keys
from monitoring.bus.connections import bus_errors, open_async, web_client
from monitoring.bus.links import LinkHealth, unpacked

EntityKey = tuple[str, str]
Entity = dict[str, Any]


class PbxBoard(NamedTuple):
    """A company's board on one PBX. ``at``: PBX time of the last change (epoch seconds, UTC)."""

    epoch: str
    seq: int
    at: float
    entities: dict[EntityKey, Entity]


class Frame(NamedTuple):
    """One change. ``ops`` None: the board was replaced (seq 1) or has ended (seq 0); read it anew."""

    pbx: str
    epoch: str
    seq: int
    at: float
    ops: list[tuple[str, str, dict[str, Any] | None]] | None


class BoardReader:
    """Reads any company's board; whose board a caller may read is decided by the caller. Raises BusAway."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._redis = open_async(redis_url)

    async def boards(self, company: str) -> dict[str, PbxBoard]:
        """Every PBX's board, each whole and as of one moment."""
        pbxs: list[str] = []
        while True:
            with bus_errors():
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.hgetall(keys.boards(company))
                    for pbx in pbxs:
                        pipe.hgetall(keys.board(company, pbx))
                    meta, *raw = await pipe.execute()
            if _pbxs(meta) == pbxs:
                return {pbx: _board(pbx, meta, entities) for pbx, entities in zip(pbxs, raw, strict=True)}
            pbxs = _pbxs(meta)

    async def numbers(self, companies: Iterable[str]) -> dict[str, dict[str, tuple[str, int]]]:
        """For each company and PBX the epoch and number of the last frame: how to notice a lost one."""
        wanted = list(companies)
        if not wanted:
            return {}
        with bus_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for company in wanted:
                    pipe.hgetall(keys.boards(company))
                metas = await pipe.execute()
        return {
            company: {pbx: (_text(meta, pbx, "epoch"), int(_text(meta, pbx, "seq"))) for pbx in _pbxs(meta)}
            for company, meta in zip(wanted, metas, strict=True)
        }

    async def links(self) -> dict[str, LinkHealth]:
        with bus_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(keys.LINKS)
                pipe.time()
                raw, now = await pipe.execute()
        return unpacked(raw, now)

    @asynccontextmanager
    async def subscribe(self, company: str) -> AsyncIterator[AsyncIterator[Frame]]:
        """Frames from now on: when the block begins, Redis has confirmed the subscription."""
        client = open_async(self._url, deadline=None)
        pubsub = client.pubsub()
        try:
            with bus_errors():
                await pubsub.subscribe(keys.channel(company))
                await pubsub.get_message(timeout=2.0)
            yield self._frames(pubsub)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            await client.aclose()

    async def _frames(self, pubsub: Any) -> AsyncIterator[Frame]:
        while True:
            with bus_errors():
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None:
                yield unpack_frame(message["data"])

    async def close(self) -> None:
        await self._redis.aclose()


def unpack_frame(data: bytes) -> Frame:
    said = orjson.loads(data)
    return Frame(said["p"], said["e"], said["s"], said["a"], said["o"])


def read_board(company: str) -> dict[str, PbxBoard]:
    """The same as ``BoardReader.boards`` for a synchronous caller. Raises BusAway."""
    client = web_client()
    pbxs: list[str] = []
    while True:
        with bus_errors(), client.pipeline(transaction=True) as pipe:
            pipe.hgetall(keys.boards(company))
            for pbx in pbxs:
                pipe.hgetall(keys.board(company, pbx))
            meta, *raw = pipe.execute()
        if _pbxs(meta) == pbxs:
            return {pbx: _board(pbx, meta, entities) for pbx, entities in zip(pbxs, raw, strict=True)}
        pbxs = _pbxs(meta)


def _pbxs(meta: dict[bytes, bytes]) -> list[str]:
    return sorted(name.decode().removesuffix(".epoch") for name in meta if name.endswith(b".epoch"))


def _text(meta: dict[bytes, bytes], pbx: str, name: str) -> str:
    return meta[f"{pbx}.{name}".encode()].decode()


def _board(pbx: str, meta: dict[bytes, bytes], raw: dict[bytes, bytes]) -> PbxBoard:
    entities: dict[EntityKey, Entity] = {}
    for field, value in raw.items():
        kind, _, key = field.decode().partition(":")
        entities[kind, key] = orjson.loads(value)
    return PbxBoard(
        _text(meta, pbx, "epoch"), int(_text(meta, pbx, "seq")), float(_text(meta, pbx, "at")), entities
    )

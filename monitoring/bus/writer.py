"""The collector's hand on the live boards: each change is one atomic write of board, number and frame.

A frame therefore never exists without the state it leads to, and a reader that missed one can always re-read.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from monitoring.bus import keys, scripts
from monitoring.bus.connections import bus_errors, open_async
from monitoring.bus.errors import BoardLost, Fenced
from monitoring.bus.leases import Lease
from monitoring.bus.links import LinkStatus, packed
from monitoring.domain.wire import BoardWire, Op

BOARD_SECONDS = 48 * 3600
"""Customers' numbers of a PBX nobody collects any more leave Redis after this long."""

_Arg = bytes | str | int | float


class ChangesLike(Protocol):
    """What ``Switchboard.drain`` gives: the changed fields to send, and the whole entities to keep."""

    @property
    def at(self) -> float: ...
    @property
    def ops(self) -> Sequence[Op]: ...
    @property
    def entities(self) -> Mapping[tuple[Any, str], Mapping[str, Any] | None]: ...


class BoardWriter:
    """Writes for every PBX whose lease it holds. All methods raise BusAway, and Fenced without the lease."""

    def __init__(self, redis_url: str) -> None:
        self._redis = open_async(redis_url)
        self._reset = self._redis.register_script(scripts.RESET)
        self._publish = self._redis.register_script(scripts.PUBLISH)
        self._forget = self._redis.register_script(scripts.FORGET)
        self._heartbeat = self._redis.register_script(scripts.HEARTBEAT)
        self._tokens: dict[str, str] = {}
        self._counts: dict[tuple[str, str], str] = {}  # (company, pbx) → the count its frames belong to

    def hold(self, lease: Lease) -> None:
        """From now on write for this PBX, with this lease's token."""
        self._tokens[lease.pbx] = lease.token

    def drop(self, pbx: str) -> None:
        """Write no more for this PBX."""
        self._tokens.pop(pbx, None)
        self._counts = {key: count for key, count in self._counts.items() if key[1] != pbx}

    def _token(self, pbx: str) -> str:
        token = self._tokens.get(pbx)
        if token is None:
            raise Fenced(pbx)
        return token

    async def reset(self, company: str, pbx: str, epoch: str, board: BoardWire) -> None:
        """Replace the company's board on this PBX; ``epoch`` names the new count, which begins at 1."""
        # Each count has a name of its own, also when a lost board is written again within the caller's epoch:
        # a reader that missed the loss would otherwise take the new numbers for old ones.
        count = f"{epoch}~{secrets.token_hex(4)}"
        args: list[_Arg] = [self._token(pbx), pbx, count, board["at"], BOARD_SECONDS, keys.channel(company)]
        args.append(_tail({"p": pbx, "e": count, "a": board["at"], "o": None}))
        for kind, entities in board.items():
            if isinstance(entities, dict):
                for key, entity in entities.items():
                    args += (f"{kind}:{key}", _packed(entity))
        with bus_errors():
            outcome, _ = await self._reset(keys=self._keys(company, pbx), args=args)
        if outcome == b"fenced":
            raise Fenced(pbx)
        self._counts[company, pbx] = count

    async def publish(self, company: str, pbx: str, changes: ChangesLike) -> int:
        """The number of the frame sent, 0 when there was nothing to send. Raises BoardLost."""
        if not changes.ops:
            return 0
        count = self._counts.get((company, pbx))
        if count is None:
            raise BoardLost(company, pbx)
        kept: list[_Arg] = []
        removed: list[str] = []
        for (kind, key), entity in changes.entities.items():
            if entity is None:
                removed.append(f"{kind}:{key}")
            else:
                kept += (f"{kind}:{key}", _packed(entity))
        args: list[_Arg] = [self._token(pbx), pbx, count, changes.at, BOARD_SECONDS, keys.channel(company)]
        args.append(_tail({"p": pbx, "e": count, "a": changes.at, "o": changes.ops}))
        with bus_errors():
            outcome, seq = await self._publish(
                keys=self._keys(company, pbx), args=[*args, len(kept), *kept, *removed]
            )
        if outcome == b"fenced":
            raise Fenced(pbx)
        if outcome == b"lost":
            self._counts.pop((company, pbx), None)
            raise BoardLost(company, pbx)
        return int(seq)

    async def forget(self, company: str, pbx: str) -> None:
        """The company is no longer on this PBX: its board there ends."""
        tail = _tail({"p": pbx, "e": "", "a": 0.0, "o": None})
        args: list[_Arg] = [self._token(pbx), pbx, keys.channel(company), tail]
        with bus_errors():
            outcome, _ = await self._forget(keys=self._keys(company, pbx), args=args)
        if outcome == b"fenced":
            raise Fenced(pbx)
        self._counts.pop((company, pbx), None)

    async def heartbeat(
        self, pbx: str, status: LinkStatus, epochs: Mapping[str, str] | None = None
    ) -> list[str]:
        """Say how the link is; gives those companies of ``epochs`` whose board Redis lost: reset them."""
        asked = epochs or {}
        counts = [self._count(company, pbx, epoch) for company, epoch in asked.items()]
        with bus_errors():
            outcome = await self._heartbeat(
                keys=[keys.LINKS, keys.lease(pbx), keys.fence(pbx), *map(keys.boards, asked)],
                args=[self._token(pbx), pbx, packed(status), BOARD_SECONDS, *counts],
            )
        if outcome[0] == b"fenced":
            raise Fenced(pbx)
        return [company for company, lost in zip(asked, outcome[1:], strict=True) if lost]

    def _count(self, company: str, pbx: str, epoch: str) -> str:
        """The count of this epoch as Redis should hold it; "" when it was never written."""
        count = self._counts.get((company, pbx), "")
        return count if count.startswith(f"{epoch}~") else ""

    async def set_link(self, pbx: str, status: LinkStatus) -> None:
        """``heartbeat`` for a PBX that has no board yet."""
        await self.heartbeat(pbx, status)

    async def close(self) -> None:
        await self._redis.aclose()

    def _keys(self, company: str, pbx: str) -> list[str]:
        return [keys.boards(company), keys.board(company, pbx), keys.lease(pbx), keys.fence(pbx)]


def _tail(frame: dict[str, Any]) -> bytes:
    """The frame without its opening brace: Redis puts the number before it, which only Redis knows."""
    return _packed(frame)[1:]


def _packed(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Half a surrogate pair in a hostile caller ID: everything else about the call must still be shown.
        return orjson.dumps(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value

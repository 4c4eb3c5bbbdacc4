"""What travels over /ws/board/, in both directions, typed once; the browser's types are made from this file.

Server frames are serialised once per audience. Client frames are few, small and strict; all else is junk.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

import orjson

from monitoring.domain.wire import BoardWire, Op

CLOSE_GOING_AWAY = 1001
CLOSE_JUNK = 4400
CLOSE_RIGHT_LOST = 4403
CLOSE_SLOW = 4008
CLOSE_TOO_MANY = 4429  # this person has as many open sockets as one may; another must end first
LARGEST_CLIENT_FRAME = 1024  # bytes
LARGEST_ID = 2**31


class Have(TypedDict):
    """The last frame a reconnecting browser has applied."""

    epoch: str
    seq: int


class SnapshotFrame(TypedDict):
    """The whole board as this audience sees it. ``now``: the server's clock, epoch seconds (UTC)."""

    t: Literal["snapshot"]
    now: float
    epoch: str
    seq: int
    board: BoardWire


class ChangesFrame(TypedDict):
    """What changed. ``seq`` follows the last frame's by one; otherwise ask for a resync."""

    t: Literal["changes"]
    epoch: str
    seq: int
    ops: list[Op]


class PongFrame(TypedDict):
    t: Literal["pong"]
    id: int
    now: float


class NoticeFrame(TypedDict):
    """``rights``: which groups you see has changed; a snapshot follows."""

    t: Literal["notice"]
    code: Literal["rights"]


class HelloFrame(TypedDict):
    """First frame of a browser. With ``have`` the server goes on from there when it still can."""

    t: Literal["hello"]
    have: NotRequired[Have | None]


class ResyncFrame(TypedDict):
    t: Literal["resync"]


class PingFrame(TypedDict):
    t: Literal["ping"]
    id: int


ServerFrame = SnapshotFrame | ChangesFrame | PongFrame | NoticeFrame
ClientFrame = HelloFrame | ResyncFrame | PingFrame


class Junk(ValueError):
    """A client frame that no browser of ours sends."""


def parse_client(data: str | bytes | None) -> ClientFrame:
    """The client's frame, or Junk."""
    if not isinstance(data, str) or len(data) > LARGEST_CLIENT_FRAME:
        raise Junk("not a small text frame")
    try:
        said = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Junk("not JSON") from error
    match said:
        case {"t": "hello", **rest} if rest.keys() <= {"have"}:
            return {"t": "hello", "have": _have(rest.get("have"))}
        case {"t": "resync", **rest} if not rest:
            return {"t": "resync"}
        case {"t": "ping", "id": int(number), **rest} if not rest and _is_count(number):
            return {"t": "ping", "id": number}
    raise Junk("no frame of this protocol")


def _have(said: Any) -> Have | None:
    match said:
        case None:
            return None
        case {"epoch": str(epoch), "seq": int(seq), **rest} if not rest and _is_count(seq):
            return {"epoch": epoch, "seq": seq}
    raise Junk("'have' is no position")


def _is_count(number: int) -> bool:
    return not isinstance(number, bool) and 0 <= number <= LARGEST_ID


def pong(number: int, now: float) -> bytes:
    frame: PongFrame = {"t": "pong", "id": number, "now": now}
    return orjson.dumps(frame)


def notice(code: Literal["rights"]) -> bytes:
    frame: NoticeFrame = {"t": "notice", "code": code}
    return orjson.dumps(frame)


def changes(epoch: str, seq: int, ops: list[tuple[str, str, Any]]) -> bytes:
    """A ChangesFrame."""
    return orjson.dumps({"t": "changes", "epoch": epoch, "seq": seq, "ops": ops})


def snapshot_body(epoch: str, seq: int, board: dict[str, Any]) -> bytes:
    """A SnapshotFrame but for the clock, so that it can be kept and given to many."""
    return orjson.dumps({"epoch": epoch, "seq": seq, "board": board})[1:]


def snapshot(body: bytes, now: float) -> bytes:
    """A SnapshotFrame: a kept body and the time it is sent."""
    return b'{"t":"snapshot","now":%.3f,%b' % (now, body)

"""The history checker: what the portal shows and stores, against the raw bytes a second AMI session received.

The recorder signs in as an account with every class and is nobody's client; its bytes go through ``replay``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ccenter.lab import sample
from ccenter.lab.ami import AmiError, Connection
from monitoring.pbx.replay import replay

Board = dict[str, Any]
LISTS = ("CoreShowChannels", "QueueStatus", "DeviceStateList")


class Recorder:
    """``begin`` again after the PBX went down: what came before stays on the tape, as in a captured file."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.before = b""
        self.line: Connection | None = None

    def begin(self) -> None:
        self.end()
        self.line = Connection(self.port, sample.RECORDER)
        for action in LISTS:
            self.line.act({"Action": action})

    def end(self) -> None:
        if self.line is not None:
            # A torn rest would glue itself to the next connection's banner.
            self.before += self.line.close().rpartition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        self.line = None

    def bytes(self) -> bytes:
        assert self.line is not None
        if self.line.gone.is_set():
            raise AmiError("the recorder's line is gone: begin again")
        return self.before + bytes(self.line.received)


def rebuilt(data: bytes, pbx: str) -> dict[str, Board]:
    """Company → everything its part of the stream shows; keys are those of the live board."""
    told: dict[str, Board] = replay(data, pbx=pbx)["companies"]
    return told


def differences(live: Board, raw: Board) -> Iterator[str]:
    """What a person would see differently: calls, who waits where, who is on which call."""
    seen, real = (_calls(board) for board in (live, raw["board"]))
    for key in sorted(seen.keys() | real.keys()):
        if seen.get(key) != real.get(key):
            yield f"call {key}: shown {seen.get(key)}, really {real.get(key)}"
    for kind, fact in (("queue", "waiting"), ("manager", "calls")):
        for key, row in raw["board"][kind].items():
            shown = live[kind].get(key)
            if shown is not None and shown[fact] != row[fact]:
                yield f"{kind} {key}: shows {fact} {shown[fact]}, really {row[fact]}"


def _calls(board: Board) -> dict[str, tuple[Any, ...]]:
    return {
        key: (c["state"], c["number"], c["queue"], sorted((m["manager"], m["state"]) for m in c["managers"]))
        for key, c in board["call"].items()
    }


def stored_wrongly(rows: list[tuple[Any, ...]], raw: Board) -> Iterator[str]:
    """``rows``: (key, number, ended?, disposition, reconciled) of calls as stored, each call once.

    The end of a call nobody heard cannot be known, so a reconciled row need only be ended.
    """
    stored = {row[0]: row[1:] for row in rows}
    if len(stored) != len(rows):
        yield f"{len(rows) - len(stored)} calls are stored twice"
    real = {call["key"]: call for call in raw["calls"]}
    for key in sorted(stored.keys() | real.keys()):
        if key not in stored or key not in real:
            yield f"call {key}: stored {stored.get(key)}, really {real.get(key)}"
            continue
        number, ended, disposition, reconciled = stored[key]
        other = real[key]["to"] if real[key]["direction"] != "in" else real[key]["from"]
        if (number, ended) != (other, real[key]["ended"] is not None):
            yield f"call {key}: stored {number}, ended {ended}; really {other}, ended {real[key]['ended']}"
        elif ended and not reconciled and disposition != real[key]["disposition"]:
            yield f"call {key}: stored as {disposition}, really {real[key]['disposition']}"

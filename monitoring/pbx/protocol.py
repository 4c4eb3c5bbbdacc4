"""AMI on the wire: panoramisk's protocol with its data path replaced by ours, because 1.4 loses and repeats
things.

Bytes → whole blocks → answers to our own actions are parsed at once, events go on raw. Nothing here waits or
decides.

What 1.4 does and this does not: decode each TCP chunk on its own (splits letters), write CR/LF into the
stream,
keep unanswered actions for the next connection, let a callback's exception end the read, drop an empty last
header.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol

from monitoring.pbx.actions import AmiAction
from monitoring.pbx.frames import Framer

log = logging.getLogger(__name__)

BANNER = b"Asterisk Call Manager/"
BANNER_LIMIT = 200
ITEM_LIMIT = 250_000
LIST_BYTES = 128 * 1024 * 1024
SAID_LIMIT = 200

Fields = dict[str, str]


class AmiError(Exception):
    """Everything that can go wrong with a PBX's AMI; ``code`` names it for the panel and health pages.

    AmiError
     ├ Unreachable     no TCP or TLS connection
     ├ NotAsterisk     something else answers on this port
     ├ LoginRefused    wrong name or secret, or an access list
     ├ NoSecret        we have no secret to log in with
     ├ ConnectionGone  was connected, is not any more
     │   └ Silent      the connection is open and nobody answers
     ├ Unanswered      one action got no answer in time; it may have been carried out
     └ ActionRefused   Asterisk answered "Error"
    """

    code = "ami"


class Unreachable(AmiError):
    code = "unreachable"


class NotAsterisk(AmiError):
    code = "not_asterisk"


class LoginRefused(AmiError):
    code = "wrong_secret"


class NoSecret(AmiError):
    code = "no_secret"


class ConnectionGone(AmiError):
    code = "lost"


class Silent(ConnectionGone):
    code = "silent"


class Unanswered(AmiError):
    code = "unanswered"


class ActionRefused(AmiError):
    code = "refused"


def parse(block: bytes) -> Fields:
    """A block's headers. Repeated keys keep the last value, an empty value stays, bad UTF-8 becomes
    U+FFFD.
    """
    fields: Fields = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        key, colon, value = line.partition(":")
        if colon and key:
            fields[key] = value.strip(" ")
    return fields


def said(words: str) -> str:
    """The PBX's own words, fit for a log line and a page: on one line, and not endless."""
    return "".join(c if c.isprintable() else " " for c in words[:SAID_LIMIT])


class Pending:
    """One action waiting for its answer; for a list, the rows so far, raw: whoever asked parses what it
    needs.
    """

    __slots__ = ("_bytes", "_end", "action", "future", "response", "rows")

    def __init__(self, action: AmiAction, future: asyncio.Future[tuple[Fields, list[bytes]]]) -> None:
        self.action = action
        self.future = future
        self.response: Fields = {}
        self.rows: list[bytes] = []
        self._end = b"Event: " + action.ends.encode()
        self._bytes = 0

    def add(self, block: bytes) -> bool:
        """Take one block of the answer; True when it was the last."""
        if not block.startswith(b"Event:"):
            self.response = fields = parse(block)
            if fields.get("Response") not in ("Success", "Goodbye"):
                why = fields.get("Message") or fields.get("Response") or "no reason given"
                return self.finish(ActionRefused(said(why)))
            return self.finish() if not self.action.ends else False
        if b"\nEventList: " in block or block.startswith(self._end):
            fields = parse(block)
            if fields.get("EventList", "").lower() == "cancelled":
                return self.finish(ActionRefused("Asterisk cancelled the list"))
            self.response = {**self.response, **fields}
            return self.finish()
        if len(self.rows) >= ITEM_LIMIT:
            return self.finish(ActionRefused(f"the list has more than {ITEM_LIMIT} rows"))
        self._bytes += len(block)
        if self._bytes > LIST_BYTES:
            return self.finish(ActionRefused(f"the list has more than {LIST_BYTES} bytes"))
        self.rows.append(block)
        return False

    def finish(self, error: AmiError | None = None) -> bool:
        if not self.future.done():
            if error is None:
                self.future.set_result((self.response, self.rows))
            else:
                self.future.set_exception(error)
        return True


class AmiProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk ships no types
    """``receive(blocks, received)`` must be synchronous and quick: it is called inside the socket's read."""

    closed: bool  # set by panoramisk when the connection is made

    def __init__(self, receive: Callable[[list[bytes], float], None]) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._framer = Framer()
        self._head = b""
        self._pending: dict[bytes, Pending] = {}
        self.greeted: asyncio.Future[str] = self._loop.create_future()
        self.lost: asyncio.Future[AmiError] = self._loop.create_future()
        self.last_received = self._loop.time()
        self.failures = 0

    def send(self, data: AmiAction, as_list: bool = False) -> Pending:
        """Write one action. Only checked actions are accepted, so nothing can break out of its line."""
        if not isinstance(data, AmiAction):
            raise TypeError("only AmiAction is sent: its values are checked")
        headers: dict[str, Any] = {"Action": data.name}
        for key, value in data.headers:
            headers[key] = [*headers[key], value] if key in headers else [value]
        wire = Action(headers)
        wire.future.cancel()  # panoramisk's own bookkeeping is not used
        pending = Pending(data, self._loop.create_future())
        if self.lost.done():
            pending.finish(self.lost.result())
        else:
            self._pending[wire.id.encode()] = pending
            self.transport.write(str(wire).encode("utf-8"))
        return pending

    def forget(self, pending: Pending) -> None:
        """Nobody waits for this answer any more; what still comes of it is dropped with the unknown."""
        for key, value in self._pending.items():
            if value is pending:
                del self._pending[key]
                return

    def data_received(self, data: bytes) -> None:
        self.last_received = received = self._loop.time()
        if not self.greeted.done():
            data = self._greet(data)
        if not data:
            return
        events = []
        for framed in self._framer.feed(data):
            # The short way for nearly all of the stream: an event, and no action of ours waits for one.
            if framed[:6] == b"Event:" and (not self._pending or b"\nActionID: " not in framed):
                events.append(framed)
                continue
            block = framed.lstrip(b"\r\n")  # some answers of Asterisk end with one blank line too many
            try:
                if not self._answer(block):
                    events.append(block)
            except Exception:
                # One strange block must not cost the connection or the blocks behind it.
                self.failures += 1
                log.exception("an AMI block could not be handled")
        if events:
            try:
                self._receive(events, received)
            except Exception:
                self.failures += 1
                log.exception("the receiver of AMI events failed")

    def _greet(self, data: bytes) -> bytes:
        """Read the banner; returns what follows it. Anything else on this port ends the connection with a
        reason.
        """
        self._head += data
        line, newline, rest = self._head.partition(b"\n")
        if not self._head.startswith(BANNER[: len(self._head)]) or (not newline and len(line) > BANNER_LIMIT):
            said = line[:60].decode("ascii", "replace").strip()
            self.fail(NotAsterisk(f"the server's first words are {said!r}, not Asterisk's"))
            return b""
        if not newline:
            return b""
        self.greeted.set_result(line[len(BANNER) :].decode("ascii", "replace").strip())
        self._head = b""
        return rest

    def _answer(self, block: bytes) -> bool:
        """True when the block is (part of) the answer to an action, expected or not; False for an event."""
        start = block.find(b"ActionID: ")
        if start > 0 and block[start - 1 : start] == b"\n":
            end = block.find(b"\r\n", start)
            key = block[start + 10 : end if end >= 0 else len(block)]
            pending = self._pending.get(key)
            if pending is not None:
                if pending.add(block):
                    self._pending.pop(key, None)
                return True
        return not block.startswith(b"Event:")

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(ConnectionGone(str(exc) if exc else "the PBX closed the connection"))

    def fail(self, error: AmiError) -> None:
        """End the connection for ``error``; every waiting action fails with it and none is kept for later."""
        if self.lost.done():
            return
        self.lost.set_result(error)
        self.close()
        if not self.greeted.done():
            self.greeted.set_exception(error)
            self.greeted.exception()  # read once here, so that an abandoned wait is no warning
        waiting, self._pending = list(self._pending.values()), {}
        for pending in waiting:
            pending.finish(error)
            if not pending.future.cancelled():
                pending.future.exception()  # read once here: whoever asked may have given up already

    def close(self) -> None:
        """Abort rather than close: a half-open peer would keep a polite close waiting for its buffer."""
        if not self.closed:
            self.closed = True
            self.transport.abort()

"""/ws/board/: lets a person watch the company's board, and answers the few things a browser may ask.

Plain ASGI on purpose: Channels' own consumers open a channel and hop through a database thread for every message,
which is what limits them (the frames themselves are written by the hub, never here).
"""

from __future__ import annotations

import asyncio
from time import monotonic

from monitoring.live import protocol
from monitoring.live.door import Door, door_here
from monitoring.live.hub import hub_here
from monitoring.live.mirror import now
from monitoring.live.outlet import AsgiOutlet, DaphneOutlet, outlet_for
from monitoring.live.protocol import ClientFrame, Junk
from monitoring.live.rights import Admission
from monitoring.live.stream import Seat
from tenants.asgi import Receive, Scope, Send, Visitor, refuse

HELLO_WITHIN = 10.0  # seconds
MOST_FRAMES = 60  # a browser of ours sends some three a minute
IN_SECONDS = 10.0


class Gone(Exception):
    """The browser has left."""


async def board_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application behind tenants.asgi.CompanyGate."""
    visitor: Visitor = scope["visitor"]
    door = door_here(hub_here())
    admission = await door.admit(visitor)
    if admission is None:
        await refuse(receive, send)
        return
    await receive()
    has_place = door.take_place(visitor)
    try:
        await send({"type": "websocket.accept"})
        if has_place:
            await _serve(visitor, admission, receive, outlet_for(send), door)
    finally:
        if has_place:
            door.give_place(visitor)
    if not has_place:
        # Only after accepting: of a refused handshake a browser's page is told nothing.
        await send({"type": "websocket.close", "code": protocol.CLOSE_TOO_MANY})
        await _until_gone(receive)


async def _serve(
    visitor: Visitor,
    admission: Admission,
    receive: Receive,
    outlet: DaphneOutlet | AsgiOutlet,
    door: Door,
) -> None:
    try:
        await _watch(visitor, admission, _Ear(receive), outlet, door)
    except (Junk, TimeoutError):
        outlet.close(protocol.CLOSE_JUNK)
        await _until_gone(receive)
    except Gone:
        pass
    finally:
        outlet.end()


class _Ear:
    """Hears a browser's frames: small, known, and not too many."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._since = monotonic()
        self._heard = 0

    async def hear(self) -> ClientFrame:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        moment = monotonic()
        if moment - self._since > IN_SECONDS:
            self._since, self._heard = moment, 0
        self._heard += 1
        if self._heard > MOST_FRAMES:
            raise Junk("too many frames")
        return protocol.parse_client(message.get("text"))


async def _watch(
    visitor: Visitor, admission: Admission, ear: _Ear, outlet: DaphneOutlet | AsgiOutlet, door: Door
) -> None:
    hello = await asyncio.wait_for(_hello(ear, outlet), HELLO_WITHIN)
    guest = await door.let_in(visitor, admission, outlet, hello.get("have"))
    try:
        while True:
            _answer(await ear.hear(), guest.seat)
    finally:
        door.see_off(guest)


async def _hello(ear: _Ear, outlet: DaphneOutlet | AsgiOutlet) -> protocol.HelloFrame:
    while True:
        frame = await ear.hear()
        if frame["t"] == "hello":
            return frame
        if frame["t"] == "ping":
            outlet.write(protocol.pong(frame["id"], now()))


def _answer(frame: ClientFrame, seat: Seat) -> None:
    if frame["t"] == "ping":
        if seat.outlet.ready:
            seat.outlet.write(protocol.pong(frame["id"], now()))
    elif frame["t"] == "resync":
        seat.wants_snapshot = True
        if seat.outlet.ready:
            seat.catch_up()
    else:
        raise Junk("a second hello")


async def _until_gone(receive: Receive) -> None:
    """Let the closing handshake happen; the server ends the connection if the browser does not answer it."""
    while (await receive())["type"] != "websocket.disconnect":
        pass

"""The way to one browser's socket: no database hop, no encoding per socket, no endless buffer.

ASGI's ``send`` says nothing of a browser that stopped reading; under Daphne we ask its transport, which does.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from monitoring.live.protocol import LARGEST_CLIENT_FRAME

Send = Callable[[dict[str, Any]], Awaitable[None]]
BLOCKED_BYTES = 64 * 1024
"""Unsent bytes at which a socket is no longer ready (Twisted's own buffer size, too)."""
KERNEL_BYTES = 128 * 1024


def outlet_for(send: Send) -> DaphneOutlet | AsgiOutlet:
    """The shortest way this server offers."""
    # Daphne's send is partial(Server.handle_reply, protocol).
    if isinstance(send, partial) and send.args and isinstance(send.args[0], WebSocketProtocol):
        return DaphneOutlet(send.args[0])
    return AsgiOutlet(send)


def _nobody_waits() -> None:
    return


@implementer(IPushProducer)
class DaphneOutlet:
    """Writes into the socket's transport and hears from it when it is full and when it is empty again."""

    def __init__(self, protocol: WebSocketProtocol) -> None:
        self.ready = True
        self.on_ready: Callable[[], None] = _nobody_waits
        self._protocol = protocol
        # Without a limit a single client frame may grow until memory ends.
        protocol.maxFramePayloadSize = LARGEST_CLIENT_FRAME
        self._limit(LARGEST_CLIENT_FRAME)
        transport = protocol.transport
        # The kernel would otherwise take megabytes for a browser that reads nothing, and tell us nothing of it.
        transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        transport.unregisterProducer()  # the HTTP request the socket grew out of
        transport.registerProducer(self, True)

    def write(self, text: bytes) -> None:
        if self._protocol.state == WebSocketProtocol.STATE_OPEN:
            # The limit is meant for what browsers send; autobahn would hold our own snapshots to it too.
            self._limit(0)
            self._protocol.sendMessage(text, False)
            self._limit(LARGEST_CLIENT_FRAME)

    def _limit(self, size: int) -> None:
        self._protocol.maxMessagePayloadSize = size

    def close(self, code: int) -> None:
        self.on_ready = _nobody_waits
        if self._protocol.state == WebSocketProtocol.STATE_OPEN:
            self._protocol.sendClose(code=code)

    def end(self) -> None:
        """The connection is over."""
        self.ready = False
        self.on_ready = _nobody_waits

    # Twisted's names for: full, empty again, gone.
    def pauseProducing(self) -> None:  # noqa: N802 - the interface's name
        self.ready = False

    def resumeProducing(self) -> None:  # noqa: N802 - the interface's name
        if self._protocol.state != WebSocketProtocol.STATE_OPEN:
            # Twisted gives a closing socket back to its producer, and closes it only when that lets go.
            self._protocol.transport.unregisterProducer()
            return
        self.ready = True
        self.on_ready()

    def stopProducing(self) -> None:  # noqa: N802 - the interface's name
        self.end()


class AsgiOutlet:
    """The same for any other ASGI server: one writer a socket, which waits where the server lets it wait."""

    def __init__(self, send: Send) -> None:
        self.ready = True
        self.on_ready: Callable[[], None] = _nobody_waits
        self._send = send
        self._waiting: deque[dict[str, Any]] = deque()
        self._bytes = 0
        self._writer: asyncio.Task[None] | None = None

    def write(self, text: bytes) -> None:
        self._bytes += len(text)
        if self._bytes > BLOCKED_BYTES:
            self.ready = False
        self._put({"type": "websocket.send", "text": text.decode()})

    def close(self, code: int) -> None:
        self.on_ready = _nobody_waits
        self._put({"type": "websocket.close", "code": code})

    def end(self) -> None:
        """The connection is over."""
        self.ready = False
        self.on_ready = _nobody_waits
        self._waiting.clear()
        if self._writer is not None:
            self._writer.cancel()

    def _put(self, message: dict[str, Any]) -> None:
        self._waiting.append(message)
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            await self._send(self._waiting.popleft())
        self._writer = None
        self._bytes = 0
        if not self.ready:
            self.ready = True
            self.on_ready()

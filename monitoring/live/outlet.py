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
from twisted.internet import tcp
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


def framed(text: bytes) -> bytes:
    """A whole text frame of a server (RFC 6455, 5.2). The last one is kept: it goes to every socket of an audience."""
    global _last_framed
    if _last_framed[0] is not text:
        size = len(text)
        if size < 126:
            head = bytes((_TEXT, size))
        elif size < 65_536:
            head = bytes((_TEXT, 126)) + size.to_bytes(2)
        else:
            head = bytes((_TEXT, 127)) + size.to_bytes(8)
        _last_framed = text, head + text
    return _last_framed[1]


_TEXT = 0x81  # final fragment, text
_last_framed = (b"", b"")


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
        protocol.maxFramePayloadSize = protocol.maxMessagePayloadSize = LARGEST_CLIENT_FRAME
        self._transport = transport = protocol.transport
        self._plain = isinstance(transport, tcp.Server) and not transport.TLS
        # The kernel would otherwise take megabytes for a browser that reads nothing, and tell us nothing of it.
        transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        transport.unregisterProducer()  # the HTTP request the socket grew out of
        transport.registerProducer(self, True)

    def write(self, text: bytes) -> None:
        if self._protocol.state != WebSocketProtocol.STATE_OPEN:
            return
        frame, transport = framed(text), self._transport
        # Straight to the kernel while nothing waits before it, as Twisted itself would a moment later: its way by
        # the reactor costs two system calls more for every frame and socket, most of what a delivery costs.
        if self._plain and not transport.dataBuffer and not transport._tempDataBuffer:
            sent = transport.writeSomeData(frame)
            if isinstance(sent, int):  # else the connection is lost, which Twisted finds out for itself
                frame = frame[sent:]
        if frame:
            transport.write(frame)

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

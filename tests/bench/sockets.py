"""Many browsers' sockets read by one loop, as cheaply as Python can, so that the server is what is measured.

They count what is delivered by a mark that stands once in every change; some of them tell how old changes are.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Sequence

MARK = b"~"
STAMP = re.compile(rb"@(\d+\.\d+)@")
HELLO = b'{"t":"hello"}'


def request(path: str, *, host: str = "127.0.0.1", cookie: str = "") -> bytes:
    more = f"Origin: http://{host}\r\nCookie: {cookie}\r\n" if cookie else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{more}"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


class Sockets:
    """``watched``: how many of them tell ages, in ``ages`` (seconds from a change's stamp to here)."""

    def __init__(
        self, port: int, requests: Sequence[bytes], *, watched: int = 0, hello: bool = False
    ) -> None:
        self.delivered = 0
        self.ages: list[float] = []
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._unread: dict[int, bytes] = {}
        for n, first in enumerate(requests):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(first)
            head = b""
            while b"\r\n\r\n" not in head:
                head += one.recv(4096)
            assert b" 101 " in head, head
            if hello:
                one.sendall(bytes((0x81, 0x80 | len(HELLO), 0, 0, 0, 0)) + HELLO)
            one.setblocking(False)
            self._sockets[one.fileno()] = one
            self._poll.register(one.fileno(), select.EPOLLIN)
            if watched and n % (len(requests) // watched) == len(requests) // watched - 1:
                self._unread[one.fileno()] = head.partition(b"\r\n\r\n")[2]

    def read(self, timeout: float = 0.0) -> None:
        for number, _ in self._poll.poll(timeout):
            try:
                data = self._sockets[number].recv(262_144)
            except ConnectionResetError:
                data = b""
            if not data:  # a server that cannot keep up lets go of its sockets
                self._poll.unregister(number)
                continue
            self.delivered += data.count(MARK)
            if number in self._unread:
                self._unread[number] = self._age(self._unread[number] + data)

    def _age(self, data: bytes) -> bytes:
        """Note the age of every change in the whole frames of ``data``; what is left of it."""
        now = time.time()
        while len(data) >= 2:
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4]), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10]), 10
            if len(data) < start + size:
                break
            text = data[start : start + size]
            if b'"changes"' in text[:20]:
                self.ages += [now - float(stamp) for stamp in STAMP.findall(text)]
            data = data[start + size :]
        return data

    def read_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.read(0.02)

    def settle(self, *, quiet: float = 0.7, at_most: float = 20.0) -> None:
        """Read until nothing more comes."""
        last, moved_at, give_up = self.delivered, time.monotonic(), time.monotonic() + at_most
        while time.monotonic() - moved_at < quiet and time.monotonic() < give_up:
            self.read(0.05)
            if self.delivered != last:
                last, moved_at = self.delivered, time.monotonic()

    def close(self) -> None:
        for one in self._sockets.values():
            one.close()
        self._poll.close()


def middle_and_late(ages: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    assert ages, "no change arrived"
    ordered = sorted(ages)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]

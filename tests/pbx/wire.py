"""A cable between collector and PBX that a test can cut or hold, without touching either end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Cable:
    """``held``: bytes from the PBX are swallowed, as when a firewall has forgotten the connection."""

    target: int
    port: int = 0
    held: bool = False
    connections: int = 0
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Reset every connection."""
        for end in list(self._ends):
            end.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, there}
        try:
            await asyncio.gather(self._pump(reader, there, False), self._pump(there_reader, writer, True))
        finally:
            for end in (writer, there):
                self._ends.discard(end)
                end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, from_pbx: bool) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if not (self.held and from_pbx):
                    sink.write(data)
                    await sink.drain()
        sink.transport.abort()


@asynccontextmanager
async def cable_to(target: int) -> AsyncIterator[Cable]:
    cable = Cable(target)
    server = await asyncio.start_server(cable.serve, "127.0.0.1", 0)
    cable.port = server.sockets[0].getsockname()[1]
    try:
        yield cable
    finally:
        server.close()
        cable.cut()
        await asyncio.sleep(0.05)

"""An AMI server that does exactly what a test says, also what no Asterisk would: fall silent, cut, talk rubbish.

What it answers by default has the shape the real Asterisk gave.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from monitoring.pbx.client import Address

Fields = dict[str, str]
BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def block(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(name: str, /, **headers: object) -> bytes:
    """One AMI event; underscores in names stand for nothing, so write headers as Asterisk does."""
    return block(f"Event: {name}", "Privilege: call,all", *(f"{k}: {v}" for k, v in headers.items()))


@dataclass
class ScriptedPbx:
    """``answers``: what to say to an action, by its name; None falls silent. ``skew``: its clock against ours."""

    secret: str = "s3cret"
    banner: bytes = BANNER
    chunk: int = 0
    skew: float = 0.0
    started: str = "2026-11-22 03:43:50"
    booted: bool = True
    mute: bool = False
    channels: list[Fields] = field(default_factory=list)
    members: list[Fields] = field(default_factory=list)
    callers: list[Fields] = field(default_factory=list)
    endpoints: list[Fields] = field(default_factory=list)
    devices: list[Fields] = field(default_factory=list)
    answers: dict[str, Callable[[Fields], bytes | None]] = field(default_factory=dict)
    received: list[Fields] = field(default_factory=list)
    raw: bytes = b""
    logins: list[float] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port, "ccenter", self.secret)

    def now(self) -> float:
        return time.time() + self.skew

    def named(self, action: str) -> list[Fields]:
        return [said for said in self.received if said.get("Action") == action]

    def say(self, *blocks: bytes) -> None:
        """To everybody connected, in one write."""
        for writer in self._writers:
            writer.write(b"".join(blocks))

    def cut(self) -> None:
        """Reset every connection, as a dying network does."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            await self._send(writer, self.banner)
            waiting = b""
            while data := await reader.read(65536):
                self.raw += data
                waiting += data
                *actions, waiting = waiting.split(b"\r\n\r\n")
                for text in actions:
                    fields = dict(
                        line.split(": ", 1) if ": " in line else (line.rstrip(":"), "")
                        for line in text.decode().split("\r\n")
                    )
                    self.received.append(fields)
                    answer = None if self.mute else self._answer(fields)
                    if answer:
                        await self._send(writer, answer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        for start in range(0, len(data), self.chunk or len(data) or 1):
            writer.write(data[start : start + (self.chunk or len(data))])
            await writer.drain()
            if self.chunk:
                await asyncio.sleep(0)

    def _answer(self, said: Fields) -> bytes | None:
        name, key = said.get("Action", ""), said.get("ActionID", "")
        if name in self.answers:
            return self.answers[name](said)
        if name == "Login":
            return self._login(said)
        if name == "Ping":
            return success(said, "Ping: Pong", f"Timestamp: {self.now():.6f}")
        if name == "CoreStatus":
            date, clock = self.started.split()
            return success(
                said, f"CoreStartupDate: {date}", f"CoreStartupTime: {clock}", "CoreCurrentCalls: 0"
            )
        lists = {
            "CoreShowChannels": [("CoreShowChannel", self.channels)],
            "QueueStatus": [("QueueMember", self.members), ("QueueEntry", self.callers)],
            "DeviceStateList": [("DeviceStateChange", self.devices)],
            "PJSIPShowEndpoints": [("EndpointList", self.endpoints)],
        }
        if name in lists:
            rows = [
                block(f"Event: {event_name}", f"ActionID: {key}", *(f"{k}: {v}" for k, v in row.items()))
                for event_name, found in lists[name]
                for row in found
            ]
            ends = {"PJSIPShowEndpoints": "EndpointListComplete"}.get(name, f"{name}Complete")
            start = success(said, "EventList: start", "Message: will follow")
            return start + b"".join(rows) + block(f"Event: {ends}", f"ActionID: {key}", "EventList: Complete")
        return success(said, "Message: done")

    def _login(self, said: Fields) -> bytes:
        self.logins.append(time.monotonic())
        if said.get("Secret") != self.secret:
            return block("Response: Error", f"ActionID: {said['ActionID']}", "Message: Authentication failed")
        accepted = success(said, "Message: Authentication accepted")
        return accepted + (
            block("Event: FullyBooted", "Uptime: 100", "Status: Fully Booted") if self.booted else b""
        )


def success(said: Fields, *lines: str) -> bytes:
    return block("Response: Success", f"ActionID: {said['ActionID']}", *lines)


@asynccontextmanager
async def scripted(pbx: ScriptedPbx | None = None) -> AsyncIterator[ScriptedPbx]:
    """The server on a free port, and nothing of it afterwards."""
    script = pbx or ScriptedPbx()
    server = await asyncio.start_server(script.serve, "127.0.0.1", script.port)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        script.cut()
        await asyncio.sleep(0)


async def until(happened: Callable[[], object], seconds: float = 3.0) -> float:
    """Wait until it has; how long it took in seconds. Fails after ``seconds``."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.005)
    return time.monotonic() - began

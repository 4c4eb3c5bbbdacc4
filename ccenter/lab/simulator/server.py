"""The AMI side of the simulator: greeting, sign-in, events by account, and the actions the portal uses.

Answers are worded as Asterisk 22 words them. A client that stops reading is cut after 4 MB, as Asterisk does.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ccenter.lab.plan import AmiAccount, PbxPlan
from ccenter.lab.ports import PBX_HOST
from ccenter.lab.simulator.actions import ACTIONS, refused, success
from ccenter.lab.simulator.shapes import next_shape
from ccenter.lab.simulator.steps import Habits
from ccenter.lab.simulator.world import World

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
UNREAD_LIMIT = 4_000_000
TICK = 0.01
BLOCK_LIMIT = 65_536


@dataclass(eq=False)
class Session:
    """One connection. ``account`` is None until it has signed in."""

    writer: asyncio.StreamWriter
    account: AmiAccount | None = None
    events: bool = True

    def hears(self, name: str, privilege: str) -> bool:
        account = self.account
        if account is None or not self.events or privilege not in account.read:
            return False
        return not account.events or name in account.events

    def write(self, data: bytes) -> None:
        transport = self.writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNREAD_LIMIT:
            transport.abort()
            return
        self.writer.write(data)


@dataclass(eq=False)
class Simulator:
    """``live``: calls alive on average, kept so by placing calls at ``live / (mean length)`` per second."""

    plan: PbxPlan
    live: float = 12.0
    habits: Habits = field(default_factory=Habits)
    seed: int = 1
    host: str = PBX_HOST
    port: int = 0
    sessions: set[Session] = field(default_factory=set)
    serving: set[asyncio.Task[None]] = field(default_factory=set)
    told: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.plan, seed=self.seed, now=time.time())
        self.world.listener = self.broadcast
        self.server: asyncio.Server | None = None
        self.ticking: asyncio.Task[None] | None = None
        self.next_call = 0.0

    @property
    def per_second(self) -> float:
        """Calls to place a second so that ``live`` of them are alive."""
        return self.live / (self.habits.talk + 3 * self.habits.rings)

    def broadcast(self, name: str, privilege: str, block: bytes) -> None:
        self.told += 1
        for session in self.sessions:
            if session.hears(name, privilege):
                session.write(block)

    def warm_up(self, seconds: float) -> None:
        """Live the last ``seconds`` at once and in silence, so that the PBX is found busy and not empty."""
        now = time.time()
        self.world.listener = None
        self.world.now = self.next_call = now - seconds
        self.world.booted = now - seconds
        self.advance(now)
        self.world.listener = self.broadcast

    def advance(self, now: float) -> None:
        """Let the world live until ``now``, calls arriving at their mean rate."""
        while self.live and self.next_call <= now:
            self.world.run_until(self.next_call)
            if shape := next_shape(self.world, self.habits):
                self.world.begin(shape)
            self.next_call += self.world.dice.expovariate(self.per_second)
        self.world.run_until(now)

    async def start(self) -> int:
        """Listen and live; returns the port."""
        self.server = await asyncio.start_server(self.serve, self.host, self.port, limit=BLOCK_LIMIT)
        self.port = self.server.sockets[0].getsockname()[1]
        self.next_call = self.next_call or time.time()
        self.ticking = asyncio.create_task(self.tick(), name="simulated-world")
        return self.port

    async def tick(self) -> None:
        while True:
            self.advance(time.time())
            await asyncio.sleep(TICK)

    async def stop(self) -> None:
        if self.ticking:
            self.ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.ticking
        if self.server:
            self.server.close()
        self.cut()
        await asyncio.gather(*self.serving, return_exceptions=True)
        if self.server:
            await self.server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, as a network does."""
        for session in list(self.sessions):
            session.writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        self.sessions.add(session)
        if task := asyncio.current_task():
            self.serving.add(task)
            task.add_done_callback(self.serving.discard)
        session.write(GREETING)
        try:
            while True:
                block = await reader.readuntil(b"\r\n\r\n")
                if not await self.obey(session, parse(block)):
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            self.sessions.discard(session)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()

    async def obey(self, session: Session, fields: dict[str, str]) -> bool:
        """One action; False when the connection is over."""
        action, number = fields.get("action", "").lower(), fields.get("actionid", "")
        if action == "login":
            return await self.sign_in(session, fields, number)
        if action == "logoff":
            session.write(b"Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n")
            return False
        if session.account is None:
            session.write(refused(number, "Permission denied"))
            return True
        if action == "events":
            session.events = fields.get("eventmask", "on").lower() != "off"
            session.write(success(number, "", Events="On" if session.events else "Off"))
            return True
        known = ACTIONS.get(action)
        if known is None:
            asked = fields.get("action", "")
            text = f"Invalid/unknown command: {asked}. Use Action: ListCommands to show available commands."
            session.write(refused(number, text))
        elif known.right and not set(known.right) & set(session.account.write):
            session.write(refused(number, "Permission denied"))
        else:
            self.world.run_until(time.time())
            session.write(known.run(self.world, fields, number))
        return True

    async def sign_in(self, session: Session, fields: dict[str, str], number: str) -> bool:
        name, secret = fields.get("username", ""), fields.get("secret", "")
        account = next((a for a in self.plan.accounts if a.name == name and a.secret == secret), None)
        if account is None:
            await asyncio.sleep(1.0)  # Asterisk is in no hurry here either
            session.write(refused(number, "Authentication failed"))
            return False
        session.write(success(number, "Authentication accepted"))
        session.account = account
        session.events = fields.get("events", "on").lower() != "off"
        uptime = int(time.time() - self.world.booted)
        boot = f"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: {uptime}\r\nLastReload: {uptime}\r\n"
        if session.events and "system" in account.read:
            session.write(f"{boot}Status: Fully Booted\r\n\r\n".encode())
        return True


def parse(block: bytes) -> dict[str, str]:
    """Header names in lower case; a repeated ``Variable`` is joined by commas."""
    found: dict[str, str] = {}
    for line in block.decode(errors="replace").split("\r\n"):
        key, colon, value = line.partition(":")
        if colon:
            name = key.strip().lower()
            found[name] = f"{found[name]},{value.strip()}" if name in found else value.strip()
    return found


def run_until_terminated(simulator: Simulator, *, warm: float, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. ``warm``: seconds of the past to live first."""

    async def serve() -> None:
        over = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        simulator.warm_up(warm)
        port = await simulator.start()
        say(f"simulated PBX: AMI on {simulator.host}:{port}, about {simulator.live:g} calls alive")
        await over.wait()
        await simulator.stop()

    asyncio.run(serve())

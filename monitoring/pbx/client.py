"""One logged-in AMI connection: open it, ask it, notice when nobody answers any more. It never reconnects by
itself.

panoramisk's Manager would: every 2 s, for ever, repeating unanswered actions. Who owns the PBX decides that
here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from monitoring.pbx import actions
from monitoring.pbx.actions import AmiAction
from monitoring.pbx.clock import PbxClock
from monitoring.pbx.protocol import (
    ActionRefused,
    AmiError,
    AmiProtocol,
    Fields,
    LoginRefused,
    NotAsterisk,
    Silent,
    Unanswered,
    Unreachable,
)

LATEST = 1e11
"""Epoch seconds, the year 5138: no PBX's clock says more."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. ``pong`` + ``ping_every`` bounds how long a half-open connection goes unnoticed (13 s)."""

    connect: float = 5.0
    login: float = 5.0
    action: float = 5.0
    listing: float = 15.0
    ping_every: float = 5.0
    pong: float = 8.0
    pong_at_most: float = 20.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a PBX's AMI is, and as whom we log in."""

    host: str
    port: int
    username: str
    secret: str
    tls: bool = False

    def __repr__(self) -> str:
        """Without the secret: this reaches logs."""
        return f"<Address {self.username}@{self.host}:{self.port}{' tls' if self.tls else ''}>"


class Client:
    """Made by ``Client.open``. ``lost`` is resolved with the reason once the connection is gone."""

    def __init__(self, protocol: AmiProtocol, deadlines: Deadlines) -> None:
        self._protocol = protocol
        self._deadlines = deadlines
        self._pinger: asyncio.Task[None] | None = None
        self.clock = PbxClock(time.time(), asyncio.get_running_loop().time())

    @classmethod
    async def open(
        cls,
        address: Address,
        receive: Callable[[list[bytes], float], None],
        deadlines: Deadlines | None = None,
    ) -> Client:
        """Connect and log in. Raises Unreachable, NotAsterisk, LoginRefused or ConnectionGone, each with
        words.
        """
        limits = deadlines or Deadlines()
        login = actions.login(username=address.username, secret=address.secret)
        protocol = await _connect(address, receive, limits)
        client = cls(protocol, limits)
        try:
            async with asyncio.timeout(limits.connect):
                await asyncio.shield(protocol.greeted)
            await client.run(login, deadline=limits.login)
            await client.ping()
        except TimeoutError:
            client.close()
            raise NotAsterisk("the server says nothing; Asterisk would greet") from None
        except ActionRefused as refusal:
            client.close()
            raise LoginRefused(str(refusal)) from None
        except BaseException:
            client.close()
            raise
        client._pinger = asyncio.create_task(client._keep_asking(), name="ami ping")
        return client

    @property
    def last_received(self) -> float:
        """Monotonic seconds of the last byte from the PBX."""
        return self._protocol.last_received

    @property
    def lost(self) -> asyncio.Future[AmiError]:
        return self._protocol.lost

    async def run(self, action: AmiAction, *, deadline: float | None = None) -> Fields:
        """The answer's headers. Raises ActionRefused, Unanswered or ConnectionGone; never sends twice."""
        return (await self._answer(action, deadline or self._deadlines.action))[0]

    async def collect(self, action: AmiAction, *, deadline: float | None = None) -> list[bytes]:
        """A whole list as raw blocks, or an error: half a list is never returned."""
        return (await self._answer(action, deadline or self._deadlines.listing))[1]

    async def ping(self) -> float:
        """Ask and learn the PBX's time, which it returns: epoch seconds when the PBX answered. Raises as
        ``run``.
        """
        loop = asyncio.get_running_loop()
        sent = loop.time()
        answer = await self.run(actions.ping(), deadline=self._deadlines.pong)
        try:
            pbx = float(answer.get("Timestamp", ""))
        except ValueError:
            pbx = 0.0
        if not 0.0 < pbx < LATEST:  # also when it is no number at all: NaN would spoil the clock for good
            return self.clock.at(sent)
        self.clock.read(sent=sent, received=loop.time(), pbx=pbx)
        return pbx

    def close(self) -> None:
        if self._pinger is not None:
            self._pinger.cancel()
        self._protocol.fail(AmiError("closed by us"))

    async def _answer(self, action: AmiAction, deadline: float) -> tuple[Fields, list[bytes]]:
        pending = self._protocol.send(action)
        try:
            async with asyncio.timeout(deadline):
                return await pending.future
        except TimeoutError:
            raise Unanswered(f"{action.name}: no answer in {deadline:g} s") from None
        finally:
            self._protocol.forget(pending)

    async def _keep_asking(self) -> None:
        """Own Pong deadline: a connection that neither answers nor sends anything is ended as Silent."""
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while not self.lost.done():
            await asyncio.sleep(self._deadlines.ping_every)
            try:
                await self.ping()
                answered = loop.time()
            except Unanswered:
                quiet = loop.time() - self._protocol.last_received
                if quiet >= self._deadlines.pong or loop.time() - answered > self._deadlines.pong_at_most:
                    self._protocol.fail(Silent(f"no answer for {loop.time() - answered:.0f} s"))
            except ActionRefused:
                answered = loop.time()  # an account without the right to ping is answered all the same
            except AmiError:
                return


async def _connect(
    address: Address, receive: Callable[[list[bytes], float], None], limits: Deadlines
) -> AmiProtocol:
    where = f"{address.host}:{address.port}"
    try:
        async with asyncio.timeout(limits.connect):
            _, protocol = await asyncio.get_running_loop().create_connection(
                lambda: AmiProtocol(receive),
                address.host,
                address.port,
                ssl=ssl.create_default_context() if address.tls else None,
            )
    except TimeoutError:
        raise Unreachable(f"{where} does not answer") from None
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"{where}: the certificate is not trusted ({error.verify_message})") from None
    except ssl.SSLError as error:
        raise Unreachable(f"{where}: no TLS there ({error.reason})") from None
    except (OSError, UnicodeError, OverflowError) as error:
        raise Unreachable(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    return protocol

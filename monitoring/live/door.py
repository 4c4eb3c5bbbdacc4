"""Watches the people behind the open sockets: whoever loses the right loses the socket within five seconds.

While the database is away nobody is put out: a panel that goes dark would be a second fault on top of the first.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.db import Error as DatabaseError

from monitoring.live import protocol, rights
from monitoring.live.hub import Hub
from monitoring.live.stream import Outlet, Seat
from tenants.asgi import Visitor, still_welcome

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # seconds


@dataclass(eq=False, slots=True)
class Guest:
    """A visitor with an open socket."""

    visitor: Visitor
    seat: Seat


class Door:
    """One per event loop, beside its hub: ``door_here(hub)``."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._guests: dict[str, set[Guest]] = {}
        self._places: Counter[tuple[str, int]] = Counter()
        self._at_the_door: dict[str, list[tuple[Visitor, asyncio.Future[rights.Admission | None]]]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def admit(self, visitor: Visitor) -> rights.Admission | None:
        """What this visitor may watch, None for nothing. Whoever comes while others are asked about waits and
        is asked about with the rest: when a server comes back, everybody comes at once.
        """
        answer: asyncio.Future[rights.Admission | None] = asyncio.get_running_loop().create_future()
        self._at_the_door.setdefault(visitor.company, []).append((visitor, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="rights of those at the door")
        return await answer

    async def _ask(self) -> None:
        while self._at_the_door:
            company = next(iter(self._at_the_door))
            waiting = self._at_the_door.pop(company)
            try:
                admitted = await rights.admissions(company, {visitor.user_id for visitor, _ in waiting})
            except Exception as error:
                for _, answer in waiting:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for visitor, answer in waiting:
                    if not answer.done():
                        answer.set_result(admitted.get(visitor.user_id))

    def take_place(self, visitor: Visitor) -> bool:
        """Whether this person may have one more socket, which is then counted until ``give_place``: one who opens
        thousands would take this process from everybody else.
        """
        person = visitor.company, visitor.user_id
        if self._places[person] >= settings.SOCKETS_PER_PERSON:
            return False
        self._places[person] += 1
        return True

    def give_place(self, visitor: Visitor) -> None:
        person = visitor.company, visitor.user_id
        self._places[person] -= 1
        if not self._places[person]:
            del self._places[person]

    async def let_in(
        self, visitor: Visitor, admission: rights.Admission, outlet: Outlet, have: protocol.Have | None
    ) -> Guest:
        """Seat an admitted visitor before the board."""
        seat = await self._hub.join(
            visitor.company, outlet, admission.audience, pbxs=set(admission.pbxs), have=have
        )
        guest = Guest(visitor, seat)
        self._guests.setdefault(visitor.company, set()).add(guest)
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking(), name="watch over the open sockets")
        return guest

    def see_off(self, guest: Guest) -> None:
        company = guest.visitor.company
        guests = self._guests.get(company, set())
        guests.discard(guest)
        if not guests:
            self._guests.pop(company, None)
        self._hub.leave(company, guest.seat)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for company in list(self._guests):
                try:
                    await self.look(company)
                except DatabaseError as error:
                    logger.warning("Nobody's rights could be checked, the database is away: %s", error)
                except Exception:  # one company's trouble must not end the watch over the others
                    logger.exception("The rights of %s's people could not be checked.", company)

    async def look(self, company: str) -> None:
        """Put out whoever may no longer watch; give the others what they may see now."""
        guests = list(self._guests.get(company, ()))
        welcome = await still_welcome(company, {guest.visitor for guest in guests})
        admitted = (
            await rights.admissions(company, {visitor.user_id for visitor in welcome}) if welcome else {}
        )
        for guest in guests:
            admission = admitted.get(guest.visitor.user_id) if guest.visitor in welcome else None
            if admission is None:
                self.see_off(guest)
                guest.seat.outlet.close(protocol.CLOSE_RIGHT_LOST)
            elif admission.audience != guest.seat.stream.audience:
                guest.seat.outlet.write(protocol.notice("rights"))
                self._hub.move(company, guest.seat, admission.audience)
        for admission in admitted.values():
            self._hub.expect(company, set(admission.pbxs))
            break

    async def close(self) -> None:
        for task in (self._task, self._asking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


_doors: weakref.WeakKeyDictionary[Hub, Door] = weakref.WeakKeyDictionary()


def door_here(hub: Hub) -> Door:
    """The door of this hub, made when first asked for."""
    if hub not in _doors:
        _doors[hub] = Door(hub)
    return _doors[hub]

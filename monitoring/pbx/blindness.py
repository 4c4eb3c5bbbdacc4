"""Every window in which a PBX is not heard, told to its companies as facts: at its beginning, so that it is known
should this worker die, and at its end.

``heard``: besides, every few seconds the portal is told that the PBX is heard; what no worker lived to tell, its
successor reads from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection

from monitoring.domain.facts import BlindFact
from monitoring.pbx.link import Link
from monitoring.pbx.portal import Portal, PortalAway

UNWATCHED = "unwatched"
OVERFLOW = "overflow"
HEARD_SECONDS = 5.0


class Blindness:
    """The only one who closes and opens ``link``'s window. ``tell``: to every company of the PBX."""

    def __init__(self, *, link: Link, tell: Callable[[BlindFact], None]) -> None:
        self._link = link
        self._tell = tell
        self._cause = UNWATCHED
        if link.blind_since is not None:
            tell(BlindFact(link.blind_since, None, UNWATCHED))

    def begins(self, *, since: float, cause: str) -> None:
        """From ``since`` (epoch seconds) on events may be missing. ``cause``: an AmiError's code, or one of ours."""
        if self._link.blinded(since=since):
            self._cause = cause
            self._tell(BlindFact(since, None, cause))

    def ends(self, *, skew: float, boot: float | None) -> None:
        """All is heard again. ``boot``: when the PBX started, by its own clock; told when it was in between."""
        window = self._link.connected()
        if window is not None:
            began, ended = window
            inside = boot is not None and boot > began + skew - 1.0
            self._tell(BlindFact(began, ended, self._cause, skew, boot if inside else None))
            self._cause = UNWATCHED

    async def look(self, portal: Portal, companies: Collection[str]) -> bool:
        """Whether a window has been filled since the last look. Raises PortalAway."""
        asked = [list(window) for window in self._link.unfilled()]
        if not asked:
            return False
        filled = await portal.filled(companies, self._link.pbx, asked)
        return self._link.fill([window for window, full in zip(asked, filled, strict=True) if full])

    async def keep_heard(self, portal: Portal, wall: Callable[[], float]) -> None:
        """For ever: leave word that the PBX is heard, while it is."""
        while True:
            if self._link.blind_since is None and self._link.state != "connecting":
                with contextlib.suppress(PortalAway):
                    await portal.heard(self._link.pbx, wall())
            await asyncio.sleep(HEARD_SECONDS)

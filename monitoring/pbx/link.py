"""What we know of the line to one PBX, for the panel and for health pages: state, why, lag, and when we were
blind.

All times are epoch seconds (UTC) of this machine. Nothing here waits or writes; the collector tells it,
others read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitoring.domain.wire import LinkState, LinkWire
from monitoring.pbx.protocol import ActionRefused, AmiError, LoginRefused, NoSecret, Silent

LATE_SECONDS = 5.0
"""Events older than this when they reach the board raise the alarm; it ends below CAUGHT_UP_SECONDS."""
CAUGHT_UP_SECONDS = 3.0
LAG_STEP = 0.5
WINDOWS = 50
CALM_SECONDS = 10.0


class Link:
    """The state of one PBX's link. ``wall`` gives epoch seconds. ``hidden``: an address companies are not told."""

    def __init__(self, *, pbx: str, simulated: bool, wall: Callable[[], float], hidden: str = "") -> None:
        self.pbx = pbx
        self.simulated = simulated
        self.state: LinkState = "connecting"
        self.since = wall()
        self.error = ""
        self.next_try: float | None = None
        self.lag = 0.0
        self.blind: list[list[float]] = []
        self._blind_from: float | None = None
        self._wall = wall
        self._hidden = hidden

    def restore(self, blind: Sequence[Sequence[float]], last_seen: float | None) -> None:
        """Go on where the PBX's previous owner stopped: its windows, and the gap since its last word."""
        self.blind = [list(map(float, window)) for window in blind if len(window) in (2, 3)]
        if last_seen is not None and self._blind_from is None:
            self._blind_from = last_seen

    def connecting(self) -> None:
        """A try begins. A connection that fell silent stays "stale" on the panel until we know better."""
        self.next_try = None
        if self.state not in ("stale", "refused", "down"):
            self._become("connecting")

    @property
    def blind_since(self) -> float | None:
        """Since when nothing was heard for certain; None while all is."""
        return self._blind_from

    def connected(self) -> tuple[float, float] | None:
        """Logged in and the board is right again: the blind window, if any, is closed and returned."""
        now = self._wall()
        closed = (self._blind_from, max(now, self._blind_from)) if self._blind_from is not None else None
        if self._blind_from is not None:
            if self.blind and self._blind_from - self.blind[-1][1] < 1.0:
                self.blind[-1][1:] = [now]
            else:
                self.blind.append([self._blind_from, now])
            del self.blind[:-WINDOWS]
            self._blind_from = None
        self.error, self.next_try, self.lag = "", None, 0.0
        self._become("connected")
        return closed

    def failed(self, error: AmiError, *, retry_in: float | None = None) -> None:
        """A try failed or the connection ended. ``retry_in``: seconds until the next try."""
        self.error = f"{error.code}: {error}"[:300]
        self.next_try = None if retry_in is None else self._wall() + retry_in
        if isinstance(error, LoginRefused | ActionRefused | NoSecret):
            self._become("refused")
        elif isinstance(error, Silent):
            self._become("stale")
        else:
            self._become("down")

    def blinded(self, *, since: float) -> bool:
        """From ``since`` on events may be missing: the connection is gone, or too much came at once. False: known."""
        if self._blind_from is not None:
            return False
        self._blind_from = since
        return True

    def unfilled(self) -> list[list[float]]:
        """The windows that nobody has said to be filled."""
        return [window for window in self.blind if len(window) == 2]

    def fill(self, windows: Sequence[Sequence[float]]) -> bool:
        """These have been filled from the PBX's own records. False: none of them is shown any more."""
        found = [window for window in self.unfilled() if window in windows]
        for window in found:
            window.append(1.0)
        return bool(found)

    def heard(self, lag: float) -> bool:
        """Events reached the board ``lag`` seconds after they happened. True when the panel should be
        told.
        """
        late = lag > (CAUGHT_UP_SECONDS if self.state == "stale" else LATE_SECONDS)
        if late and self.state == "connected":
            self.error = "late: events arrive late"
            self._become("stale")
        elif not late and self.state == "stale":
            self.error = ""
            self._become("connected")
        elif abs(lag - self.lag) < LAG_STEP:
            return False
        self.lag = round(lag, 3)
        return True

    def forget_before(self, moment: float) -> bool:
        """Drop windows that ended before ``moment`` (the companies' midnight). True when something was
        dropped.
        """
        kept = [window for window in self.blind if window[1] >= moment]
        dropped = len(kept) != len(self.blind)
        self.blind = kept
        return dropped

    def wire(self) -> LinkWire:
        return LinkWire(
            pbx=self.pbx,
            state=self.state,
            simulated=self.simulated,
            since=self.since,
            lag=self.lag,
            error=self.error.replace(self._hidden, "PBX") if self._hidden else self.error,
            next_try=self.next_try,
            blind=[list(window) for window in self.blind],
        )

    def _become(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self.since = self._wall()


class Backoff:
    """How long to wait before the next try, with jitter so that workers do not knock together.

    A cut connection is tried again at once; a refused login at most six times a minute, for ever slower.
    """

    def __init__(self) -> None:
        self._tries = 0
        self._refusals = 0

    def after(self, error: AmiError) -> float:
        """Seconds until the next try."""
        if isinstance(error, LoginRefused | ActionRefused):
            self._refusals += 1
            return min(60.0, 10.0 * 1.5 ** (self._refusals - 1)) * random.uniform(1.05, 1.3)  # noqa: S311 - jitter
        self._tries += 1
        return min(5.0, 0.2 * 2.0 ** (self._tries - 1)) * random.uniform(0.7, 1.0)  # noqa: S311 - jitter

    def calm(self) -> None:
        """The connection has held for a while: begin anew."""
        self._tries = self._refusals = 0


def midnight(time_zones: Sequence[str], now: float) -> float:
    """The earliest beginning of today (epoch seconds) among ``time_zones``; an unknown zone counts as UTC."""
    starts = []
    for name in time_zones or ["UTC"]:
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo("UTC")
        local = datetime.fromtimestamp(now, zone)
        starts.append(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    return min(starts)

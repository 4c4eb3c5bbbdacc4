"""How a lost call reads on the pages: which moment, how urgent, what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.models.lost import LostCall, LostState
from monitoring.models.phones import shown

TONES = {
    LostState.OPEN: "ringing", LostState.CALLED_BACK: "good", LostState.ANSWERED_LATER: "good",
    LostState.CLOSED: "away", LostState.NOT_NEEDED: "away",
}  # fmt: skip
ICONS = {
    LostState.OPEN: "lost", LostState.CALLED_BACK: "out", LostState.ANSWERED_LATER: "in",
    LostState.CLOSED: "good", LostState.NOT_NEEDED: "info",
}  # fmt: skip


def row_of(lost: LostCall, *, now: datetime, region: str, tried: int = 0) -> dict[str, Any]:
    """What a template shows of one case. ``due``: alarm when late, warn in the last ten minutes."""
    state = LostState(lost.state)
    left = (lost.deadline - now).total_seconds()
    waited = lost.call.wait_seconds or (lost.lost_at - lost.call.started).total_seconds()
    return {
        "lost": lost,
        "number": shown(lost.customer, region) if lost.customer else lost.number,
        "dial": f"+{lost.customer}" if len(lost.customer) > 6 else lost.customer,
        "name": lost.call.name,
        "open": state is LostState.OPEN,
        "due": "alarm" if left < 0 else "warn" if left < 600 else "",
        "left": _span(abs(left)),
        "at": moment(lost.lost_at, now),
        "deadline": moment(lost.deadline, now),
        "ended": moment(lost.closed_at, now) if lost.closed_at else "",
        "waited": _span(waited, exactly=True),
        "tone": TONES[state],
        "icon": ICONS[state],
        "tried": tried,
    }


def moment(at: datetime, now: datetime) -> str:
    """Local; the day only when it is another one."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    return local.strftime("%H:%M" if local.date() == today else "%d.%m %H:%M")


def _span(seconds: float, *, exactly: bool = False) -> str:
    whole = max(0, int(seconds))
    if exactly or whole < 60:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 3600:
        return _("%(minutes)d min") % {"minutes": whole // 60}
    if whole < 86_400:
        return _("%(hours)d h %(minutes)d min") % {"hours": whole // 3600, "minutes": whole % 3600 // 60}
    return _("%(days)d d") % {"days": whole // 86_400}

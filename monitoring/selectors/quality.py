"""Where the company's figures have holes: every stretch in which one of its PBXs was not heard.

Call inside ``company_scope``. Times are epoch seconds (UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Q

from monitoring.domain.statistics import Gap
from monitoring.models.quality import BlindWindow


def filled(pbx: str, begin: float, end: float) -> bool:
    """Whether all that was missed of ``pbx`` between the two moments has been filled since."""
    first, last = datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC)
    states = set(
        BlindWindow.objects.filter(
            Q(ended__isnull=True) | Q(ended__gte=first), pbx=pbx, began__lte=last
        ).values_list("state", flat=True)
    )
    return states == {BlindWindow.State.RECONCILED}


def gaps(begin: float, end: float) -> tuple[Gap, ...]:
    """The windows that [``begin``, ``end``) touches, earliest first, those of different PBXs apart."""
    first, last = datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC)
    rows = BlindWindow.objects.filter(Q(ended__isnull=True) | Q(ended__gt=first), began__lt=last).order_by(
        "began", "pk"
    )
    return tuple(
        Gap(
            row.began.timestamp(),
            row.ended.timestamp() if row.ended is not None else None,
            row.cause,
            row.state == BlindWindow.State.RECONCILED,
        )
        for row in rows
    )

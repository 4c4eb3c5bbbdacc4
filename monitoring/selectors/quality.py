"""Where the company's figures have holes: every stretch in which one of its PBXs was not heard.

Call inside ``company_scope``. Times are epoch seconds (UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection
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


def gaps(begin: float, end: float, cursor: Any = None) -> tuple[Gap, ...]:
    """The windows that [``begin``, ``end``) touches, earliest first, those of different PBXs apart.

    ``cursor``: whoever asks more than this spares setting the company's search path again.
    """
    if cursor is None:
        with connection.cursor() as own:
            return gaps(begin, end, own)
    cursor.execute(
        """
SELECT date_part('epoch', began), date_part('epoch', ended), cause, state = %(reconciled)s
  FROM monitoring_blindwindow WHERE (ended IS NULL OR ended > %(first)s) AND began < %(last)s ORDER BY began, id
""",
        {
            "first": datetime.fromtimestamp(begin, UTC),
            "last": datetime.fromtimestamp(end, UTC),
            "reconciled": BlindWindow.State.RECONCILED.value,
        },
    )
    return tuple(Gap(*row) for row in cursor.fetchall())

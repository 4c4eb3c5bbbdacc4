"""Which call a recording is of, who may hear which, and what waits for somebody's eyes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from monitoring.models.calls import Call, Leg, QueueVisit
from monitoring.models.recordings import Recording, State
from tenants.people.models import User
from tenants.people.roles import Verb, can

SLACK = timedelta(seconds=10)  # clocks of PBX and files, and what is said before the first event
_MERGES = 10


def call_of(*, pbx: str, uniqueids: Iterable[str], started: datetime, ended: datetime) -> Call | None:
    """The call of the scope's company in which one of these channels took part at that time; None = there is none.

    A channel is known as a call's first, as a manager's, or as the one that waited in a queue. What a merged call
    recorded belongs to the call that absorbed it.
    """
    names = sorted({name for name in uniqueids if name})
    keys = [f"{pbx}:{name}" for name in names]
    found = _at(Call.objects.filter(key__in=keys), started, ended)
    if found is None:
        # By the index of ended legs: uniqueid alone has none, and a year of legs is long.
        legs = Leg.objects.filter(
            ended__gte=started - SLACK,
            ended__lte=ended + timedelta(hours=1),
            uniqueid__in=names,
            call__pbx=pbx,
        )
        found = _at(Call.objects.filter(pk__in=legs.values("call")), started, ended)
    if found is None:
        visits = QueueVisit.objects.filter(pbx=pbx, uniqueid__in=names).values("call_key")
        found = _at(Call.objects.filter(key__in=visits), started, ended)
    for _ in range(_MERGES):
        if found is None or not found.merged_into:
            return found
        found = Call.objects.filter(key=found.merged_into).first()
    return found


def _at(calls: QuerySet[Call], started: datetime, ended: datetime) -> Call | None:
    """Of these, the one that lived then: a PBX counts its channels anew after some restarts."""
    for call in calls.order_by("started"):
        if call.started - SLACK <= ended and (call.ended is None or started <= call.ended + SLACK):
            return call
    return None


def heard_by(user: User, pk: int) -> Recording | None:
    """The recording, if ``user`` may hear it; None also when there is no such thing."""
    recording = Recording.objects.exclude(state=State.STORING).select_related("call").filter(pk=pk).first()
    return recording if recording is not None and can(user, Verb.HEAR, recording) else None


def recordings_of(user: User, call: Call) -> list[Recording]:
    """What of the call ``user`` may hear, in the order it was said; files that are gone are named too."""
    rows = call.recordings.exclude(state__in=(State.STORING, State.BROKEN)).order_by("started", "pk")
    return [row for row in rows if can(user, Verb.HEAR, row)]


def unsettled() -> QuerySet[Recording]:
    """What an admin should look at: of no call, not playable, or gone; newest first."""
    wrong = Recording.objects.filter(state__in=(State.ORPHAN, State.BROKEN, State.GONE))
    return wrong.select_related("call").order_by("-started", "-pk")


def candidates(recording: Recording, *, around: timedelta = timedelta(minutes=10)) -> Sequence[Call]:
    """Talks of the same PBX near that time which have no recording, nearest first: for attaching an orphan."""
    near = Call.objects.filter(
        pbx=recording.pbx,
        started__gte=recording.started - around,
        started__lte=recording.started + around,
        talk_seconds__gt=0,
        merged_into="",
        recorded=False,
    )
    return sorted(near[:200], key=lambda call: abs(call.started - recording.started))[:20]

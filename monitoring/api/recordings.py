"""/recordings: what was recorded, as far as the person may hear it. Hearing one is written down like in the portal."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from monitoring.api.answers import BadParameter, Moment, NotThere, Problem, amount, day
from monitoring.models.recordings import Recording, State
from monitoring.selectors.audience import board_rights
from monitoring.selectors.journal import Place
from monitoring.selectors.policy import policy
from monitoring.selectors.recordings import heard_by
from monitoring.sending import send, sound_of
from monitoring.services import recordings as hearing
from tenants.asker import person, zone_of
from tenants.people.api_access import Token, by
from tenants.people.models import Role, Scope, User
from tenants.people.roles import Verb, demand

router = Router(auth=by(Scope.RECORDINGS), tags=["recordings"])
PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem}


class RecordingOut(Schema):
    """``seconds``: how long; ``sha256`` and ``size`` of the file; ``state``: stored, or gone."""

    id: int
    call_id: int
    started: Moment
    seconds: float
    channels: int
    kind: str
    size: int
    sha256: str
    state: str


class RecordingPage(Schema):
    """Newest first. ``next``: cursor of the next page, null on the last."""

    items: list[RecordingOut]
    next: str | None


class RecordingFilters(Schema):
    """``call``: the id of one call."""

    call: int | None = None
    limit: int = 50
    cursor: str = ""


@router.get(
    "",
    response={200: RecordingPage, **PROBLEMS},
    summary="Recordings of calls",
    description="`from` and `to`: local days, both included; without them everything that is kept.",
    openapi_extra={
        "parameters": [
            {"in": "query", "name": name, "schema": {"type": "string", "format": "date"}, "required": False}
            for name in ("from", "to")
        ]
    },
)
def recordings(request: HttpRequest, filters: Query[RecordingFilters]) -> RecordingPage:
    demand(request, Verb.HEAR)
    size = amount(filters.limit)
    found = _period(request, _heard(person(request)))
    if filters.call is not None:
        found = found.filter(call=filters.call) if abs(filters.call) < 2**63 else found.none()
    if filters.cursor:
        place = Place.read(filters.cursor)
        if place is None:
            raise BadParameter("cursor", _("That is no cursor of ours. Take it from `next`."))
        found = found.filter(Q(started__lt=place.started) | Q(started=place.started, pk__lt=place.pk))
    rows = list(found.order_by("-started", "-pk")[: size + 1])
    last = str(Place(rows[size - 1].started, rows[size - 1].pk)) if len(rows) > size else None
    return RecordingPage(items=[_out(row) for row in rows[:size]], next=last)


@router.get("/{recording_id}", response={200: RecordingOut, **PROBLEMS}, summary="One recording")
def recording(request: HttpRequest, recording_id: int) -> RecordingOut:
    demand(request, Verb.HEAR)
    return _out(_one(request, recording_id))


@router.get(
    "/{recording_id}/audio",
    # No session: a page's way to the sound is a link that ends, and a foreign page must not start one.
    auth=Token(Scope.RECORDINGS),
    response={401: Problem, 403: Problem, 404: Problem},
    summary="The sound of a recording",
    description="Whole, or by `Range`. Whoever fetches it is written down as having heard it.",
    openapi_extra={
        "responses": {
            200: {"description": "The sound", "content": {"audio/mpeg": {}}},
            206: {"description": "The asked range of it", "content": {"audio/mpeg": {}}},
            416: {"description": "The range begins behind its end"},
        }
    },
)
def audio(request: HttpRequest, recording_id: int) -> HttpResponseBase:
    demand(request, Verb.HEAR)
    found = _one(request, recording_id)
    if not found.is_playable:
        raise NotThere
    try:
        answer = send(request, sound_of(found))
    except FileNotFoundError:
        raise NotThere from None
    # One entry however many ranges a program cuts it into, as for a link of the portal.
    window = int(timezone.now().timestamp() // hearing.LINK_LIVES.total_seconds())
    hearing.listening_began(user=person(request), recording=found, listening=f"api:{found.pk}:{window}")
    return answer


def _one(request: HttpRequest, pk: int) -> Recording:
    found = heard_by(person(request), pk) if abs(pk) < 2**63 else None
    if found is None or found.call_id is None:
        raise NotThere
    return found


def _heard(user: User) -> QuerySet[Recording]:
    kept = Recording.objects.filter(state__in=(State.STORED, State.GONE), call__isnull=False)
    if user.role == Role.MANAGER:
        own = kept.filter(call__legs__manager__user=user).distinct()
        return own if policy().managers_hear_own else kept.none()
    groups = board_rights(user)
    return kept if groups is None else kept.filter(call__groups__overlap=sorted(groups))


def _period(request: HttpRequest, found: QuerySet[Recording]) -> QuerySet[Recording]:
    zone = ZoneInfo(zone_of(request))
    if "from" in request.GET:
        found = found.filter(started__gte=datetime.combine(day(request, "from"), time(), zone))
    if "to" in request.GET:
        found = found.filter(
            started__lt=datetime.combine(day(request, "to") + timedelta(days=1), time(), zone)
        )
    return found


def _out(row: Recording) -> RecordingOut:
    return RecordingOut(
        id=row.pk, call_id=row.call_id or 0, started=row.started, seconds=row.seconds, channels=row.channels,
        kind=row.kind, size=row.size, sha256=row.sha256, state=row.state,
    )  # fmt: skip

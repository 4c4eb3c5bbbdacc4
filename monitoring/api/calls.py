"""/calls: the journal and one call's whole route, as the person may see them."""

from __future__ import annotations

from typing import Any, Literal

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from monitoring.api.answers import BadParameter, Moment, NotThere, Problem, amount
from monitoring.models.calls import Call, QueueVisit
from monitoring.selectors.journal import Place, page, reach_of
from monitoring.selectors.journal_question import parse
from tenants.asker import person, zone_of
from tenants.people.api_access import by
from tenants.people.models import Scope
from tenants.people.roles import Verb, can, demand

router = Router(auth=by(Scope.CALLS), tags=["calls"])
PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 503: Problem}


class CallOut(Schema):
    """``customer``: digits of E.164. ``wait``, ``talk``: seconds, sums over queues and people. ``groups``: ids."""

    id: int
    key: str
    direction: str
    number: str
    customer: str
    name: str
    line: str
    started: Moment
    answered: Moment | None
    ended: Moment | None
    disposition: str
    hung_up_by: str
    wait: float
    talk: float
    recorded: bool
    reconciled: bool
    groups: list[int]


class LegOut(Schema):
    """One manager's channel. ``talk_spans``, ``hold_spans``: [from, until] in epoch seconds."""

    manager: str
    manager_id: int | None
    queue: str
    rang: Moment
    answered: Moment | None
    ended: Moment | None
    outcome: str
    available: bool
    placed: bool
    talk: float
    hold: float
    wrap_up: float
    talk_spans: list[list[float | None]]
    hold_spans: list[list[float | None]]


class VisitOut(Schema):
    """One stay in a queue, with the limits of that moment, seconds."""

    queue: str
    queue_id: int | None
    joined: Moment
    left: Moment | None
    outcome: str
    reason: str
    manager: str
    wait: float
    answer_within: float
    short_abandon: float


class StepOut(Schema):
    kind: str
    what: str
    at: Moment
    until: Moment | None
    note: str


class WholeCallOut(CallOut):
    legs: list[LegOut]
    visits: list[VisitOut]
    steps: list[StepOut]


class CallPage(Schema):
    """Newest first. ``next``: cursor of the next page, null on the last."""

    items: list[CallOut]
    next: str | None


class CallFilters(Schema):
    """Days are local to the company, both included; ids are those of /directory; ``number`` is any part of one."""

    period: Literal["", "today", "yesterday", "week", "month"] = ""
    direction: Literal["", "in", "out", "internal"] = ""
    outcome: str = ""
    line: str = ""
    queue: str = ""
    group: str = ""
    manager: str = ""
    number: str = ""
    min_wait: str = ""
    min_talk: str = ""
    lost: Literal["", "open"] = ""
    recorded: Literal["", "1"] = ""
    marked: Literal["", "1"] = ""
    limit: int = 50
    cursor: str = ""


@router.get(
    "",
    response={200: CallPage, **PROBLEMS},
    summary="Calls",
    description="The journal: filters as in the portal, `from` and `to` as days (2026-03-31), pages by `cursor`.",
    openapi_extra={
        "parameters": [
            {"in": "query", "name": name, "schema": {"type": "string", "format": "date"}, "required": False}
            for name in ("from", "to")
        ]
    },
)
def calls(request: HttpRequest, filters: Query[CallFilters]) -> CallPage:
    demand(request, Verb.SEE_HISTORY)
    size = amount(filters.limit)
    after = Place.read(filters.cursor) if filters.cursor else None
    if filters.cursor and after is None:
        raise BadParameter("cursor", _("That is no cursor of ours. Take it from `next`."))
    wanted = parse(request.GET, zone=zone_of(request), now=timezone.now())
    found = page(wanted, reach_of(person(request)), after=after, size=size)
    last = str(Place.of(found.calls[-1])) if found.older and found.calls else None
    return CallPage(items=[CallOut(**_call(call)) for call in found.calls], next=last)


@router.get("/{call_id}", response={200: WholeCallOut, **PROBLEMS}, summary="One call with its route")
def call(request: HttpRequest, call_id: int) -> WholeCallOut:
    demand(request, Verb.SEE_HISTORY)
    found = Call.objects.exclude(disposition="merged").filter(pk=call_id).first() if call_id < 2**63 else None
    if found is None or not can(request.user, Verb.SEE_HISTORY, found):
        raise NotThere
    prefetch_related_objects([found], "legs", "steps")
    return WholeCallOut(
        **_call(found),
        legs=[
            LegOut(
                manager=leg.manager_name, manager_id=leg.manager_id, queue=leg.queue_name, rang=leg.rang,
                answered=leg.answered, ended=leg.ended, outcome=leg.outcome, available=leg.available,
                placed=leg.origin, talk=leg.talk_seconds, hold=leg.hold_seconds, wrap_up=leg.wrap_up_seconds,
                talk_spans=leg.talk, hold_spans=leg.hold,
            )
            for leg in found.legs.all()
        ],
        visits=[
            VisitOut(
                queue=visit.queue_name, queue_id=visit.queue_id, joined=visit.joined, left=visit.left,
                outcome=visit.outcome, reason=visit.reason, manager=visit.manager_name, wait=visit.wait,
                answer_within=visit.answer_within, short_abandon=visit.short_abandon,
            )
            for visit in QueueVisit.objects.filter(call_key=found.key).order_by("joined", "pk")
        ],
        steps=[
            StepOut(kind=step.kind, what=step.what, at=step.at, until=step.until, note=step.note)
            for step in found.steps.all()
        ],
    )  # fmt: skip


def _call(call: Call) -> dict[str, Any]:
    return {
        "id": call.pk,
        "key": call.key,
        "direction": call.direction,
        "number": call.number,
        "customer": call.customer,
        "name": call.name,
        "line": call.line,
        "started": call.started,
        "answered": call.answered,
        "ended": call.ended,
        "disposition": call.disposition,
        "hung_up_by": call.hung_up_by,
        "wait": call.wait_seconds,
        "talk": call.talk_seconds,
        "recorded": call.recorded,
        "reconciled": call.reconciled,
        "groups": call.groups,
    }

"""/lost: callers nobody answered, whose turn it is to call them back, and a way to say that it is settled."""

from __future__ import annotations

from typing import Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from monitoring.api.answers import BadParameter, Moment, NotThere, Problem, amount
from monitoring.models.lost import LostCall, LostState, Reason
from monitoring.models.text import visible
from monitoring.selectors.audience import board_rights
from monitoring.selectors.journal import Place
from monitoring.services import lost as service
from tenants.asker import person
from tenants.people.api_access import by
from tenants.people.models import Role, Scope, User
from tenants.people.roles import Verb, can, demand

router = Router(auth=by(Scope.LOST), tags=["lost calls"])
PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 409: Problem}


class LostOut(Schema):
    """One customer's case: ``tries`` lost calls, called back once. ``in_time``: by the deadline, null while open."""

    id: int
    call_id: int
    call_key: str
    number: str
    customer: str
    line: str
    queue_id: int | None
    groups: list[int]
    lost_at: Moment
    deadline: Moment
    tries: int
    excuse: str
    owner_id: int | None
    state: str
    closed_at: Moment | None
    closing_call_id: int | None
    in_time: bool | None
    reason: str
    note: str


class LostPage(Schema):
    """Latest lost first. ``next``: cursor of the next page, null on the last."""

    items: list[LostOut]
    next: str | None


class LostFilters(Schema):
    """``owner``: a manager's id; ``state``: see the field of the answer."""

    state: Literal["", "open", "called_back", "answered_later", "closed", "not_needed"] = ""
    owner: int | None = None
    limit: int = 50
    cursor: str = ""


class Closing(Schema):
    reason: Literal["written", "unreachable", "wrong", "spam", "other"]
    note: str = ""


@router.get("", response={200: LostPage, **PROBLEMS}, summary="Lost calls")
def lost(request: HttpRequest, filters: Query[LostFilters]) -> LostPage:
    demand(request, Verb.SEE_HISTORY)
    size = amount(filters.limit)
    found = _seen(person(request)).filter(tries__gt=0)
    if filters.state:
        found = found.filter(state=filters.state)
    if filters.owner is not None:
        found = found.filter(owner=filters.owner) if abs(filters.owner) < 2**31 else found.none()
    if filters.cursor:
        place = Place.read(filters.cursor)
        if place is None:
            raise BadParameter("cursor", _("That is no cursor of ours. Take it from `next`."))
        found = found.filter(Q(lost_at__lt=place.started) | Q(lost_at=place.started, pk__lt=place.pk))
    rows = list(found.order_by("-lost_at", "-pk")[: size + 1])
    last = str(Place(rows[size - 1].lost_at, rows[size - 1].pk)) if len(rows) > size else None
    return LostPage(items=[_out(row) for row in rows[:size]], next=last)


@router.post(
    "/{lost_id}/close", response={200: LostOut, **PROBLEMS}, summary="Settle a lost call without a call"
)
def close(request: HttpRequest, lost_id: int, closing: Closing) -> LostOut:
    demand(request, Verb.SEE_HISTORY)
    row = _seen(person(request)).filter(pk=lost_id).first() if lost_id < 2**63 else None
    if row is None or not can(request.user, Verb.CLOSE_LOST, row):
        raise NotThere
    service.close(actor=person(request), lost=row, reason=Reason(closing.reason), note=visible(closing.note, 200))
    row.refresh_from_db()
    return _out(row)


def _seen(user: User) -> QuerySet[LostCall]:
    if user.role == Role.MANAGER:
        return LostCall.objects.filter(owner__user=user)
    groups = board_rights(user)
    return (
        LostCall.objects.all() if groups is None else LostCall.objects.filter(groups__overlap=sorted(groups))
    )


def _out(row: LostCall) -> LostOut:
    return LostOut(
        id=row.pk, call_id=row.call_id, call_key=row.call_key, number=row.number, customer=row.customer,
        line=row.line, queue_id=row.queue_id, groups=row.groups, lost_at=row.lost_at, deadline=row.deadline,
        tries=row.tries, excuse=row.excuse, owner_id=row.owner_id, state=LostState(row.state).value,
        closed_at=row.closed_at, closing_call_id=row.closing_call_id, in_time=row.in_time, reason=row.reason,
        note=row.note,
    )  # fmt: skip

"""Deviations as a page tells them: a sentence, how far, and the way to the calls and to the person's own report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from monitoring.domain.statistics import Scope
from monitoring.models.calls import Call
from monitoring.models.phones import shown as shown_number
from monitoring.selectors.deviations import Deviation, sentence
from monitoring.selectors.reports.ask import Ask
from monitoring.selectors.reports.wording import moment, shown, title_of

SHOWN_CALLS = 8


@dataclass(frozen=True, slots=True)
class ToldCall:
    id: int
    when: str
    number: str


@dataclass(frozen=True, slots=True)
class Told:
    """``value_at``, ``usual_at``: places on a scale of a hundred. ``size``: how many robust scales away, in words."""

    sentence: str
    tone: str
    size: str
    value: str
    usual: str
    value_at: float
    usual_at: float
    metric: str
    when: str
    calls: tuple[ToldCall, ...]
    journal: str
    own: str


def title() -> str:
    return _("Deviations")


def told(found: Iterable[Deviation], ask: Ask) -> list[Told]:
    listed = list(found)
    wanted = {pk for one in listed for pk in one.calls[:SHOWN_CALLS]}
    rows = Call.objects.filter(pk__in=wanted)
    if ask.groups is not None:
        rows = rows.filter(groups__overlap=sorted(ask.groups))
    calls = {
        call.pk: ToldCall(
            call.pk, moment(call.started.timestamp(), ask.zone), shown_number(call.customer) or _("number withheld")
        )
        for call in rows
    }  # fmt: skip
    return [_told(one, ask, calls) for one in listed]


def _told(one: Deviation, ask: Ask, calls: dict[int, ToldCall]) -> Told:
    most = max(one.value, one.usual) or 1.0
    unit = one.metric.unit
    when = moment(one.at, ask.zone) if one.at is not None else ""
    return Told(
        sentence(one), "alarm" if one.bad else "good", _size(one), shown(one.value, unit), shown(one.usual, unit),
        round(one.value / most * 100, 1), round(one.usual / most * 100, 1), title_of(one.metric), when,
        tuple(calls[pk] for pk in one.calls[:SHOWN_CALLS] if pk in calls), _journal(one, ask),
        "" if one.manager is None else ask.narrowed(Scope("manager", str(one.manager))).query(),
    )  # fmt: skip


def _size(one: Deviation) -> str:
    """The robust distance in words: nobody should need to know what a median absolute deviation is."""
    if abs(one.z) >= 8:
        return _("very far from the usual")
    return _("far from the usual") if abs(one.z) >= 5 else _("outside the usual")


def _journal(one: Deviation, ask: Ask) -> str:
    """The journal's filter for the period and whoever it is about."""
    given = {"from": ask.first.isoformat(), "to": ask.last.isoformat()}
    if one.at is not None:
        day = datetime.fromtimestamp(one.at, ZoneInfo(ask.own_zone)).date()
        last = (datetime.fromtimestamp(one.at, ZoneInfo(ask.own_zone)) + timedelta(hours=1)).date()
        given = {"from": day.isoformat(), "to": last.isoformat()}
    if one.manager is not None:
        given["manager"] = str(one.manager)
    elif ask.scope.kind in ("queue", "line", "group"):
        given[ask.scope.kind] = ask.scope.key
    return urlencode(given)

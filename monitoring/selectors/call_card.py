"""One call with everything known of it: its clocks apart, each person's part, stays in queues, what was not seen.

Times are datetimes in UTC, durations seconds. Whom the call may be shown to is the asker's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from monitoring.models.audit import AuditEntry
from monitoring.models.calls import Call, Leg, QueueVisit, Step
from monitoring.models.notes import CallMark, Mark, Note
from monitoring.models.people import Manager
from monitoring.models.phones import shown
from monitoring.models.quality import BlindWindow
from monitoring.models.queues import Queue
from monitoring.selectors.journal import Reach, calls_of
from monitoring.selectors.journal_rows import Row, line_titles, rows
from monitoring.selectors.policy import policy

OTHERS = 10
_HEARINGS = ("recording.hear", "recording.download")
_CLOCKS = timedelta(hours=1)  # what the PBX's clock may be ahead of ours


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds. ``ring``: while any phone rang, also within a queue's wait; the others do not overlap it or each other
    except where two people talked at once."""

    ivr: float
    wait: float
    ring: float
    talk: float
    hold: float
    wrap_up: float


@dataclass(frozen=True, slots=True)
class Part:
    """One person's share of the call."""

    name: str
    leg: Leg
    ring: float


@dataclass(frozen=True, slots=True)
class Stop:
    """``what``: name instead of key; ``by``: who transferred, for a transfer. ``seconds`` None for a moment."""

    kind: str
    what: str
    key: str
    at: datetime
    until: datetime | None
    note: str
    by: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    call: Call
    row: Row
    hung_up_by: str
    clocks: Clocks
    parts: list[Part]
    visits: list[QueueVisit]
    stops: list[Stop]
    others: list[Row]
    notes: list[Note]
    marks: list[tuple[Mark, bool]]
    listened: list[AuditEntry]
    gaps: list[BlindWindow]


def card(call: Call, reach: Reach) -> Card:
    """``reach``: the asker's, for the customer's other calls."""
    legs = list(Leg.objects.filter(call=call).select_related("manager"))
    visits = list(QueueVisit.objects.filter(call_key=call.key).select_related("queue"))
    steps = list(Step.objects.filter(call=call).order_by("position"))
    names = _names(call, legs, visits, steps)
    return Card(
        call=call,
        row=rows([call])[0],
        hung_up_by=names.get(call.hung_up_by, call.hung_up_by),
        clocks=_clocks(legs, visits, steps),
        parts=[Part(names.get(leg.manager_name, leg.manager_name), leg, _rang(leg)) for leg in legs],
        visits=visits,
        stops=[_stop(step, names) for step in steps],
        others=_others(call, reach),
        notes=notes_of(call),
        marks=marks_of(call),
        listened=_listened(call),
        gaps=_gaps(call),
    )


def notes_of(call: Call) -> list[Note]:
    """Also those taken back, so that their author can put them back."""
    return list(Note.objects.filter(call=call).select_related("author"))


def marks_of(call: Call) -> list[tuple[Mark, bool]]:
    """Every mark in use, and whether the call has it; one out of use that it still has too."""
    on = set(CallMark.objects.filter(call=call).values_list("mark_id", flat=True))
    known = Mark.objects.filter(Q(archived_at__isnull=True) | Q(pk__in=on))
    return [(mark, mark.pk in on) for mark in known]


def timeline(made: Card) -> dict[str, Any]:
    """The route as the browser's component takes it, for a live call too: epoch seconds, names beside keys."""
    call = made.call
    wraps = [
        {"who": part.name, "at": part.leg.ended.timestamp(), "until": part.leg.ended.timestamp() + seconds}
        for part in made.parts
        if part.leg.ended is not None and (seconds := part.leg.wrap_up_seconds) >= 1
    ]
    return {
        "started": call.started.timestamp(),
        "ended": call.ended.timestamp() if call.ended else None,
        "hungUpBy": made.hung_up_by if call.hung_up_by != "customer" else "",
        "byCustomer": call.hung_up_by == "customer",
        "wraps": wraps,
        "steps": [
            {
                "kind": stop.kind,
                "what": stop.key,
                "title": stop.what,
                "at": stop.at.timestamp(),
                "until": stop.until.timestamp() if stop.until else None,
                "note": stop.note,
            }
            for stop in made.stops
        ],
    }


def _names(
    call: Call, legs: Iterable[Leg], visits: Iterable[QueueVisit], steps: Iterable[Step]
) -> dict[str, str]:
    """Key on the PBX → title. The call's own rows first: a name may have gone to somebody else since."""
    keys = {step.what for step in steps} | {call.hung_up_by} | {step.note.partition(":")[2] for step in steps}
    known: dict[str, str] = line_titles(keys)
    for rows_of in (Queue, Manager):
        found = rows_of.objects.filter(pbx_name__in=keys).order_by("-archived_at")
        known |= dict(found.values_list("pbx_name", "title"))
    known |= {visit.queue_name: visit.queue.title for visit in visits if visit.queue is not None}
    return known | {leg.manager_name: leg.manager.title for leg in legs if leg.manager is not None}


def _stop(step: Step, names: dict[str, str]) -> Stop:
    note, _, by = step.note.partition(":")
    what = names.get(step.what, step.what)
    if step.kind == "dial":
        what = shown(step.what, policy().region)
    if step.kind == "ivr":  # the PBX's own word for its menu says nothing to the company
        what = names.get(step.what, "")
    moment = step.until is None or step.until == step.at
    return Stop(
        kind=step.kind,
        what=what,
        key=step.what,
        at=step.at,
        until=step.until,
        note=note if step.kind == "transfer" else step.note,
        by=names.get(by, by) if step.kind == "transfer" else "",
        seconds=None if moment or step.until is None else (step.until - step.at).total_seconds(),
    )


def _clocks(legs: list[Leg], visits: list[QueueVisit], steps: list[Step]) -> Clocks:
    return Clocks(
        ivr=_covered(_of_kind(steps, "ivr")),
        wait=sum(visit.wait for visit in visits if visit.outcome != "open"),
        ring=_covered(_of_kind(steps, "ring")),
        talk=_covered(span for leg in legs for span in _spans(leg.talk)),
        hold=_covered(span for leg in legs for span in _spans(leg.hold)),
        wrap_up=sum(leg.wrap_up_seconds for leg in legs),
    )


def _of_kind(steps: Iterable[Step], kind: str) -> list[tuple[float, float]]:
    return [(s.at.timestamp(), s.until.timestamp()) for s in steps if s.kind == kind and s.until is not None]


def _spans(kept: object) -> list[tuple[float, float]]:
    if not isinstance(kept, list):
        return []
    pairs = [pair for pair in kept if isinstance(pair, list) and len(pair) == 2 and pair[1] is not None]
    return [(float(start), float(end)) for start, end in pairs]


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union: two phones ringing at once ring once for the customer."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _rang(leg: Leg) -> float:
    until = leg.answered or leg.ended
    return 0.0 if leg.origin or until is None else max(0.0, (until - leg.rang).total_seconds())


def _others(call: Call, reach: Reach) -> list[Row]:
    if not call.customer:
        return []
    found = calls_of(call.customer, reach).exclude(pk=call.pk).order_by("-started", "-pk")[:OTHERS]
    return rows(list(found), signs=False)


def _listened(call: Call) -> list[AuditEntry]:
    """Who listened in while it lasted, told by the PBX, and who heard its recordings, told by the portal."""
    live = Q(kind="call", what=call.key, verb="listen")
    later = Q(kind="recording", details__call=call.pk, verb__in=_HEARINGS, outcome="done")
    # Nobody hears a call before it began: the log of years is not read for a call of today.
    found = AuditEntry.objects.filter(live | later, at__gte=call.started - _CLOCKS)
    return list(found.order_by("at", "pk")[:100])


def _gaps(call: Call) -> list[BlindWindow]:
    until = call.ended or datetime.now(UTC)
    windows = BlindWindow.objects.filter(Q(ended__isnull=True) | Q(ended__gt=call.started), began__lt=until)
    return list(windows.filter(pbx=call.pbx).order_by("began"))

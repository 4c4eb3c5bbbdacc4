"""A company's random past for statistics' tests, and a slow reading of it by plain arithmetic to compare with.

The oracle knows nothing of the engine: it walks over every row, one after the other, in Python.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from monitoring.models import Call, Group, Leg, Manager, Queue, QueueVisit, Status, StatusInterval
from monitoring.models.lost import LostCall
from monitoring.models.presence import AutoInterval
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager

MINUTE = 60.0
LINES = ("78005550001", "78005550002")
DISPOSITIONS = ("answered", "answered", "abandoned", "no_answer", "busy", "interrupted", "merged")


@dataclass
class Past:
    """The rows of a random past, as they were written."""

    slug: str
    begin: float
    end: float
    queues: list[Queue]
    managers: list[Manager]
    groups: list[Group]
    visits: list[QueueVisit] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    statuses: list[StatusInterval] = field(default_factory=list)
    automatic: list[AutoInterval] = field(default_factory=list)
    lost: list[LostCall] = field(default_factory=list)


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def make_past(staff: Staff, slug: str, *, seed: int, begin: float, end: float, calls: int = 60) -> Past:
    """Call it outside every scope."""
    luck = random.Random(seed)
    with company_scope(slug):
        both = make_manager(staff.pbx, f"1{seed % 90 + 10}", "Обе", staff.sales, staff.support)
        second = Queue.objects.create(
            name="help", title="Помощь", extension="802", pbx=staff.pbx, pbx_name=f"{slug}_help"
        )
        second.groups.add(staff.sales, staff.support)
        past = Past(
            slug, begin, end, [staff.queue, second], [staff.anna, staff.boris, both],
            [staff.sales, staff.support],
        )  # fmt: skip
        _people(past, luck)
        for number in range(calls):
            _call(past, staff, luck, number, seed)
        _write(past)
    return past


def _groups_of(past: Past, row: Any) -> list[int]:
    return sorted(row.groups.values_list("pk", flat=True))


def _people(past: Past, luck: random.Random) -> None:
    known = list(Status.objects.live())
    for manager in past.managers:
        groups = _groups_of(past, manager)
        at = past.begin - luck.uniform(0, 3 * 86_400)
        while at < past.end:
            until = at + luck.choice(
                (luck.uniform(0, 40), luck.uniform(60, 14_400), luck.uniform(3600, 90_000))
            )
            past.statuses.append(
                StatusInterval(
                    manager=manager, status=luck.choice(known), started=moment(at),
                    ended=None if until > past.end else moment(until), source="portal",
                    groups=groups if luck.random() < 0.9 else groups[:1],
                )
            )  # fmt: skip
            at = until
        for kind in ("unregistered", "missing_calls", "wrap_up"):
            at = past.begin - luck.uniform(0, 7200)
            while (at := at + luck.uniform(1800, 40_000)) < past.end:
                until = at + luck.uniform(1, 9000)
                past.automatic.append(
                    AutoInterval(
                        manager=manager, kind=kind, started=moment(at),
                        ended=None if until > past.end else moment(until), groups=groups,
                    )
                )  # fmt: skip
                at = until


def _call(past: Past, staff: Staff, luck: random.Random, number: int, seed: int) -> None:
    started = luck.uniform(past.begin - 3600, past.end)
    if luck.random() < 0.2:
        started = started // 1800 * 1800  # on the bound itself
    ended = started + luck.choice((luck.uniform(1, 300), luck.uniform(300, 9000)))
    direction = luck.choice(("in", "in", "in", "out", "internal"))
    call = Call(
        key=f"{staff.pbx.pk}:{seed}.{number}", pbx=str(staff.pbx.pk), direction=direction, number="+74951234567",
        name="", line=luck.choice(LINES) if direction == "in" else "", started=moment(started),
        answered=moment(started + 1) if luck.random() < 0.5 else None,
        ended=None if luck.random() < 0.05 else moment(ended), disposition=luck.choice(DISPOSITIONS),
        hung_up_by="customer", revision=ended,
    )  # fmt: skip
    groups: set[int] = set()
    at = started
    for _visit in range(luck.choice((0, 1, 1, 2)) if direction == "in" else 0):
        queue = luck.choice([*past.queues, None])
        wait = luck.choice((luck.uniform(0, 12), luck.uniform(0, 700), float(luck.choice((5, 10, 20, 600)))))
        outcome = luck.choice(("answered", "answered", "abandoned", "flow-out", "interrupted", "open"))
        members = _groups_of(past, queue) if queue else []
        groups.update(members)
        past.visits.append(
            QueueVisit(
                pbx=call.pbx, uniqueid=f"{seed}.{number}.{_visit}", call_key=call.key, queue=queue,
                queue_name=queue.pbx_name if queue else "unknown", joined=moment(at),
                left=None if outcome == "open" else moment(at + wait), outcome=outcome, wait=wait, position=1,
                answer_within=luck.choice((10.0, 20.0)), short_abandon=5.0, line=call.line, groups=members,
            )
        )  # fmt: skip
        at += wait
    for _leg in range(luck.choice((0, 1, 1, 2))):
        manager = luck.choice([*past.managers, None])
        members = _groups_of(past, manager) if manager else []
        if manager and luck.random() < 0.15:
            members = members[-1:]
        groups.update(members)
        past.legs.append(_leg_of(past, call, manager, members, luck, started, ended, _leg))
    call.groups = sorted(groups)
    past.calls.append(call)
    if (
        call.ended is not None
        and direction == "in"
        and call.disposition in ("abandoned", "no_answer", "busy")
    ):
        state = luck.choice(("open", "called_back", "answered_later", "closed", "not_needed"))
        past.lost.append(
            LostCall(
                call=call, call_key=call.key, case_key=call.key, line=call.line, queue=luck.choice(past.queues),
                groups=call.groups, lost_at=call.ended, deadline=call.ended, state=state,
                in_time=luck.choice((True, False)) if state not in ("open", "not_needed") else None,
            )
        )  # fmt: skip


def _leg_of(
    past: Past, call: Call, manager: Manager | None, groups: list[int], luck: random.Random, begin: float,
    end: float, number: int,
) -> Leg:  # fmt: skip
    rang = luck.uniform(begin, end)
    cuts = sorted(luck.uniform(rang, end) for _ in range(6))
    talk = [(cuts[0], cuts[1]), (cuts[2], cuts[3])] if luck.random() < 0.7 else []
    hold = [(cuts[1], cuts[2])] if talk and luck.random() < 0.3 else []
    wrap = luck.choice((0.0, 0.0, luck.uniform(1, 90)))
    open_ = call.ended is None
    queue = luck.choice([*past.queues, None])
    return Leg(
        call=call, uniqueid=f"{call.key}-{number}", manager=manager,
        manager_name=manager.pbx_name if manager else "unknown", queue_name=queue.pbx_name if queue else "",
        rang=moment(rang), answered=moment(cuts[0]) if talk or luck.random() < 0.2 else None,
        ended=None if open_ else moment(end), booked=None if open_ else moment(end + wrap),
        outcome=luck.choice(("answered", "missed", "cancelled", "busy")), available=luck.random() < 0.7,
        origin=luck.random() < 0.4, talk=[list(span) for span in talk], hold=[list(span) for span in hold],
        talk_seconds=sum(b - a for a, b in talk), hold_seconds=sum(b - a for a, b in hold),
        wrap_up_seconds=wrap, groups=groups,
    )  # fmt: skip


def _write(past: Past) -> None:
    Call.objects.bulk_create(past.calls)
    Leg.objects.bulk_create(past.legs)
    QueueVisit.objects.bulk_create(past.visits)
    StatusInterval.objects.bulk_create(past.statuses)
    AutoInterval.objects.bulk_create(past.automatic)
    LostCall.objects.bulk_create(past.lost)

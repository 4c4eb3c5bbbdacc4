"""Stores the believable past the way a collector would: facts through ``services.ingest``, statuses as declared.

Written twice it is written once: keys come from the day, and a manager's statuses only fill the time before the
first there is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from ccenter.demo.past import habits
from ccenter.demo.past.day import MADE_UP, Day, PastCompany, PastLine, PastQueue
from ccenter.demo.past.shift import Labels, Stretch, day_of, joined
from monitoring.domain.facts import Fact
from monitoring.domain.intervals import day_bounds, local_day
from monitoring.models import Line, Manager, Queue, Status, StatusInterval, Supervisor
from monitoring.models.calls import Call
from monitoring.models.lost import LostCall, LostState, Reason
from monitoring.models.queues import Strategy
from monitoring.models.statuses import Source, StatusKind
from monitoring.services import ingest, lost
from tenants.models import Company
from tenants.scope import company_scope

BATCH = 2000  # facts a transaction
Told = Callable[[int, int], None]
"""Called with days done and days in all."""


class NothingToFill(RuntimeError):
    """The company has nobody who could have taken calls."""


def write(slug: str, *, days: int, told: Told = lambda done, of: None, missing: bool = False) -> int:
    """Fill the ``days`` before today (company's time); returns how many calls there are then.

    ``missing``: only from the last day on that was filled before. Call it outside every scope. Raises NothingToFill.
    """
    zone = Company.objects.values_list("time_zone", flat=True).get(schema_name=slug)
    with company_scope(slug):
        company = _company(slug)
        today = local_day(timezone.now().timestamp(), zone)
        wanted = [today - timedelta(days=ago) for ago in range(days, 0, -1)]
        if missing and (last := _last_filled(zone)) is not None:
            # That day again: whoever filled it may have been stopped in its middle.
            wanted = [day for day in wanted if day >= last] if last < wanted[-1] else []
        shifts = _shifts(company, wanted, zone)
        _declare(shifts, before=day_bounds(today, zone)[0])
        for done, day in enumerate(wanted, start=1):
            start, end = day_bounds(day, zone)
            present = {name: by_day[day] for name, by_day in shifts.items()}
            played = Day(company, day, start=start, end=end, days_ago=(today - day).days, shifts=present)
            for batch in _batches(played.facts()):
                ingest.store(company.pbx, batch)
            told(done, len(wanted))
        if wanted:
            _settle_old(before=day_bounds(wanted[-1], zone)[0])
        return Call.objects.count()


def _last_filled(zone: str) -> date | None:
    """The latest day that has calls of ours; in the company's scope."""
    latest = Call.objects.filter(key__contains=MADE_UP).order_by("-started").first()
    return None if latest is None else local_day(latest.started.timestamp(), zone)


def _company(slug: str) -> PastCompany:
    managers = list(Manager.objects.live().order_by("extension"))
    queues = {queue.pbx_name: _queue(queue) for queue in Queue.objects.live().order_by("pk")}
    lines = tuple(
        line
        for row in Line.objects.live().select_related("queue", "manager")
        if (line := _line(row, [*queues]))
    )
    if not managers or not lines:
        raise NothingToFill(f"{slug} has no managers or no lines yet; enter them first.")
    names = tuple(manager.pbx_name for manager in managers)
    return PastCompany(
        slug=slug,
        pbx=str(managers[0].pbx_id),
        managers=names,
        queues=queues,
        lines=tuple(replace(line, weight=line.weight * (1 + len(line.queues))) for line in lines),
        customers=habits.customers(slug, amount=400 * len(names)),
        available=_labels().available,
        troubled=names[min(10, len(names) - 1)],
    )


def _queue(row: Queue) -> PastQueue:
    members = tuple(sorted(manager.pbx_name for manager in row.members()))
    return PastQueue(
        row.pbx_name, members, row.strategy == Strategy.RINGALL, float(row.ring_for), float(row.max_wait),
        float(row.answer_within), float(row.short_abandon),
    )  # fmt: skip


def _line(row: Line, queues: Sequence[str]) -> PastLine | None:
    if row.menu:
        return PastLine(row.number, tuple(queues[:2]), "", True, 1.5)
    if row.queue is not None:
        return PastLine(row.number, (row.queue.pbx_name,), "", False, 1.0)
    return PastLine(row.number, (), row.manager.pbx_name, False, 0.3) if row.manager is not None else None


def _labels() -> Labels:
    by_kind: dict[str, list[int]] = {kind: [] for kind in StatusKind.values}
    for status in Status.objects.live():
        by_kind[status.kind].append(status.pk)
    available = by_kind[StatusKind.AVAILABLE][0]
    away = by_kind[StatusKind.AWAY] or by_kind[StatusKind.BREAK] or [available]
    return Labels(available, tuple(by_kind[StatusKind.BREAK] or away), away[0])


def _shifts(company: PastCompany, days: Sequence[date], zone: str) -> dict[str, dict[date, list[Stretch]]]:
    labels = _labels()
    found: dict[str, dict[date, list[Stretch]]] = {name: {} for name in company.managers}
    for day in days:
        start, end = day_bounds(day, zone)
        for place, name in enumerate(company.managers):
            luck = random.Random(f"{company.slug} {name} {day.isoformat()}")
            found[name][day] = day_of(
                labels, start=start, end=end, weekday=day.weekday(), place=place, luck=luck
            )
    return found


def _declare(shifts: dict[str, dict[date, list[Stretch]]], *, before: float) -> None:
    """Statuses of the past, where a manager has none yet; the last ends at the manager's first real one."""
    with transaction.atomic():
        rows: list[StatusInterval] = []
        people = Manager.objects.live().annotate(first=Min("intervals__started")).prefetch_related("groups")
        for manager in people:
            known = manager.first.timestamp() if manager.first is not None else before
            if known < before:
                continue  # has a past of its own
            groups = sorted(group.pk for group in manager.groups.all())
            chain = joined([shifts[manager.pbx_name][day] for day in sorted(shifts[manager.pbx_name])])
            if chain and known > before:
                chain[-1] = (chain[-1][0], known, chain[-1][2])
            rows += [
                StatusInterval(
                    manager=manager, status_id=status, started=_moment(begin), ended=_moment(end),
                    source=Source.PORTAL, actor_id=manager.user_id, groups=groups,
                )
                for begin, end, status in chain
            ]  # fmt: skip
        StatusInterval.objects.bulk_create(rows, batch_size=2000)


def _settle_old(*, before: float) -> None:
    """Nobody leaves lost callers open for months: what nobody called back was closed by a supervisor with a reason."""
    heads = list(Supervisor.objects.order_by("pk").values_list("user_id", flat=True))
    luck = random.Random("settled")
    left = list(LostCall.objects.filter(state=LostState.OPEN, lost_at__lt=_moment(before)).order_by("pk"))
    for row in left if heads else ():
        row.dismissed_at = row.lost_at + timedelta(hours=luck.uniform(2, 30))
        row.closed_by_id = luck.choice(heads)
        row.reason = luck.choice(
            (Reason.UNREACHABLE, Reason.UNREACHABLE, Reason.WRITTEN, Reason.WRONG, Reason.SPAM)
        )
    LostCall.objects.bulk_update(left, ["dismissed_at", "closed_by", "reason"], batch_size=1000)
    for chunk in (left[place : place + 1000] for place in range(0, len(left), 1000)):
        with transaction.atomic():
            lost.settle(call_ids=[row.call_id for row in chunk])


def _batches(facts: Iterator[Fact]) -> Iterator[list[Fact]]:
    while batch := list(islice(facts, BATCH)):
        yield batch


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

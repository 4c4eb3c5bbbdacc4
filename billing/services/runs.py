"""A month billed for everybody: who is in it, how far it has come, what could not be done and why.

Every subscription is an item of its own, worked by one task in one transaction: done twice, by eight at once, or
killed before its commit, it leaves one draft. The rows say what is left to do; a queue that is lost loses nothing.
"""

from __future__ import annotations

import logging
import time
from datetime import date, datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.domain.periods import Period, midnight, month_of, preceding
from billing.models import (
    BillingRun,
    Invoice,
    InvoiceState,
    ItemState,
    ReviewKind,
    RunItem,
    RunState,
    Subscription,
)
from billing.selectors.subscriptions import in_month
from billing.services import acts, review
from billing.services.acts import TIMETABLE, Who
from billing.services.errors import BillingError, NotNow, NotThere
from billing.services.rating import Outcome, before, draft, preview
from tenants.scope import ScopeError

logger = logging.getLogger(__name__)

ALIVE = (RunState.WAITING, RunState.WORKING)
ATTEMPTS = 5  # an item whose worker dies each time must not take every worker with it
STUCK = timedelta(minutes=2)  # without progress: its tasks were lost with a queue or a worker
EAST = timedelta(hours=14)  # ahead of UTC, at most


def start(*, who: Who, month: date, dry: bool = False, now: datetime) -> BillingRun:
    """A run of the month ``month`` is in. One that is still being worked is returned instead of a second.

    ``dry``: previews alone, also of a month that goes on. Raises NotNow: the month is not over everywhere.
    """
    period = month_of(month, "UTC")
    with transaction.atomic():
        _one_at_a_time()
        alive = BillingRun.objects.filter(period_start=period.start, dry=dry, state__in=ALIVE).first()
        if alive is not None:
            return alive
        subscriptions = in_month(period.start)
        if subscriptions and not dry:
            _refuse_unless_over(period, subscriptions, now)
        run = BillingRun.objects.create(period_start=period.start, dry=dry, asked_by=who.name)
        run.asked_at = now
        if not subscriptions:
            run.state, run.ended_at = RunState.DONE, now
        run.save(update_fields=["asked_at", "state", "ended_at"])
        RunItem.objects.bulk_create(RunItem(run=run, subscription=one) for one in subscriptions)
        acts.record(
            who=who, verb="run.start", what=run,
            details={"run": run.pk, "month": period.start.isoformat(), "dry": dry, "count": len(subscriptions)},
        )  # fmt: skip
        _hand_out_later(run)
    return run


def stop(*, who: Who, run: BillingRun) -> BillingRun:
    """What is being worked at this moment is finished; the rest waits until somebody goes on. Raises NotNow."""
    with transaction.atomic():
        row = _locked(run)
        if row.state not in ALIVE:
            raise NotNow(_("This run is not going on."))
        row.state, row.ended_at = RunState.STOPPED, timezone.now()
        row.save(update_fields=["state", "ended_at"])
        acts.record(who=who, verb="run.stop", what=row, details={"run": row.pk})
    return row


def again(*, who: Who, run: BillingRun) -> BillingRun:
    """Go on with what was stopped, and try once more what failed. Raises NotNow when nothing is left to do."""
    with transaction.atomic():
        row = _locked(run)
        left = row.items.filter(state__in=(ItemState.WAITING, ItemState.FAILED))
        count = left.update(state=ItemState.WAITING, attempts=0, error="")
        if not count:
            raise NotNow(_("Everything in this run is done."))
        row.state, row.ended_at = RunState.WORKING, None
        row.save(update_fields=["state", "ended_at"])
        acts.record(who=who, verb="run.again", what=row, details={"run": row.pk, "count": count})
        _hand_out_later(row)
    return row


def waiting_items(run: BillingRun) -> list[int]:
    """Numbers of the items to hand out; none of a run that was stopped."""
    if not BillingRun.objects.filter(pk=run.pk, state__in=ALIVE).exists():
        return []
    return list(run.items.filter(state=ItemState.WAITING).values_list("pk", flat=True))


def work(*, item_id: int, now: datetime) -> RunItem | None:
    """Do one item; None when there is nothing to do (done already, stopped, tidied away).

    A database that is away is raised: the item stays as it was and is handed out again by ``sweep``.
    """
    began = time.perf_counter()
    if not _counted(item_id):
        return None
    try:
        with transaction.atomic():
            item = _claimed(item_id)
            if item is None:
                return None
            _bill(item, now)
            _settle(item, ItemState.DONE, now, time.perf_counter() - began)
    except (BillingError, ScopeError) as error:
        item = _failed(item_id, str(getattr(error, "message", error)), now, time.perf_counter() - began)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("Item %s of a billing run failed.", item_id)
        why = _("Unexpected: %(what)s. The log of the worker says more.") % {"what": type(error).__name__}
        item = _failed(item_id, why, now, time.perf_counter() - began)
    if item is not None:
        end_if_done(item.run_id, now=now)
    return item


def end_if_done(run_id: int, *, now: datetime) -> bool:
    """Close a run nothing of which waits; whether this call did. The last of two who finish together does it."""
    left = RunItem.objects.filter(run=run_id, state=ItemState.WAITING)
    if left.exists():
        BillingRun.objects.filter(pk=run_id, state=RunState.WAITING).update(state=RunState.WORKING)
        return False
    return bool(
        BillingRun.objects.filter(pk=run_id, state__in=ALIVE).update(state=RunState.DONE, ended_at=now)
    )


def sweep(*, now: datetime) -> list[BillingRun]:
    """Runs whose items must be handed out again: they have waited without any progress.

    An item that has been tried too often fails here, for it takes its worker with it.
    """
    stuck: list[BillingRun] = []
    for run in BillingRun.objects.filter(state__in=ALIVE).annotate(moved=Max("items__settled_at")):
        if max(run.asked_at, run.moved or run.asked_at) > now - STUCK:
            continue
        for item_id in run.items.filter(state=ItemState.WAITING, attempts__gte=ATTEMPTS).values_list(
            "pk", flat=True
        ):
            why = _("It was begun %(count)d times and never finished: the worker ended each time.")
            _failed(item_id, why % {"count": ATTEMPTS}, now, None)
        if not end_if_done(run.pk, now=now) and run.items.filter(state=ItemState.WAITING).exists():
            stuck.append(run)
    return stuck


def progress(run: BillingRun) -> dict[str, int]:
    """Items by state and by outcome: {"waiting", "done", "failed", "made", "recalculated", …}."""
    states = dict(run.items.values_list("state").annotate(count=Count("pk")))
    outcomes = dict(run.items.exclude(outcome="").values_list("outcome").annotate(count=Count("pk")))
    whole = {state.value: int(states.get(state.value, 0)) for state in ItemState}
    return whole | {outcome.value: int(outcomes.get(outcome.value, 0)) for outcome in Outcome}


def start_due(*, now: datetime) -> BillingRun | None:
    """For the timetable, however often it asks: last month's run. None when there is nothing to start.

    In the grace once a day, so that late calls show in the drafts; after it, once: that one bills the month.
    """
    month = month_due(now)
    if month is None:
        return None
    asked = BillingRun.objects.filter(period_start=month, dry=False, asked_by="")
    over = grace_over(month)
    done = (
        asked.filter(asked_at__gte=over)
        if now >= over
        else asked.filter(asked_at__gt=now - timedelta(hours=23))
    )
    return None if done.exists() else start(who=TIMETABLE, month=month, now=now)


def month_due(now: datetime) -> date | None:
    """First day of the last month that is over for every subscription in it; None when there is none."""
    month = month_of((now + EAST).date(), "UTC")  # where the day is the farthest on
    for back in (1, 2):
        found = preceding(month, back).start
        zones = _zones(found)
        if zones and now >= over_everywhere(found, zones):
            return found
    return None


def over_everywhere(month: date, zones: set[str]) -> datetime:
    """The moment the month is over in the last of ``zones``, UTC."""
    return max(month_of(month, zone).until for zone in zones)


def grace_over(month: date) -> datetime:
    """The moment the month's grace is over for every subscription in it, UTC; there must be one."""
    grace = timedelta(days=settings.BILLING_GRACE_DAYS)
    return max(midnight(month_of(month, zone).end + grace, zone) for zone in _zones(month))


def drafts_of(run: BillingRun) -> list[Invoice]:
    """What of the run's month is ready to be issued, by company."""
    return list(
        Invoice.objects.filter(period_start=run.period_start, state=InvoiceState.DRAFT)
        .select_related("company", "seller", "subscription")
        .order_by("company__name", "pk")
    )


def issues_itself(run: BillingRun) -> bool:
    """Whether this is a finished run of the timetable, after the grace, on a platform that issues without a click."""
    return (
        settings.BILLING_AUTO_FINALISE
        and run.state == RunState.DONE
        and not run.dry
        and not run.asked_by
        and run.asked_at >= grace_over(run.period_start)
    )


def _bill(item: RunItem, now: datetime) -> None:
    subscription, run = item.subscription, item.run
    item.before = before(subscription, run.period_start)
    if run.dry:
        seen = preview(subscription=subscription, month=run.period_start, now=now)
        item.outcome, item.total = seen.outcome.value, seen.total
        item.preview = {"lines": seen.lines, "given_back": seen.given_back}
        return
    made = draft(subscription=subscription, month=run.period_start, run=run, now=now)
    item.outcome, item.invoice = made.outcome.value, made.invoice
    item.total = made.invoice.total if made.invoice else None
    review.settle_itself(
        kind=ReviewKind.FAILED, company=subscription.company, period_start=run.period_start, now=now,
        subscription=subscription,
    )  # fmt: skip


def _counted(item_id: int) -> bool:
    """Whether to begin with the item; counted by itself, so that one that kills its worker is known by it.

    One that another worker is busy with is passed by: it may take long, and must not keep every worker waiting.
    """
    with transaction.atomic():
        waiting = RunItem.objects.select_for_update(of=("self",), skip_locked=True).filter(
            pk=item_id, state=ItemState.WAITING, run__state__in=ALIVE, attempts__lt=ATTEMPTS
        )
        return bool(waiting) and bool(RunItem.objects.filter(pk=item_id).update(attempts=F("attempts") + 1))


def _claimed(item_id: int) -> RunItem | None:
    """The item, held until the transaction ends; None when somebody was faster, or the run was stopped."""
    return (
        RunItem.objects.select_for_update(of=("self",))
        .select_related("run", "subscription__company", "subscription__seller")
        .filter(pk=item_id, state=ItemState.WAITING, run__state__in=ALIVE)
        .first()
    )


def _settle(item: RunItem, state: ItemState, now: datetime, took: float | None, error: str = "") -> None:
    item.state, item.error, item.took, item.settled_at = state, error[:300], took, now
    item.save()


def _failed(item_id: int, why: str, now: datetime, took: float | None) -> RunItem | None:
    with transaction.atomic():
        item = _claimed(item_id)
        if item is None:
            return None
        item.outcome = ""
        _settle(item, ItemState.FAILED, now, took, why)
        if not item.run.dry:
            review.note(
                kind=ReviewKind.FAILED, company=item.subscription.company, subscription=item.subscription,
                period_start=item.run.period_start, details={"why": item.error, "run": item.run_id}, now=now,
                mark=review.fingerprint("run", item.subscription_id), again=True,
            )  # fmt: skip
    return item


def _locked(run: BillingRun) -> BillingRun:
    row = BillingRun.objects.select_for_update().filter(pk=run.pk).first()
    if row is None:
        raise NotThere(_("There is no such run."))
    return row


def _hand_out_later(run: BillingRun) -> None:
    """Queue the handing out of its items. A broker that is away is made up for by ``sweep``."""
    task = current_app.tasks["billing.hand_out"]
    transaction.on_commit(lambda: task.apply_async((run.pk,), retry=False), robust=True)


def _one_at_a_time() -> None:
    """Two clicks are one run: the second waits here and finds the first one's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('billing.runs'), 0)")


def _refuse_unless_over(period: Period, subscriptions: list[Subscription], now: datetime) -> None:
    if now < over_everywhere(period.start, {one.time_zone for one in subscriptions}):
        raise NotNow(
            _("The month is not over yet for every company. A dry run shows what it would cost so far.")
        )


def _zones(month: date) -> set[str]:
    end = month_of(month, "UTC").end
    living = Subscription.objects.filter(Q(ends_on=None) | Q(ends_on__gt=month), starts_on__lt=end)
    return set(living.values_list("time_zone", flat=True).distinct())

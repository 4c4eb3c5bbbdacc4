"""A month billed for everybody: with one click, by the timetable, again, in vain, and stopped in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing.models import (
    Act,
    BillingRun,
    Invoice,
    InvoiceState,
    ItemState,
    ReviewItem,
    RunItem,
    RunState,
    Subscription,
)
from billing.services import runs
from billing.services.acts import TIMETABLE, Who
from billing.services.errors import NotNow
from billing.services.invoices import finalise, finalise_many
from billing.services.runs import Outcome
from billing.tasks import runs as tasks
from ccenter.celery import app
from tenants.models import Company
from tests.factories.money import at_once, handled, moscow, subscribe

pytestmark = pytest.mark.django_db
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
NOON = moscow(2026, 6, 10)
GRACE, LATER = moscow(2026, 7, 2), moscow(2026, 7, 4, 1)
ANNA = Who("Анна", "platform")

Two = tuple[Subscription, Subscription]


@pytest.fixture
def two(alpha: Company, beta: Company) -> Two:
    at_once(alpha, 6, NOON)
    return subscribe(alpha), subscribe(beta)


def begun(*, dry: bool = False, now: datetime = LATER, month: date = JUNE) -> BillingRun:
    return runs.start(who=ANNA, month=month, dry=dry, now=now)


def worked(run: BillingRun, now: datetime = LATER) -> BillingRun:
    for item_id in runs.waiting_items(run):
        runs.work(item_id=item_id, now=now)
    run.refresh_from_db()
    return run


def told(run: BillingRun) -> list[tuple[str, str, str, Decimal | None]]:
    """company, state, outcome, total of each item."""
    rows = run.items.order_by("subscription__company__schema_name").values_list(
        "subscription__company__schema_name", "state", "outcome", "total"
    )
    return [(str(company), state, outcome, total) for company, state, outcome, total in rows]


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, company: Company, error: Exception) -> Iterator[None]:
    """Drafting for one company fails."""
    working = runs.draft

    def draft(*, subscription: Subscription, **rest: Any) -> object:
        if subscription.company_id == company.pk:
            raise error
        return working(subscription=subscription, **rest)

    monkeypatch.setattr(runs, "draft", draft)
    yield
    monkeypatch.setattr(runs, "draft", working)


def test_one_click_bills_every_company(
    two: Two, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = runs.start(who=ANNA, month=date(2026, 6, 17), now=LATER)
    run.refresh_from_db()
    assert (run.state, run.asked_by, run.period_start) == (RunState.DONE, "Анна", JUNE)
    assert told(run) == [
        ("alpha", "done", "made", Decimal("3000.00")),
        ("beta", "done", "made", Decimal("1500.00")),
    ]
    assert runs.progress(run) | {"made": 2} == runs.progress(run)
    assert {item.invoice.company for item in run.items.all() if item.invoice} == {s.company for s in two}
    assert Act.objects.get(verb="run.start").details["count"] == 2


def test_a_second_run_changes_nothing_and_a_late_call_changes_one(alpha: Company, two: Two) -> None:
    worked(begun())
    hashes = dict(Invoice.objects.values_list("pk", "input_hash"))
    again = worked(begun())
    assert [row[2] for row in told(again)] == ["unchanged", "unchanged"]
    assert dict(Invoice.objects.values_list("pk", "input_hash")) == hashes
    at_once(alpha, 16, NOON)
    assert [row[2] for row in told(worked(begun()))] == ["recalculated", "unchanged"]
    assert sorted(Invoice.objects.values_list("pk", flat=True)) == sorted(hashes)


def test_a_run_that_goes_on_is_not_begun_twice(two: Two) -> None:
    run = begun()
    assert begun() == run
    assert begun(dry=True) != run
    assert BillingRun.objects.count() == 2
    assert RunItem.objects.filter(run=run).count() == 2
    worked(run)
    assert begun() != run


def test_only_who_had_a_day_of_the_month_is_in_its_run(alpha: Company, beta: Company) -> None:
    last = subscribe(alpha, ends_on=date(2026, 6, 2))
    subscribe(beta, starts_on=date(2026, 7, 1))
    assert [item.subscription for item in begun().items.all()] == [last]
    empty = begun(month=date(2025, 3, 1))
    assert (empty.state, empty.items.count()) == (RunState.DONE, 0)


def test_a_dry_run_writes_no_invoice_and_shows_each_with_the_month_before(alpha: Company, two: Two) -> None:
    worked(begun(month=MAY))
    before = list(Invoice.objects.values_list("pk", "total", "input_hash"))
    run = worked(begun(dry=True))
    assert told(run) == [
        ("alpha", "done", "made", Decimal("3000.00")),
        ("beta", "done", "made", Decimal("1500.00")),
    ]
    assert [item.before for item in run.items.all()] == [Decimal("1500.00"), Decimal("1500.00")]
    shown = run.items.get(subscription__company=alpha).preview["lines"]
    assert [line["amount"] for line in shown] == ["3000.00"]
    assert list(Invoice.objects.values_list("pk", "total", "input_hash")) == before
    assert not ReviewItem.objects.exists()


def test_a_month_that_goes_on_is_run_dry_only(alpha: Company, two: Two) -> None:
    now = moscow(2026, 6, 20)
    with pytest.raises(NotNow):
        begun(now=now)
    assert not BillingRun.objects.exists()
    assert told(worked(begun(dry=True, now=now), now))[0] == ("alpha", "done", "made", Decimal("3000.00"))
    assert not Invoice.objects.exists()


def test_the_last_company_to_end_its_month_is_waited_for(alpha: Company, beta: Company) -> None:
    subscribe(alpha, zone="Asia/Vladivostok")
    subscribe(beta, zone="America/New_York")
    with pytest.raises(NotNow):
        begun(now=datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC))
    assert begun(now=datetime(2026, 7, 1, 4, tzinfo=UTC)).items.count() == 2


def test_what_fails_says_why_and_stops_nobody_else(
    alpha: Company, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two[0].phases.update(ends_on=date(2026, 6, 10))
    run = worked(begun())
    assert [row[1:3] for row in told(run)] == [("failed", ""), ("done", "made")]
    assert run.state == RunState.DONE
    item = run.items.get(state=ItemState.FAILED)
    assert "10.06.2026" in item.error
    entry = ReviewItem.objects.get()
    assert (entry.kind, entry.company, entry.details["run"]) == ("failed", alpha, run.pk)
    two[0].phases.update(ends_on=None)
    assert runs.again(who=ANNA, run=run).state == RunState.WORKING
    assert told(worked(run))[0] == ("alpha", "done", "made", Decimal("3000.00"))
    entry.refresh_from_db()
    assert entry.settled_at is not None
    with pytest.raises(NotNow):
        runs.again(who=ANNA, run=run)


def test_a_surprise_is_told_without_its_secrets_and_comes_back_on_the_list(
    alpha: Company, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken(monkeypatch, alpha, ValueError("password=tiger")):
        run = worked(begun())
        assert [row[1] for row in told(run)] == ["failed", "done"]
        item = run.items.get(state=ItemState.FAILED)
        assert "ValueError" in item.error
        assert "tiger" not in item.error
        ReviewItem.objects.update(settled_at=LATER, settled_by="Анна", note="посмотрели")
        runs.again(who=ANNA, run=run)
        worked(run)
    assert ReviewItem.objects.get().settled_at is None, "it failed anew"


def test_a_database_that_goes_away_leaves_the_item_waiting(
    alpha: Company, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun()
    mine = run.items.get(subscription__company=alpha)
    with broken(monkeypatch, alpha, OperationalError("gone")), pytest.raises(OperationalError):
        runs.work(item_id=mine.pk, now=LATER)
    mine.refresh_from_db()
    assert (mine.state, mine.attempts) == (ItemState.WAITING, 1)
    assert told(worked(run))[0] == ("alpha", "done", "made", Decimal("3000.00"))


def test_a_stopped_run_does_nothing_until_somebody_goes_on(two: Two) -> None:
    run = begun()
    waiting = runs.waiting_items(run)
    runs.work(item_id=waiting[0], now=LATER)
    runs.stop(who=ANNA, run=run)
    assert runs.work(item_id=waiting[1], now=LATER) is None
    assert runs.waiting_items(run) == []
    assert runs.sweep(now=LATER + timedelta(hours=1)) == []
    assert Invoice.objects.count() == 1
    with pytest.raises(NotNow):
        runs.stop(who=ANNA, run=run)
    runs.again(who=ANNA, run=run)
    assert worked(run).state == RunState.DONE
    assert Invoice.objects.count() == 2
    assert list(Act.objects.order_by("pk").values_list("verb", flat=True)) == [
        "run.start",
        "run.stop",
        "run.again",
    ]


def test_an_item_done_twice_is_done_once(two: Two) -> None:
    run = begun()
    (first, *_) = runs.waiting_items(run)
    done = runs.work(item_id=first, now=LATER)
    assert done is not None
    assert runs.work(item_id=first, now=LATER + timedelta(hours=1)) is None
    again = RunItem.objects.get(pk=first)
    assert (again.settled_at, again.attempts) == (LATER, 1)


def test_what_was_lost_is_handed_out_again_after_two_minutes_without_progress(
    two: Two, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    run = begun()
    assert runs.sweep(now=LATER + timedelta(minutes=1)) == []
    assert runs.sweep(now=LATER + timedelta(minutes=3)) == [run]
    runs.work(item_id=runs.waiting_items(run)[0], now=LATER + timedelta(minutes=3))
    assert runs.sweep(now=LATER + timedelta(minutes=4)) == [], "it moves"
    tasks.sweep_runs()
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert Invoice.objects.count() == 2


def test_an_item_that_ends_its_worker_each_time_fails_at_last(alpha: Company, two: Two) -> None:
    run = begun()
    mine = run.items.get(subscription__company=alpha)
    RunItem.objects.filter(pk=mine.pk).update(attempts=runs.ATTEMPTS)
    assert runs.work(item_id=mine.pk, now=LATER) is None
    worked(run)
    assert runs.sweep(now=LATER + timedelta(minutes=3)) == []
    run.refresh_from_db()
    mine.refresh_from_db()
    assert (run.state, mine.state, mine.settled_at) == (
        RunState.DONE,
        ItemState.FAILED,
        LATER + timedelta(minutes=3),
    )
    assert str(runs.ATTEMPTS) in mine.error


def test_the_timetable_drafts_daily_in_the_grace_and_once_after_it(two: Two) -> None:
    asked: list[datetime] = []
    now = moscow(2026, 6, 28, 0)
    while now < moscow(2026, 7, 12, 0):
        run = runs.start_due(now=now)
        if run is not None and run.period_start == JUNE:
            asked.append(now)
            worked(run, now)
        now += timedelta(hours=1)
    assert asked == [
        moscow(2026, 7, 1, 0), moscow(2026, 7, 1, 23), moscow(2026, 7, 2, 22), moscow(2026, 7, 3, 21),
        moscow(2026, 7, 4, 0),
    ]  # fmt: skip
    assert Invoice.objects.filter(period_start=JUNE).count() == 2
    assert {run.asked_by for run in BillingRun.objects.all()} == {""}


def test_the_grace_is_over_where_the_day_ends_last(alpha: Company, beta: Company) -> None:
    subscribe(alpha, zone="Asia/Vladivostok")
    subscribe(beta, zone="America/New_York")
    assert runs.grace_over(JUNE) == datetime(2026, 7, 4, 4, tzinfo=UTC)
    assert runs.month_due(datetime(2026, 7, 1, 3, tzinfo=UTC)) == MAY
    assert runs.month_due(datetime(2026, 7, 1, 4, tzinfo=UTC)) == JUNE


def test_without_subscriptions_the_timetable_has_nothing_to_do(db: None) -> None:
    assert runs.start_due(now=LATER) is None
    tasks.start_due_runs()
    tasks.make_up_for_late()
    tasks.look_back()
    assert not BillingRun.objects.exists()


def test_a_person_issues_unless_the_platform_wants_it_done_by_itself(two: Two, settings: Any) -> None:
    run = worked(runs.start(who=TIMETABLE, month=JUNE, now=LATER))
    tasks.finalise_run(run.pk)
    assert set(Invoice.objects.values_list("state", flat=True)) == {InvoiceState.DRAFT}
    settings.BILLING_AUTO_FINALISE = True
    for wrong in (worked(begun()), worked(runs.start(who=TIMETABLE, month=MAY, now=moscow(2026, 6, 2)))):
        tasks.finalise_run(wrong.pk)
    assert set(Invoice.objects.values_list("state", flat=True)) == {InvoiceState.DRAFT}, (
        "asked by a person; in grace"
    )
    tasks.finalise_run(run.pk)
    tasks.finalise_run(run.pk)
    issued = Invoice.objects.filter(period_start=JUNE)
    assert sorted(issued.values_list("number", "state")) == [(1, "finalised"), (2, "finalised")]


def test_after_issuing_all_no_number_is_missing_and_a_run_leaves_them_alone(two: Two) -> None:
    run = worked(begun())
    batch = finalise_many(who=ANNA, invoices=runs.drafts_of(run), today=date(2026, 7, 4))
    assert sorted(invoice.number or 0 for invoice in batch.issued) == [1, 2]
    frozen = list(Invoice.objects.order_by("pk").values())
    assert [row[2] for row in told(worked(begun()))] == ["final", "final"]
    assert list(Invoice.objects.order_by("pk").values()) == frozen


def test_late_credits_and_unbilled_use_come_by_the_timetable(alpha: Company, two: Two) -> None:
    for run in (worked(begun(month=MAY)), worked(begun())):
        finalise_many(who=ANNA, invoices=runs.drafts_of(run), today=date(2026, 7, 4))
    tasks.give_back(two[0].pk, JUNE.isoformat())
    tasks.look_back()
    tasks.look_for_unbilled(JUNE.isoformat())
    assert Invoice.objects.filter(state=InvoiceState.FINALISED).count() == 4
    assert not ReviewItem.objects.filter(kind="no_subscription").exists()


def test_a_subscription_without_an_invoice_to_make_says_so(two: Two) -> None:
    two[0].phases.all().delete()
    two[0].ends_on = date(2026, 1, 2)
    two[0].save()
    run = BillingRun.objects.create(period_start=JUNE)
    RunItem.objects.bulk_create(RunItem(run=run, subscription=one) for one in two)
    assert [row[2] for row in told(worked(run))] == [Outcome.NOTHING, Outcome.MADE]


def test_every_timed_task_of_money_is_known_to_the_workers() -> None:
    wanted = {
        entry["task"]
        for entry in app.conf.beat_schedule.values()
        if str(entry["task"]).startswith("billing.")
    }
    assert {"billing.start_due_runs", "billing.sweep_runs", "billing.make_up_for_late"} <= wanted
    assert wanted <= set(app.tasks)


def test_a_draft_issued_by_hand_in_the_middle_of_a_run_is_left_alone(alpha: Company, two: Two) -> None:
    worked(begun(now=GRACE), GRACE)
    run = begun()
    mine = finalise(who=ANNA, invoice=Invoice.objects.get(company=alpha), today=date(2026, 7, 4))
    handled(alpha, (NOON, NOON + timedelta(hours=1)))
    assert [row[2] for row in told(worked(run))] == ["final", "unchanged"]
    mine.refresh_from_db()
    assert mine.total == Decimal("3000.00")

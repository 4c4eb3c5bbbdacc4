"""Billing runs by the timetable and by a click: one task an item, any of which may die or come twice."""

from __future__ import annotations

import logging
from datetime import date

from celery import shared_task
from django.utils import timezone

from billing.models import BillingRun, Invoice, InvoiceState, Subscription
from billing.services import corrections, invoices, runs, unbilled
from billing.services.acts import TIMETABLE
from tenants.scope import public_scope

logger = logging.getLogger(__name__)


@shared_task(name="billing.hand_out")
def hand_out(run_id: int) -> None:
    """Queue every item of a run that waits. One that is queued twice is done once."""
    with public_scope():
        run = BillingRun.objects.filter(pk=run_id).first()
        waiting = runs.waiting_items(run) if run else []
    for item_id in waiting:
        bill_item.apply_async((item_id,), retry=False)


@shared_task(name="billing.bill_item", acks_late=True, reject_on_worker_lost=True)
def bill_item(item_id: int) -> None:
    """One subscription's month."""
    with public_scope():
        item = runs.work(item_id=item_id, now=timezone.now())
        run = BillingRun.objects.filter(pk=item.run_id).first() if item else None
        if run is not None and runs.issues_itself(run):
            finalise_run.apply_async((run.pk,), retry=False)


@shared_task(name="billing.start_due_runs")
def start_due_runs() -> None:
    """Last month's run, when it is time."""
    with public_scope():
        runs.start_due(now=timezone.now())


@shared_task(name="billing.sweep_runs")
def sweep_runs() -> None:
    """Hand out again what was lost with a queue or a worker."""
    with public_scope():
        stuck = runs.sweep(now=timezone.now())
    for run in stuck:
        hand_out.apply_async((run.pk,), retry=False)


@shared_task(name="billing.finalise_run")
def finalise_run(run_id: int) -> None:
    """Issue what a finished run of the timetable made ready, where the platform wants that without a person."""
    with public_scope():
        run = BillingRun.objects.filter(pk=run_id).first()
        if run is not None and runs.issues_itself(run):
            invoices.finalise_many(who=TIMETABLE, invoices=runs.drafts_of(run))


@shared_task(name="billing.make_up_for_late")
def make_up_for_late() -> None:
    """Credit what months have too much by what came late, and list what was used without a subscription."""
    with public_scope():
        now = timezone.now()
        month = runs.month_due(now)
        if month is None:
            return
        issued = Invoice.objects.filter(
            period_start=month, state__in=(InvoiceState.FINALISED, InvoiceState.PAID)
        )
        numbers = list(issued.values_list("subscription", flat=True).distinct())
    for number in numbers:
        give_back.apply_async((number, month.isoformat()), retry=False)
    if now >= runs.grace_over(month):
        look_for_unbilled.apply_async((month.isoformat(),), retry=False)


@shared_task(name="billing.give_back")
def give_back(subscription_id: int, month: str) -> None:
    """Late credit notes of one subscription."""
    with public_scope():
        subscription = Subscription.objects.select_related("company", "seller").get(pk=subscription_id)
        corrections.give_back(subscription=subscription, month=date.fromisoformat(month), now=timezone.now())


@shared_task(name="billing.look_for_unbilled")
def look_for_unbilled(month: str) -> None:
    """Companies that used the portal without a subscription."""
    with public_scope():
        unbilled.look(month=date.fromisoformat(month), now=timezone.now())


@shared_task(name="billing.look_back")
def look_back(subscription_id: int = 0) -> None:
    """Months too old to correct whose calls have changed: of one subscription, or a task for each of them."""
    with public_scope():
        now = timezone.now()
        month = runs.month_due(now)
        if month is None:
            return
        if subscription_id:
            company = Subscription.objects.select_related("company").get(pk=subscription_id).company
            corrections.look_back(company, month, now=now)
            return
        # A company's newest subscription stands for all it ever had.
        newest = Subscription.objects.order_by("company_id", "-starts_on").distinct("company_id")
        numbers = list(newest.values_list("pk", flat=True))
    for number in numbers:
        look_back.apply_async((number,), retry=False)

"""How far a billing run is and what came out of it, for the page that watches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Abs, Coalesce

from billing.domain.money import ZERO
from billing.models import BillingRun, InvoiceState, ItemState, RunItem, RunState

# In the order of how much a person should look at them.
OUTCOMES = ("failed", "approval", "made", "recalculated", "unchanged", "final", "nothing", "waiting")


@dataclass(frozen=True, slots=True)
class Progress:
    """``ready``: drafts of the run that could be issued now. ``total``, ``before``: sums where both are known."""

    run: BillingRun
    items: int
    settled: int
    failed: int
    by_outcome: dict[str, int]
    total: Decimal
    before: Decimal
    ready: int

    @property
    def moving(self) -> bool:
        return self.run.state in (RunState.WAITING, RunState.WORKING)

    @property
    def percent(self) -> int:
        return 100 * self.settled // max(self.items, 1)

    @property
    def difference(self) -> Decimal:
        return self.total - self.before


def progress(run: BillingRun) -> Progress:
    items = run.items.all()
    sums = items.aggregate(
        items=Count("pk"),
        settled=Count("pk", filter=~Q(state=ItemState.WAITING)),
        failed=Count("pk", filter=Q(state=ItemState.FAILED)),
        now=Coalesce(Sum("total"), ZERO),
        then=Coalesce(Sum("before", filter=Q(total__isnull=False)), ZERO),
    )
    by_outcome = dict(
        items.filter(state=ItemState.DONE).order_by().values_list("outcome").annotate(Count("pk"))
    )
    by_outcome |= {"failed": sums["failed"], "waiting": sums["items"] - sums["settled"]}
    return Progress(
        run=run,
        by_outcome={name: by_outcome[name] for name in OUTCOMES if by_outcome.get(name)},
        ready=0 if run.dry else ready(run).count(),
        items=sums["items"],
        settled=sums["settled"],
        failed=sums["failed"],
        total=sums["now"],
        before=sums["then"],
    )


def ready(run: BillingRun) -> QuerySet[RunItem]:
    """Items whose draft could be issued."""
    return run.items.filter(invoice__state=InvoiceState.DRAFT)


def items(run: BillingRun, outcome: str, *, text: str = "") -> QuerySet[RunItem]:
    """The biggest difference to the month before first; what failed before everything."""
    found = run.items.select_related("subscription__company", "invoice").annotate(
        difference=Coalesce(F("total"), ZERO) - Coalesce(F("before"), ZERO)
    )
    if outcome == "failed":
        found = found.filter(state=ItemState.FAILED)
    elif outcome == "waiting":
        found = found.filter(state=ItemState.WAITING)
    elif outcome:
        found = found.filter(state=ItemState.DONE, outcome=outcome)
    for word in text.split()[:4]:
        found = found.filter(
            Q(subscription__company__name__icontains=word)
            | Q(subscription__company__schema_name__icontains=word)
        )
    return found.order_by("-state", Abs(F("difference")).desc(), "subscription__company__name", "pk")


def told(runs: Sequence[BillingRun]) -> dict[int, dict[str, Any]]:
    """Of each run: how many items, how many failed, how many wait for a price; one query for all."""
    rows = (
        RunItem.objects.filter(run__in=runs)
        .order_by()
        .values("run")
        .annotate(
            items=Count("pk"),
            settled=Count("pk", filter=~Q(state=ItemState.WAITING)),
            failed=Count("pk", filter=Q(state=ItemState.FAILED)),
            approval=Count("pk", filter=Q(outcome="approval")),
        )
    )
    return {row["run"]: dict(row) for row in rows}

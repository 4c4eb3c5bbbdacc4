"""What an issued month would cost by what is known now, against all that was billed and given back for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from billing.domain.metering import Measure, Measured
from billing.domain.money import ZERO
from billing.domain.periods import Period, month_of
from billing.domain.rating import State
from billing.models import CreditNote, Invoice, InvoiceLine, InvoiceState, ReviewKind, UsageRecord
from billing.selectors.meter import CompanyMeter
from billing.services.measuring import OF_CALLS, Month, hashed, month_measured, plain, same_facts
from tenants.models import Company

CORRECTION = "correction"  # the kind of a line
EARLIER = "earlier"  # the measure of evidence that an earlier month was looked at, and in which state it was
LATE = "late"  # the kind of a credit note
ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)
Mark = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """``amount`` (with ``vat``, at ``rate`` percent) that ``invoice`` is short of, or has too much of below zero.

    ``was``: the quantity billed so far; ``found``: what there was by present knowledge.
    """

    invoice: Invoice
    period: Period
    rate: Decimal | None
    amount: Decimal
    vat: Decimal
    was: int
    found: Measured
    marks: Sequence[Mark]

    def told(self) -> dict[str, Any]:
        """As JSON keeps it: for a hash, a preview, the review list."""
        return {
            "invoice": self.invoice.pk, "number": self.invoice.full_number, "rate": plain(self.rate),
            "amount": str(self.amount), "vat": str(self.vat), "was": self.was, "now": self.found.quantity,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """For the review list: nothing a machine may decide. ``mark``: what makes it the same finding; else its details."""

    kind: ReviewKind
    invoice: Invoice
    details: dict[str, Any]
    mark: str = ""


@dataclass(slots=True)
class Differences:
    """Of some issued months. ``seen``: each counting of calls that was looked at, and the state of its calls now."""

    up: list[Difference] = field(default_factory=list)
    down: list[Difference] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seen: list[tuple[UsageRecord, Mark]] = field(default_factory=list)

    def inputs(self) -> list[Any]:
        """What of them lines and evidence of the next invoice follow from."""
        states = [[record.invoice_id, record.begin, record.until, facts(mark)] for record, mark in self.seen]
        return [[one.told() for one in self.up], states]


def issued(company: Company) -> QuerySet[Invoice]:
    """With all that is asked of them here, by month."""
    return (
        Invoice.objects.filter(company=company, state__in=ISSUED)
        .select_related("subscription__company", "company", "seller")
        .prefetch_related("lines", "usage")
        .order_by("period_start", "pk")
    )


def added(invoice: Invoice) -> QuerySet[InvoiceLine]:
    """Lines of other invoices that made up for this one, drafts too: nothing is billed twice."""
    return (
        InvoiceLine.objects.filter(corrects=invoice, kind=CORRECTION)
        .exclude(invoice__state=InvoiceState.VOID)
        .order_by("pk")
    )


def given(invoice: Invoice) -> QuerySet[CreditNote]:
    """Late credit notes for this month; they may be on the invoices that had added to it."""
    return CreditNote.objects.filter(
        company=invoice.company_id, kind=LATE, fingerprint__startswith=f"{LATE}:{invoice.pk}:"
    )


def fingerprint(one: Difference) -> str:
    """Of the credit notes that make up for it: which month, by which facts, how often before."""
    said = {**one.told(), "before": given(one.invoice).count()}
    return f"{LATE}:{one.invoice.pk}:{_digest(one.marks)}:{hashed(said)[:16]}"


def looked_at(invoice: Invoice, now: Sequence[Mark]) -> bool:
    """Whether the calls were in this state when a later invoice or credit note was made: then it is settled."""
    counted = [record for record in invoice.usage.all() if record.measure in OF_CALLS]
    later = list(
        UsageRecord.objects.filter(
            measure=EARLIER, keys=[invoice.pk], invoice__company=invoice.company_id, invoice__state__in=ISSUED
        )
    )
    by_invoice = all(
        any(other.begin == record.begin and same_facts(other.mark, mark) for other in later)
        for record, mark in zip(counted, now, strict=True)
    )
    digest = f"{LATE}:{invoice.pk}:{_digest(now)}:"
    return by_invoice or given(invoice).filter(fingerprint__startswith=digest).exists()


def states(invoice: Invoice, now: datetime) -> list[tuple[UsageRecord, Mark]]:
    """Each counting of calls of the invoice's own month, and the state of those calls now."""
    meter = CompanyMeter(invoice.company.slug)
    return [
        (record, dict(meter.mark(record.begin, record.until, now=now)))
        for record in invoice.usage.all()
        if record.measure in OF_CALLS
    ]


def compare(invoice: Invoice, found: Differences, *, but: Invoice | None, now: datetime) -> None:
    """Add to ``found`` what there is to say of ``invoice``. ``but``: the draft that is being made does not count."""
    seen = states(invoice, now)
    found.seen.extend(seen)
    changed = [(record.mark, mark) for record, mark in seen if not same_facts(record.mark, mark)]
    by_profiles = any(record.measure not in (*OF_CALLS, EARLIER) for record in invoice.usage.all())
    if not changed and not by_profiles:
        return
    if any(not mark.get("whole", True) for _, mark in changed):
        # They go day by day by the company's own rule: that is one finding, and it can no more be told what is late.
        found.findings.append(Finding(ReviewKind.FEWER_CALLS, invoice, {"why": "removed"}, "removed"))
        return
    if any(mark["calls"] < was.get("calls", 0) for was, mark in changed):
        marks = {"billed": [record.mark for record, _ in seen], "now": [mark for _, mark in seen]}
        found.findings.append(Finding(ReviewKind.FEWER_CALLS, invoice, marks))
        return
    period = month_of(invoice.period_start, invoice.subscription.time_zone)
    versions = {line.details["version"] for line in invoice.lines.all() if "version" in line.details}
    month = month_measured(invoice.subscription, period, now=now, versions=versions)
    if month is None:
        return
    if month.bill.state is State.NEEDS_APPROVAL:
        peak = month.bill.peak
        details = {"why": "corrected", "now": peak.quantity if peak else 0}
        found.findings.append(Finding(ReviewKind.NO_PRICE, invoice, details))
        return
    for one in _by_rate(invoice, month, but):
        (found.up if one.amount > 0 else found.down).append(one)


def facts(mark: Mark) -> Mark:
    """A mark without what is no fact of the calls: whether some may have been removed since."""
    return {name: value for name, value in mark.items() if name != "whole"}


def _by_rate(invoice: Invoice, month: Month, but: Invoice | None) -> list[Difference]:
    """By VAT rate: what it costs, less what was billed, less what was added since, plus what was given back."""
    sums: dict[Decimal | None, tuple[Decimal, Decimal]] = {}

    def add(rate: Decimal | None, amount: Decimal, vat: Decimal, sign: int) -> None:
        before = sums.get(rate, (ZERO, ZERO))
        sums[rate] = (before[0] + sign * amount, before[1] + sign * vat)

    for line in month.bill.lines:
        if line.money is not None:
            add(line.money.rate, line.money.amount, line.money.vat, 1)
    for billed in invoice.lines.all():
        if billed.corrects_id is None and billed.amount is not None:
            add(billed.vat_rate, billed.amount, billed.vat or ZERO, -1)
    more = list(added(invoice).exclude(invoice=but) if but else added(invoice))
    for line_ in more:
        add(line_.vat_rate, line_.amount or ZERO, line_.vat or ZERO, -1)
    for note in given(invoice):
        add(note.vat_rate, note.amount, note.vat, 1)
    peak = month.bill.peak or Measured(Measure.CALLS, 0)
    counted = [r.quantity for r in invoice.usage.all() if r.measure == peak.measure]
    was = more[-1].quantity if more else max(counted, default=0)
    marks = [read.mark for read in month.reads if read.mark]
    return [
        Difference(invoice, month.period, rate, amount, vat, was, peak, marks)
        for rate, (amount, vat) in sums.items()
        if amount
    ]


def _digest(marks: Sequence[Mark]) -> str:
    return hashed({"marks": [facts(mark) for mark in marks]})[:24]

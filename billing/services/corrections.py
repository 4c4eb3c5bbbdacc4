"""Late facts: what an issued month would cost by what is known now, and how the difference is made up for.

Up: a line of the next invoice. Down: a credit note, given once that next invoice is issued, for until then facts may
still come. Two months back; what is older, or cannot be told any more, goes to the review list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.domain.metering import Measure, Measured
from billing.domain.money import ZERO
from billing.domain.periods import Period, local_day, month_of, preceding
from billing.domain.rating import State
from billing.models import CreditNote, Invoice, InvoiceLine, InvoiceState, ReviewKind, Subscription
from billing.selectors.rates import standing
from billing.selectors.subscriptions import in_month
from billing.services import review
from billing.services.acts import TIMETABLE, Who
from billing.services.credits import credit
from billing.services.measuring import (
    KEYS_KEPT,
    OF_CALLS,
    Month,
    alone,
    hashed,
    month_measured,
    plain,
    same_facts,
)
from billing.services.meter import CompanyMeter
from billing.services.wording import correction_title, credit_reason
from tenants.models import Company

CORRECTION = "correction"
ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)
MONTHS_BACK = 2
MONTHS_LOOKED_AT = 12


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
    marks: Sequence[dict[str, Any]]

    def told(self) -> dict[str, Any]:
        """As JSON keeps it: for a hash, a preview, a line's details."""
        return {
            "invoice": self.invoice.pk, "number": self.invoice.full_number, "rate": plain(self.rate),
            "amount": str(self.amount), "vat": str(self.vat), "was": self.was, "now": self.found.quantity,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """For the review list: nothing a machine may decide."""

    kind: ReviewKind
    invoice: Invoice
    details: dict[str, Any]


@dataclass(slots=True)
class Corrections:
    up: list[Difference] = field(default_factory=list)
    down: list[Difference] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def lines(self, *, after: int) -> list[InvoiceLine]:
        """Unsaved lines of the next invoice, from place ``after`` + 1 on."""
        return [_line(place, one) for place, one in enumerate(self.up, after + 1)]

    def note(self, *, now: datetime) -> None:
        for finding in self.findings:
            _note(finding, now)


def due(
    subscription: Subscription, month: Period, *, now: datetime, but: Invoice | None = None
) -> Corrections:
    """What the two months before ``month`` are short of, for the subscription's draft of it.

    What other invoices and late credit notes have made up for already is counted in; ``but``: the draft itself.
    """
    found = Corrections()
    for invoice in _issued_before(subscription, month):
        _compare(invoice, found, but, now)
    return found


def give_back(
    *, subscription: Subscription, month: date, now: datetime, who: Who = TIMETABLE
) -> list[CreditNote]:
    """Credit what the two months before ``month`` have too much, once its own invoice is issued. Twice is once."""
    period = month_of(month, subscription.time_zone)
    with transaction.atomic():
        alone(subscription.company)
        if not Invoice.objects.filter(
            subscription=subscription, period_start=period.start, state__in=ISSUED
        ).exists():
            return []
        found = due(subscription, period, now=now)
        found.note(now=now)
        day = local_day(now, subscription.time_zone)
        return [note for one in found.down for note in _credited(one, day, who, now)]


def look_back(company: Company, month: date, *, now: datetime, months: int = MONTHS_LOOKED_AT) -> int:
    """Note months too old to correct whose calls have changed since they were billed; how many there are.

    By the state of the calls alone: nothing is rated. A month whose calls may have been removed tells nothing.
    """
    utc = month_of(month, "UTC")
    oldest, newest = preceding(utc, months), preceding(utc, MONTHS_BACK)
    noted = 0
    rows = _issued(company).filter(period_start__gte=oldest.start, period_start__lt=newest.start)
    for invoice in rows:
        changes = _changes(invoice, now)
        if any(not same_facts(was, now_) and now_.get("whole", True) for was, now_ in changes):
            _note(Finding(ReviewKind.TOO_OLD, invoice, {"why": "old", "marks": [n for _, n in changes]}), now)
            noted += 1
    return noted


def look_at_left(company: Company, month: date, *, now: datetime) -> int:
    """The same for a company with no further invoice to put a correction on: all of its months are too old."""
    utc = month_of(month, "UTC")
    noted = 0
    for invoice in _issued(company).filter(period_start__in=_recent(utc)):
        found = Corrections()
        _compare(invoice, found, None, now)
        for one in (*found.up, *found.down):
            details = {"why": "no_next_invoice", **one.told(), "marks": list(one.marks)}
            found.findings.append(Finding(ReviewKind.TOO_OLD, invoice, details))
        found.note(now=now)
        noted += len(found.findings)
    return noted


def _recent(month: Period) -> list[date]:
    return [preceding(month, back).start for back in range(1, MONTHS_BACK + 1)]


def _issued(company: Company) -> Any:
    return (
        Invoice.objects.filter(company=company, state__in=ISSUED)
        .select_related("subscription__company", "company", "seller")
        .prefetch_related("lines", "usage")
        .order_by("period_start", "pk")
    )


def _issued_before(subscription: Subscription, month: Period) -> Iterable[Invoice]:
    """Issued invoices that this subscription's draft makes up for: its own, and those of one that has ended since."""
    rows = list(_issued(subscription.company).filter(period_start__in=_recent(month)))
    others = [row for row in rows if row.subscription_id != subscription.pk]
    heirs = [s for s in in_month(month.start) if s.company_id == subscription.company_id] if others else []
    living = {heir.pk for heir in heirs}
    for row in rows:
        own = row.subscription_id == subscription.pk
        left = row.subscription_id not in living and bool(heirs) and heirs[0].pk == subscription.pk
        if own or (left and row.seller_id == subscription.seller_id):
            yield row


def _changes(invoice: Invoice, now: datetime) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The state of the calls when they were billed and now, one pair for each counting of calls."""
    meter = CompanyMeter(invoice.company.slug)
    return [
        (record.mark, dict(meter.mark(record.begin, record.until, now=now)))
        for record in invoice.usage.all()
        if record.measure in OF_CALLS
    ]


def _compare(invoice: Invoice, found: Corrections, but: Invoice | None, at: datetime) -> None:
    changes = _changes(invoice, at)
    changed = [(was, now) for was, now in changes if not same_facts(was, now)]
    by_profiles = any(record.measure not in OF_CALLS for record in invoice.usage.all())
    if not changed and not by_profiles:
        return
    if any(now["calls"] < was.get("calls", 0) or not now.get("whole", True) for was, now in changed):
        details = {"billed": [was for was, _ in changes], "now": [now for _, now in changes]}
        found.findings.append(Finding(ReviewKind.FEWER_CALLS, invoice, details))
        return
    period = month_of(invoice.period_start, invoice.subscription.time_zone)
    known = {line.details["version"] for line in invoice.lines.all() if "version" in line.details}
    month = month_measured(invoice.subscription, period, now=at, versions=known)
    if month is None:
        return
    if month.bill.state is State.NEEDS_APPROVAL:
        peak = month.bill.peak
        details = {"why": "corrected", "now": peak.quantity if peak else 0}
        found.findings.append(Finding(ReviewKind.NO_PRICE, invoice, details))
        return
    for one in _differences(invoice, month, but):
        (found.up if one.amount > 0 else found.down).append(one)


def _differences(invoice: Invoice, month: Month, but: Invoice | None) -> list[Difference]:
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
    added = list(_added(invoice).exclude(invoice=but).order_by("pk"))
    for more in added:
        add(more.vat_rate, more.amount or ZERO, more.vat or ZERO, -1)
    for note in _given(invoice):
        add(note.vat_rate, note.amount, note.vat, 1)
    records = list(invoice.usage.all())
    peak = month.bill.peak or Measured(Measure.CALLS, 0)
    was = (
        added[-1].quantity
        if added
        else max((r.quantity for r in records if r.measure == peak.measure), default=0)
    )
    marks = [read.mark for read in month.reads]
    return [
        Difference(invoice, month.period, rate, amount, vat, was, peak, marks)
        for rate, (amount, vat) in sums.items()
        if amount
    ]


def _added(invoice: Invoice) -> Any:
    """Lines of other invoices that made up for this one, drafts too: nothing is billed twice."""
    return InvoiceLine.objects.filter(corrects=invoice, kind=CORRECTION).exclude(
        invoice__state=InvoiceState.VOID
    )


def _given(invoice: Invoice) -> Any:
    return CreditNote.objects.filter(
        company=invoice.company_id, kind="late", fingerprint__startswith=_prefix(invoice)
    )


def _prefix(invoice: Invoice) -> str:
    return f"late:{invoice.pk}:"


def _line(place: int, one: Difference) -> InvoiceLine:
    words = {
        "number": one.invoice.full_number,
        "month": one.period,
        "was": one.was,
        "now": one.found.quantity,
    }
    days = one.period.days
    return InvoiceLine(
        position=place, kind=CORRECTION, corrects=one.invoice,
        title_ru=correction_title(language="ru", **words), title_en=correction_title(language="en", **words),
        begin_on=one.period.start, end_on=one.period.end, share_days=days, month_days=days,
        quantity=one.found.quantity, unit_price=None, net=one.amount - one.vat, vat_rate=one.rate, vat=one.vat,
        amount=one.amount,
        details=plain(
            {
                "measure": one.found.measure.value, "measured": one.found.quantity, "was": one.was,
                "at": one.found.at, "keys": one.found.keys[:KEYS_KEPT], "marks": list(one.marks),
            }
        ),
    )  # fmt: skip


def _credited(one: Difference, day: date, who: Who, now: datetime) -> list[CreditNote]:
    """Give the difference back: first on invoices that had added to that month, then on its own."""
    left, notes = -one.amount, []
    before = _given(one.invoice).count()
    mark = _prefix(one.invoice) + hashed({**one.told(), "before": before, "marks": list(one.marks)})[:40]
    reason = credit_reason(
        number=one.invoice.full_number, month=one.period, was=one.was, now=one.found.quantity, language="ru"
    )
    for target, most in _targets(one):
        share = sum((s.amount for s in standing(target) if s.rate == one.rate), ZERO)
        amount = min(left, share, most)
        if amount > 0:
            notes.append(
                credit(
                    who=who, invoice=target, amount=amount, reason=reason, kind="late", fingerprint=mark,
                    vat_rate=one.rate, today=day,
                )
            )  # fmt: skip
            left -= amount
    if left > 0:
        details = {"why": "nothing_left", "left": str(left), **one.told()}
        _note(Finding(ReviewKind.FEWER_CALLS, one.invoice, details), now)
    return notes


def _targets(one: Difference) -> list[tuple[Invoice, Decimal]]:
    """Invoices to credit, and how much of each at most: the newest addition first."""
    found: list[tuple[Invoice, Decimal]] = []
    lines = _added(one.invoice).filter(invoice__state__in=ISSUED, vat_rate=one.rate)
    for line in lines.select_related("invoice").order_by("-invoice__pk"):
        given = sum((n.amount for n in _given(one.invoice).filter(invoice=line.invoice)), ZERO)
        found.append((line.invoice, max(ZERO, line.amount - given)))
    return [*found, (one.invoice, -one.amount)]


def _note(finding: Finding, now: datetime) -> None:
    invoice = finding.invoice
    review.note(
        kind=finding.kind, company=invoice.company, subscription=invoice.subscription, invoice=invoice,
        period_start=invoice.period_start, details=finding.details, now=now,
        mark=review.fingerprint(invoice.pk, hashed(finding.details)),
    )  # fmt: skip

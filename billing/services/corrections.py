"""Late facts made up for. Up: a line of the next invoice. Down: a credit note, once that next invoice is issued, for
until then facts may still come. Two months back; what is older, or cannot be told any more, is for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from billing.domain.money import ZERO
from billing.domain.periods import Period, local_day, month_of, preceding
from billing.models import CreditNote, Invoice, InvoiceLine, ReviewKind, Subscription, UsageRecord
from billing.selectors.rates import standing
from billing.selectors.subscriptions import in_month
from billing.services import review
from billing.services.acts import TIMETABLE, Who
from billing.services.credits import credit
from billing.services.differences import (
    CORRECTION,
    EARLIER,
    ISSUED,
    LATE,
    Difference,
    Differences,
    Finding,
    added,
    compare,
    facts,
    fingerprint,
    given,
    issued,
    looked_at,
    states,
)
from billing.services.measuring import KEYS_KEPT, alone, hashed, plain, same_facts
from billing.services.wording import correction_title, credit_reason
from tenants.models import Company

MONTHS_BACK = 2
MONTHS_LOOKED_AT = 12


def due(
    subscription: Subscription, month: Period, *, now: datetime, but: Invoice | None = None
) -> Differences:
    """What the two months before ``month`` are short of, or have too much, for the subscription's draft of it.

    What other invoices and late credit notes have made up for already is counted in; ``but``: the draft itself.
    """
    found = Differences()
    for invoice in _issued_before(subscription, month):
        compare(invoice, found, but=but, now=now)
    return found


def lines(found: Differences, *, after: int) -> list[InvoiceLine]:
    """Unsaved lines of the next invoice, from place ``after`` + 1 on."""
    return [_line(place, one) for place, one in enumerate(found.up, after + 1)]


def evidence(found: Differences, *, now: datetime) -> list[UsageRecord]:
    """Unsaved records of the next invoice: in which state it knew the calls of earlier months."""
    return [
        UsageRecord(
            begin=record.begin, until=record.until, measure=EARLIER, quantity=record.quantity, at=None,
            keys=[record.invoice_id], mark=mark, cut_event=record.until, cut_stored=now,
        )
        for record, mark in found.seen
    ]  # fmt: skip


def note(found: Differences, *, now: datetime) -> None:
    """Put on the review list what nobody but a person may decide."""
    for finding in found.findings:
        _note(finding, now)


def give_back(
    *, subscription: Subscription, month: date, now: datetime, who: Who = TIMETABLE
) -> list[CreditNote]:
    """Credit what the two months before ``month`` have too much, once its own invoice is issued. Twice is once."""
    period = month_of(month, subscription.time_zone)
    with transaction.atomic():
        alone(subscription.company)
        own = Invoice.objects.filter(subscription=subscription, period_start=period.start)
        if not own.filter(state__in=ISSUED).exists():
            return []
        found = due(subscription, period, now=now)
        note(found, now=now)
        day = local_day(now, subscription.time_zone)
        return [made for one in found.down for made in _credited(one, day, who, now)]


def look_back(company: Company, month: date, *, now: datetime) -> int:
    """Note months too old to correct whose calls have changed since they were last looked at; how many there are.

    By the state of the calls alone: nothing is rated. A month whose calls may have been removed tells nothing.
    """
    utc = month_of(month, "UTC")
    oldest, newest = preceding(utc, MONTHS_LOOKED_AT), preceding(utc, MONTHS_BACK)
    noted = 0
    for invoice in issued(company).filter(period_start__gte=oldest.start, period_start__lt=newest.start):
        seen = states(invoice, now)
        if all(same_facts(record.mark, mark) or not mark.get("whole", True) for record, mark in seen):
            continue
        marks = [mark for _, mark in seen]
        if not looked_at(invoice, marks):
            details = {"why": "old", "now": [facts(mark) for mark in marks]}
            _note(Finding(ReviewKind.TOO_OLD, invoice, details), now)
            noted += 1
    return noted


def look_at_left(company: Company, month: date, *, now: datetime) -> int:
    """The same for a company with no further invoice to put a correction on: its last months are too old as well."""
    noted = 0
    for invoice in issued(company).filter(period_start__in=_recent(month_of(month, "UTC"))):
        found = Differences()
        compare(invoice, found, but=None, now=now)
        found.findings += [
            Finding(ReviewKind.TOO_OLD, invoice, {"why": "no_next_invoice", **one.told()})
            for one in (*found.up, *found.down)
        ]
        note(found, now=now)
        noted += len(found.findings)
    return noted


def _recent(month: Period) -> list[date]:
    return [preceding(month, back).start for back in range(1, MONTHS_BACK + 1)]


def _issued_before(subscription: Subscription, month: Period) -> Iterator[Invoice]:
    """Issued invoices that this subscription's draft makes up for: its own, and those of one that has ended since."""
    rows = list(issued(subscription.company).filter(period_start__in=_recent(month)))
    others = [row for row in rows if row.subscription_id != subscription.pk]
    heirs = [s for s in in_month(month.start) if s.company_id == subscription.company_id] if others else []
    living = {heir.pk for heir in heirs}
    for row in rows:
        own = row.subscription_id == subscription.pk
        left = row.subscription_id not in living and bool(heirs) and heirs[0].pk == subscription.pk
        if own or (left and row.seller_id == subscription.seller_id):
            yield row


def _line(place: int, one: Difference) -> InvoiceLine:
    days = one.period.days

    def words(language: str) -> str:
        return correction_title(
            number=one.invoice.full_number, month=one.period, was=one.was, now=one.found.quantity,
            language=language,
        )  # fmt: skip

    return InvoiceLine(
        position=place, kind=CORRECTION, corrects=one.invoice, title_ru=words("ru"), title_en=words("en"),
        begin_on=one.period.start, end_on=one.period.end, share_days=days, month_days=days,
        quantity=one.found.quantity, unit_price=None, net=one.amount - one.vat, vat_rate=one.rate, vat=one.vat,
        amount=one.amount,
        details=plain(
            {
                "measure": one.found.measure.value, "measured": one.found.quantity, "was": one.was,
                "at": one.found.at, "keys": one.found.keys[:KEYS_KEPT], "number": one.invoice.full_number,
            }
        ),
    )  # fmt: skip


def _credited(one: Difference, day: date, who: Who, now: datetime) -> list[CreditNote]:
    """Give the difference back: first on invoices that had added to that month, then on its own."""
    left, notes, mark = -one.amount, [], fingerprint(one)
    reason = credit_reason(
        number=one.invoice.full_number, month=one.period, was=one.was, now=one.found.quantity, language="ru"
    )
    for target, most in _targets(one):
        share = sum((s.amount for s in standing(target) if s.rate == one.rate), ZERO)
        amount = min(left, share, most)
        if amount > 0:
            made = credit(
                who=who, invoice=target, amount=amount, reason=reason, kind=LATE, fingerprint=mark,
                vat_rate=one.rate, today=day,
            )  # fmt: skip
            notes.append(made)
            left -= amount
    if left > 0:
        details = {"why": "nothing_left", "left": str(left), **one.told()}
        _note(Finding(ReviewKind.FEWER_CALLS, one.invoice, details), now)
    return notes


def _targets(one: Difference) -> list[tuple[Invoice, Decimal]]:
    """Invoices to credit, and how much of each at most: the newest addition first."""
    found: list[tuple[Invoice, Decimal]] = []
    additions = added(one.invoice).filter(invoice__state__in=ISSUED, vat_rate=one.rate)
    for line in additions.select_related("invoice").order_by("-invoice__pk"):
        back = sum((n.amount for n in given(one.invoice).filter(invoice=line.invoice)), ZERO)
        found.append((line.invoice, max(ZERO, (line.amount or ZERO) - back)))
    return [*found, (one.invoice, -one.amount)]


def _note(finding: Finding, now: datetime) -> None:
    invoice = finding.invoice
    review.note(
        kind=finding.kind, company=invoice.company, subscription=invoice.subscription, invoice=invoice,
        period_start=invoice.period_start, details=finding.details, now=now,
        mark=review.fingerprint(invoice.pk, finding.mark or hashed(finding.details)),
    )  # fmt: skip

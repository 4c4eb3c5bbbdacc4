"""A month's invoice as a draft: measured, rated and written in one transaction, the same however often it is done.

Late calls recalculate a draft; what is issued is never touched here, it is corrected (services.corrections).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.domain.money import ZERO
from billing.domain.periods import Period, month_of, preceding
from billing.models import (
    OPEN_STATES,
    BillingRun,
    Invoice,
    InvoiceLine,
    InvoiceState,
    ReviewKind,
    Subscription,
    UsageRecord,
)
from billing.services import corrections, review
from billing.services.differences import Differences
from billing.services.errors import NotNow
from billing.services.measuring import Month, alone, hashed, month_measured, plain

ISSUED = (InvoiceState.FINALISED, InvoiceState.PAID)
KIND = "regular"


class Outcome(StrEnum):
    """``FINAL``: issued already, untouched. ``APPROVAL``: a price is to be agreed first. ``NOTHING``: no invoice."""

    MADE = "made"
    RECALCULATED = "recalculated"
    UNCHANGED = "unchanged"
    FINAL = "final"
    APPROVAL = "approval"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Drafted:
    invoice: Invoice | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft would be; ``lines`` as JSON. ``given_back``: credit notes that would follow its issue."""

    outcome: Outcome
    total: Decimal | None
    lines: list[dict[str, Any]]
    given_back: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Made:
    """All of a draft but its row."""

    month: Month
    differences: Differences
    lines: list[InvoiceLine]
    usage: list[UsageRecord]
    input_hash: str

    @property
    def state(self) -> InvoiceState:
        unpriced = any(line.amount is None for line in self.lines)
        return InvoiceState.NEEDS_APPROVAL if unpriced else InvoiceState.DRAFT

    @property
    def total(self) -> Decimal | None:
        return self._sum([line.amount for line in self.lines])

    @property
    def vat(self) -> Decimal | None:
        return self._sum([line.vat for line in self.lines])

    def _sum(self, amounts: list[Decimal | None]) -> Decimal | None:
        if self.state == InvoiceState.NEEDS_APPROVAL:
            return None
        return sum((amount for amount in amounts if amount is not None), ZERO)


def draft(
    *, subscription: Subscription, month: date, run: BillingRun | None = None, now: datetime
) -> Drafted:
    """Make the month's draft, or bring it up to date. The same inputs leave the same rows.

    ``month``: any day of it, local to the subscription. ``now``: facts known by then count. Raises NotNow (its days
    are not over), BadTerms.
    """
    period = month_of(month, subscription.time_zone)
    if now < period.until:
        raise NotNow(_("Its days are not over yet: a month is billed afterwards."))
    with transaction.atomic():
        alone(subscription.company)
        standing = _standing(subscription, period)
        if standing is not None and standing.state in ISSUED:
            return Drafted(standing, Outcome.FINAL)
        made = _made(subscription, period, standing, now)
        if made is None:
            _remove(standing)
            return Drafted(None, Outcome.NOTHING)
        corrections.note(made.differences, now=now)
        return _written(subscription, period, standing, made, run, now)


def preview(*, subscription: Subscription, month: date, now: datetime) -> Preview:
    """What ``draft`` would make now; nothing is written. Before the month's end: as if it ended now."""
    period = month_of(month, subscription.time_zone)
    standing = _newest(subscription, period).first()
    if standing is not None and standing.state in ISSUED:
        return Preview(Outcome.FINAL, standing.total, [], [])
    made = _made(subscription, period, standing, now)
    if made is None:
        return Preview(Outcome.NOTHING, None, [], [])
    told = [
        {
            "kind": line.kind, "title_ru": line.title_ru, "title_en": line.title_en, "quantity": line.quantity,
            "amount": plain(line.amount), "vat": plain(line.vat),
        }
        for line in made.lines
    ]  # fmt: skip
    given_back = [one.told() for one in made.differences.down]
    return Preview(_outcome(standing, made), made.total, told, given_back)


def before(subscription: Subscription, month: date) -> Decimal | None:
    """What the month before was billed, to compare with; None without an invoice."""
    period = preceding(month_of(month, subscription.time_zone))
    found = _newest(subscription, period).exclude(state=InvoiceState.VOID).first()
    return found.total if found else None


def _made(
    subscription: Subscription, period: Period, standing: Invoice | None, now: datetime
) -> _Made | None:
    month = month_measured(subscription, period, now=now)
    if month is None:
        return None
    standing = standing if standing is not None and standing.state in OPEN_STATES else None
    found = corrections.due(subscription, period, now=now, but=standing)
    lines = month.lines()
    lines += corrections.lines(found, after=len(lines))
    if not lines:
        return None
    inputs = {"subscription": subscription.pk, **month.inputs(), "corrections": found.inputs()}
    usage = month.usage(now=now) + corrections.evidence(found, now=now)
    return _Made(month, found, lines, usage, hashed(inputs))


def _newest(subscription: Subscription, period: Period) -> Any:
    return Invoice.objects.filter(subscription=subscription, period_start=period.start, kind=KIND).order_by(
        "-revision"
    )


def _standing(subscription: Subscription, period: Period) -> Invoice | None:
    """The month's newest invoice, held: who finalises it at this moment waits, or is waited for."""
    found: Invoice | None = _newest(subscription, period).select_for_update(of=("self",)).first()
    return found


def _outcome(standing: Invoice | None, made: _Made) -> Outcome:
    if made.state == InvoiceState.NEEDS_APPROVAL:
        return Outcome.APPROVAL
    if standing is None or standing.state == InvoiceState.VOID:
        return Outcome.MADE
    return Outcome.UNCHANGED if standing.input_hash == made.input_hash else Outcome.RECALCULATED


def _written(
    subscription: Subscription, period: Period, standing: Invoice | None, made: _Made, run: BillingRun | None,
    now: datetime,
) -> Drafted:  # fmt: skip
    if standing is None or standing.state == InvoiceState.VOID:
        revision = standing.revision + 1 if standing else 1
        fresh = Invoice(
            subscription=subscription, company=subscription.company, seller=subscription.seller, kind=KIND,
            revision=revision, period_start=period.start, period_end=period.end,
        )  # fmt: skip
        try:
            with transaction.atomic():
                return _fill(fresh, made, run, now, Outcome.MADE)
        except IntegrityError:
            # Somebody who did not wait for our lock was faster; the table itself allows one. Bring that one up to date.
            standing = _standing(subscription, period)
            if standing is None or standing.revision != revision:
                raise
            if standing.state in ISSUED:
                return Drafted(standing, Outcome.FINAL)
    outcome = _outcome(standing, made)
    if standing.input_hash == made.input_hash:
        return Drafted(standing, outcome)
    if _lost_calls(standing, made, now):
        return Drafted(standing, Outcome.UNCHANGED)
    standing.lines.all().delete()
    standing.usage.all().delete()
    return _fill(standing, made, run, now, outcome)


def _fill(invoice: Invoice, made: _Made, run: BillingRun | None, now: datetime, outcome: Outcome) -> Drafted:
    waited = invoice.state == InvoiceState.NEEDS_APPROVAL
    invoice.run, invoice.state, invoice.total, invoice.vat = run, made.state, made.total, made.vat
    invoice.input_hash, invoice.drafted_at = made.input_hash, now
    invoice.cut_event, invoice.cut_stored = made.month.period.until, now
    invoice.save()
    for line in made.lines:
        line.invoice = invoice
    for record in made.usage:
        record.invoice = invoice
    InvoiceLine.objects.bulk_create(made.lines)
    UsageRecord.objects.bulk_create(made.usage)
    if made.state == InvoiceState.NEEDS_APPROVAL:
        _wants_price(invoice, made, now)
        return Drafted(invoice, Outcome.APPROVAL)
    if waited:
        review.settle_itself(
            kind=ReviewKind.NO_PRICE, company=invoice.company, period_start=invoice.period_start, now=now,
            subscription=invoice.subscription,
        )  # fmt: skip
    if not made.month.whole:
        _removed_too_early(invoice, made.usage, now)
    return Drafted(invoice, outcome)


def _lost_calls(standing: Invoice, made: _Made, now: datetime) -> bool:
    """Calls that an earlier draft counted have been removed since: what was counted while they were there stays."""
    if made.month.whole:
        return False
    counted = {(record.begin, record.until): record for record in standing.usage.all()}
    for record in made.usage:
        known = counted.get((record.begin, record.until))
        if known and record.mark.get("calls", 0) < known.mark.get("calls", 0):
            _removed_too_early(standing, made.usage, now)
            return True
    return False


def _wants_price(invoice: Invoice, made: _Made, now: datetime) -> None:
    peak = made.month.bill.peak
    review.note(
        kind=ReviewKind.NO_PRICE, company=invoice.company, subscription=invoice.subscription, invoice=invoice,
        period_start=invoice.period_start, now=now, mark=review.fingerprint("draft", invoice.pk),
        details={"now": peak.quantity if peak else 0},
    )  # fmt: skip


def _removed_too_early(invoice: Invoice, usage: list[UsageRecord], now: datetime) -> None:
    """The company keeps its calls for less than a month and its grace: the peak may have been higher."""
    review.note(
        kind=ReviewKind.FEWER_CALLS, company=invoice.company, subscription=invoice.subscription, invoice=invoice,
        period_start=invoice.period_start, now=now, mark=review.fingerprint("removed", invoice.pk),
        details={"why": "removed", "now": [record.mark for record in usage]},
    )  # fmt: skip


def _remove(standing: Invoice | None) -> None:
    """A draft of a month in which nothing is served any more goes; what is issued or void stays."""
    if standing is None or standing.state not in OPEN_STATES:
        return
    standing.lines.all().delete()
    standing.usage.all().delete()
    standing.delete()

"""Money that came: matched to a company by a person or by its own words, taken off again, or set aside as not ours.

Reading a bank's file is ``services.statements``; which invoices money pays is ``services.settling``.
"""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.domain.bank import plain
from billing.domain.money import kopecks
from billing.models import Invoice, InvoiceState, Payment, PaymentState
from billing.selectors.suggestions import Why
from billing.services import acts
from billing.services.acts import Who
from billing.services.errors import BadTerms, NotNow, NotThere
from billing.services.settling import hold, settle
from monitoring import facade
from tenants.models import Company

__all__ = ["enter", "hold", "ignore", "match", "settle", "unmatch"]


def enter(
    *, who: Who, company: Company, amount: Decimal, paid_on: date, document: str, purpose: str
) -> Payment:
    """A payment no statement will bring; it goes to the company at once. Raises BadTerms, NotNow.

    Sent twice it is one: two of the same amount and day are told apart by ``document``.
    """
    money = kopecks(amount)
    if money != amount or not 0 < money < 10**12:
        raise BadTerms(_("Write an amount above zero, in roubles and kopecks."))
    number = plain(document, 40)
    mark = fingerprint("hand", str(company.pk), paid_on.isoformat(), number.lstrip("0"), f"{money:.2f}")
    with transaction.atomic():
        hold(company)
        known = Payment.objects.filter(amount=money, paid_on=paid_on, document=number, company=company)
        if Payment.objects.filter(fingerprint=mark).exists() or (number and known.exists()):
            raise NotNow(_("This payment is here already. Another of the same day has another number."))
        payment = Payment.objects.create(
            amount=money, paid_on=paid_on, document=number, purpose=plain(purpose, 500), fingerprint=mark,
            made_by=who.name, payer_name=plain(_legal_name(company), 250),
        )  # fmt: skip
        acts.record(
            who=who, verb="payment.enter", company=company, what=_name(payment), details=_noted(payment)
        )
        attach(who=who, payment=payment, company=company)
    return payment


def match(*, who: Who, payment: Payment, company: Company, invoice: Invoice | None = None) -> Payment:
    """Say whose a waiting payment is. It pays ``invoice`` first, then the oldest due; the rest is balance.

    Raises NotThere, NotNow.
    """
    with transaction.atomic():
        hold(company)
        row = _locked(payment)
        if row.state != PaymentState.UNMATCHED:
            raise NotNow(_("This payment does not wait any more: take it back first."))
        if invoice is not None:
            owing = Invoice.objects.filter(pk=invoice.pk, company=company).first()
            if owing is None:
                raise NotThere(_("There is no such invoice."))
            if owing.state != InvoiceState.FINALISED:
                raise NotNow(_("Nothing is owed on this invoice."))
        attach(who=who, payment=row, company=company, first=invoice)
    return row


def unmatch(*, who: Who, payment: Payment) -> Payment:
    """Undo a match, or bring back what was set aside: it waits for a person again. Raises NotThere, NotNow."""
    seen = Payment.objects.select_related("company").filter(pk=payment.pk).first()
    company = seen.company if seen is not None else None
    with transaction.atomic():
        if company is not None:
            hold(company)
        row = _locked(payment)
        if row.company_id != (company.pk if company else None) or row.state == PaymentState.UNMATCHED:
            raise NotNow(_("Somebody has changed this payment meanwhile: look at it again."))
        was = {"state": row.state, "invoices": _invoices(row)}
        row.allocations.all().delete()
        row.state, row.company, row.why = PaymentState.UNMATCHED, None, Why.TAKEN_OFF
        row.save(update_fields=["state", "company", "why"])
        acts.record(
            who=who, verb="payment.unmatch", company=company, what=_name(row), details={**_noted(row), **was}
        )
        if company is not None:
            settle(company)
    return row


def ignore(*, who: Who, payment: Payment) -> Payment:
    """Set a waiting payment aside: it is for something else than the portal. Raises NotThere, NotNow."""
    with transaction.atomic():
        row = _locked(payment)
        if row.state != PaymentState.UNMATCHED:
            raise NotNow(_("This payment does not wait any more: take it back first."))
        row.state = PaymentState.IGNORED
        row.save(update_fields=["state"])
        acts.record(who=who, verb="payment.ignore", what=_name(row), details=_noted(row))
    return row


def attach(
    *, who: Who, payment: Payment, company: Company, first: Invoice | None = None, how: str = "person"
) -> None:
    """Give a payment to a company whose money is held; its webhooks are told once, however often it moves.

    ``how``: "person" or "statement", for the audit.
    """
    payment.company, payment.state, payment.why = company, PaymentState.MATCHED, ""
    payment.save(update_fields=["company", "state", "why"])
    settle(company, first=first)
    said = {**_told(payment), "invoices": _invoices(payment)}
    acts.record(
        who=who,
        verb="payment.match",
        company=company,
        what=_name(payment),
        details={**_noted(payment), **said, "how": how},
    )
    key = f"payment-{payment.pk}"
    facade.tell(str(company.schema_name), "payment.received", key, {"id": payment.pk, **said}, timezone.now())


def fingerprint(*parts: str) -> str:
    """One text for one payment, however it comes."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _locked(payment: Payment) -> Payment:
    row = Payment.objects.select_for_update(of=("self",)).filter(pk=payment.pk).first()
    if row is None:
        raise NotThere(_("There is no such payment."))
    return row


def _name(payment: Payment) -> str:
    return f"№ {payment.document or '—'} {payment}"


def _told(payment: Payment) -> dict[str, object]:
    return {
        "amount": f"{payment.amount:.2f}",
        "paid_on": payment.paid_on.isoformat(),
        "document": payment.document,
    }


def _noted(payment: Payment) -> dict[str, object]:
    """For the audit: by the number its page asks."""
    return {"payment": payment.pk, **_told(payment)}


def _invoices(payment: Payment) -> list[dict[str, str]]:
    rows = payment.allocations.select_related("invoice")
    return [{"number": row.invoice.full_number, "amount": f"{row.amount:.2f}"} for row in rows]


def _legal_name(company: Company) -> str:
    account = getattr(company, "account", None)
    return str(account or company)

"""/billing: a company's own usage, invoices and payments for its programs; read only, nothing is paid or changed here.

Amounts are texts of roubles with kopecks ("1500.00"): a number of JSON would lose them. Days are local to the company.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError
from pydantic import PlainSerializer

from billing.access import payer
from billing.domain.money import ZERO
from billing.domain.periods import local_day
from billing.domain.rating import Bill
from billing.models import Invoice, InvoiceLine, Payment
from billing.selectors.balance import OwedInvoice, balance, with_owed
from billing.selectors.explained import title_of
from billing.selectors.papers import invoices_of, payments_of
from billing.selectors.usage import forecast, usage_today
from billing.sending import pdf
from billing.services import paper, wording
from tenants.models import Company
from tenants.people.api_access import by
from tenants.people.models import Scope

router = Router(auth=by(Scope.BILLING), tags=["billing"])


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_iso, return_type=str)]
Money = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str)]
HIGHEST_ID = 2**63


class Problem(Schema):
    detail: str
    problems: dict[str, str] = {}


PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem}


class BillLine(Schema):
    """``amount`` and ``vat`` are null where a price is to be agreed."""

    title: str
    quantity: int
    amount: Money | None
    vat: Money | None


class ForecastOut(Schema):
    """This month's invoice if nothing changes any more. ``state``: "ready" or "needs_approval" (then no total)."""

    state: str
    total: Money | None
    vat: Money | None
    lines: list[BillLine]


class UsageOut(Schema):
    """This month so far. ``measure``: what the plan counts (profiles, profiles_distinct, profile_days, calls,
    managers). ``quantity`` was first reached ``at``. ``tier_from``, ``tier_to``: the tier's bounds, inclusive, null
    for a plan by profiles or above the last. ``bound``: the most that costs no more, ``share`` of it is used (1 =
    all); ``level``: 80 or 100 when so many per cent are reached. ``price``: of a whole month like that.
    """

    plan: str
    plan_name: str
    period_from: date
    period_to: date
    time_zone: str
    measure: str
    quantity: int
    at: Moment | None
    tier_from: int | None
    tier_to: int | None
    bound: int | None
    share: float | None
    level: int | None
    price: Money | None
    balance: Money
    forecast: ForecastOut


class InvoiceOut(Schema):
    """``period_to`` is the first day after the period. ``owed``: what is still to be paid."""

    id: int
    number: str
    state: Literal["finalised", "paid", "void"]
    issued_on: date
    due_on: date
    period_from: date
    period_to: date
    total: Money
    vat: Money
    owed: Money
    paid_at: Moment | None


class LineOut(Schema):
    """``corrects``: number of the earlier invoice a correction belongs to, "" for all other lines."""

    title: str
    kind: str
    period_from: date
    period_to: date
    days: int
    month_days: int
    quantity: int
    unit_price: Money | None
    net: Money
    vat_rate: Money | None
    vat: Money
    amount: Money
    corrects: str


class PaidOut(Schema):
    payment_id: int
    paid_on: date
    amount: Money


class CreditOut(Schema):
    number: str
    issued_on: date
    amount: Money
    reason: str


class InvoiceWhole(InvoiceOut):
    lines: list[LineOut]
    payments: list[PaidOut]
    credit_notes: list[CreditOut]


class InvoicePage(Schema):
    """Latest first. ``next``: cursor of the next page, null on the last."""

    items: list[InvoiceOut]
    next: str | None


class AllocatedOut(Schema):
    invoice_id: int
    number: str
    amount: Money


class PaymentOut(Schema):
    """What ``invoices`` do not use is kept for the next ones."""

    id: int
    paid_on: date
    amount: Money
    document: str
    purpose: str
    invoices: list[AllocatedOut]


class PaymentPage(Schema):
    items: list[PaymentOut]
    next: str | None


class PageAsked(Schema):
    limit: int = Field(50, ge=1, le=200)
    cursor: str = Field("", max_length=40)


class InvoiceFilters(PageAsked):
    """``from_day``, ``to_day``: issued on these days, both inclusive. ``unpaid``: only with something owed."""

    state: Literal["", "finalised", "paid", "void"] = ""
    from_day: date | None = None
    to_day: date | None = None
    unpaid: bool = False


@router.get("/usage", response={200: UsageOut, **PROBLEMS}, summary="Usage of this month")
def usage(request: HttpRequest) -> UsageOut:
    company, _account = payer(request)
    found = usage_today(company)
    bill = forecast(company, today=local_day(timezone.now(), found.part.zone)) if found else None
    if found is None or bill is None:
        raise Http404
    low, high = found.bounds or (None, None)
    return UsageOut(
        plan=found.plan.code, plan_name=str(found.plan), period_from=found.part.start, period_to=found.part.end,
        time_zone=found.part.zone, measure=found.measure.value, quantity=found.quantity, at=found.at,
        tier_from=low, tier_to=high, bound=found.bound, share=found.share, level=found.level, price=found.price,
        balance=balance(company), forecast=_forecast(bill),
    )  # fmt: skip


@router.get("/invoices", response={200: InvoicePage, **PROBLEMS}, summary="Invoices")
def invoices(request: HttpRequest, filters: Query[InvoiceFilters]) -> InvoicePage:
    company, _account = payer(request)
    found = with_owed(invoices_of(company))
    if filters.state:
        found = found.filter(state=filters.state)
    if filters.from_day:
        found = found.filter(issued_on__gte=filters.from_day)
    if filters.to_day:
        found = found.filter(issued_on__lte=filters.to_day)
    if filters.unpaid:
        found = found.filter(state="finalised", owed__gt=ZERO)
    if filters.cursor:
        day, number = _place(filters.cursor)
        found = found.filter(Q(issued_on__lt=day) | Q(issued_on=day, pk__lt=number))
    rows = list(found[: filters.limit + 1])
    kept = rows[: filters.limit]
    last = f"{kept[-1].issued_on}.{kept[-1].pk}" if len(rows) > filters.limit else None
    return InvoicePage(items=[InvoiceOut.model_validate(_of(row, row.owed)) for row in kept], next=last)


@router.get(
    "/invoices/{path:which}/pdf", summary="An invoice as PDF", response={200: None, **PROBLEMS},
    openapi_extra={"responses": {200: {"content": {"application/pdf": {}}}}},
)  # fmt: skip
def invoice_pdf(request: HttpRequest, which: str) -> HttpResponse:
    company, _account = payer(request)
    found = _invoice(company, which)
    return pdf(paper.invoice_pdf(found), found.full_number)


@router.get(
    "/invoices/{path:which}", response={200: InvoiceWhole, **PROBLEMS}, summary="An invoice by id or number"
)
def invoice(request: HttpRequest, which: str) -> InvoiceWhole:
    company, _account = payer(request)
    found = _invoice(company, which)
    return InvoiceWhole.model_validate(
        {
            **_of(found, found.owed),
            "lines": [_line(line) for line in found.lines.select_related("corrects")],
            "payments": [
                PaidOut(payment_id=one.payment_id, paid_on=one.payment.paid_on, amount=one.amount)
                for one in found.allocations.select_related("payment")
            ],
            "credit_notes": [
                CreditOut(
                    number=note.full_number, issued_on=note.issued_on, amount=note.amount, reason=note.reason
                )
                for note in found.credit_notes.all()
            ],
        }
    )


@router.get("/payments", response={200: PaymentPage, **PROBLEMS}, summary="Payments")
def payments(request: HttpRequest, filters: Query[PageAsked]) -> PaymentPage:
    company, _account = payer(request)
    found: QuerySet[Payment] = payments_of(company).prefetch_related("allocations__invoice")
    if filters.cursor:
        day, number = _place(filters.cursor)
        found = found.filter(Q(paid_on__lt=day) | Q(paid_on=day, pk__lt=number))
    rows = list(found[: filters.limit + 1])
    kept = rows[: filters.limit]
    last = f"{kept[-1].paid_on}.{kept[-1].pk}" if len(rows) > filters.limit else None
    return PaymentPage(items=[_payment(row) for row in kept], next=last)


def _invoice(company: Company, which: str) -> OwedInvoice:
    rows = with_owed(invoices_of(company).select_related("subscription", "seller", "company"))
    if which.isascii() and which.isdigit():
        found = rows.filter(pk=int(which)).first() if len(which) < 19 else None
    else:
        found = rows.filter(full_number=which).first() if which.isprintable() else None
    if found is None:
        raise Http404
    return found


def _place(cursor: str) -> tuple[date, int]:
    day, _dot, number = cursor.partition(".")
    try:
        place = date.fromisoformat(day), int(number)
    except ValueError:
        place = None
    if place is None or not 0 < place[1] < HIGHEST_ID:
        raise HttpError(400, _("That is no cursor of ours. Take it from `next`."))
    return place


def _of(row: Invoice, owed: Decimal) -> dict[str, object]:
    return {
        "id": row.pk, "number": row.full_number, "state": row.state, "issued_on": row.issued_on,
        "due_on": row.due_on, "period_from": row.period_start, "period_to": row.period_end, "total": row.total,
        "vat": row.vat, "owed": max(owed, ZERO) if row.state != "void" else ZERO,
        "paid_at": row.paid_at,
    }  # fmt: skip


def _line(line: InvoiceLine) -> LineOut:
    return LineOut.model_validate(
        {
            "title": title_of(line), "kind": line.kind, "period_from": line.begin_on, "period_to": line.end_on,
            "days": line.share_days, "month_days": line.month_days, "quantity": line.quantity,
            "unit_price": line.unit_price, "net": line.net, "vat_rate": line.vat_rate, "vat": line.vat,
            "amount": line.amount, "corrects": line.corrects.full_number if line.corrects else "",
        }
    )  # fmt: skip


def _payment(row: Payment) -> PaymentOut:
    return PaymentOut(
        id=row.pk, paid_on=row.paid_on, amount=row.amount, document=row.document, purpose=row.purpose,
        invoices=[
            AllocatedOut(invoice_id=one.invoice_id, number=one.invoice.full_number, amount=one.amount)
            for one in row.allocations.all()
        ],
    )  # fmt: skip


def _forecast(bill: Bill) -> ForecastOut:
    language = "en" if (get_language() or "").startswith("en") else "ru"
    return ForecastOut(
        state=bill.state.value, total=bill.total, vat=bill.vat,
        lines=[
            BillLine(
                title=wording.title(line, language), quantity=line.charge.quantity,
                amount=line.money.amount if line.money else None, vat=line.money.vat if line.money else None,
            )
            for line in bill.lines
        ],
    )  # fmt: skip

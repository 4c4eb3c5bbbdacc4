"""An invoice, its act and a credit note as Russian papers, from the copies kept at issuing: an old one never changes.

Sums are with VAT and say how much of it is within, whichever way the tariff's prices are meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.domain.crediting import RateShare, left
from billing.domain.money import ZERO
from billing.domain.periods import DAY
from billing.models import OPEN_STATES, Account, CreditNote, Invoice, InvoiceLine, InvoiceState
from billing.selectors import rates
from billing.services.priced import SERVICE, priced
from billing.services.printing import printed
from billing.services.sides import copy_of
from billing.services.words_ru import in_words

_NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True)
class PaperLine:
    """``price`` × ``quantity`` is the ``amount``; amounts are text as printed, "" while a price is to be agreed."""

    title: str
    quantity: int
    unit: str
    price: str
    amount: str


@dataclass(frozen=True, slots=True)
class PaperRate:
    """``name``: «20 %» or «без НДС»."""

    name: str
    net: str
    vat: str
    amount: str


def invoice_pdf(invoice: Invoice) -> bytes:
    """Счёт на оплату. A draft has no number and says that it is one."""
    return printed("billing/paper/invoice.html", _of_invoice(invoice))


def act_pdf(invoice: Invoice) -> bytes:
    """Акт об оказании услуг, dated by the last day of its period: the date of supply."""
    return printed("billing/paper/act.html", _of_invoice(invoice))


def credit_pdf(note: CreditNote) -> bytes:
    """Корректировочный документ: what the sum was, by how much it is less, what it is now, by VAT rate."""
    before: list[RateShare] = rates.issued(note.invoice)
    shares: list[RateShare] = []
    for known, parts in rates.of_notes(note.invoice):
        before = left(before, shares)
        shares = parts
        if known.pk == note.pk:
            break
    after = left(before, shares)
    context: dict[str, object] = {
        "note": note, "invoice": note.invoice, "seller": note.seller_copy, "buyer": note.buyer_copy,
        "created": note.issued_on.isoformat(), "mark": "",
        "parts": [
            ("Стоимость до изменения", _rates(before), _sum(before)),
            ("Уменьшение", _rates(shares), _sum(shares)),
            ("Стоимость после изменения", _rates(after), _sum(after)),
        ],
        "words": in_words(note.amount), "issued": day_ru(note.issued_on),
        "invoice_issued": day_ru(note.invoice.issued_on), "act_date": day_ru(note.invoice.period_end - DAY),
    }  # fmt: skip
    return printed("billing/paper/credit.html", context)


def figures(amount: Decimal) -> str:
    """«1 500,00»: the customary spelling; the spaces do not break."""
    return f"{amount:,.2f}".replace(",", _NO_BREAK).replace(".", ",")


def day_ru(day: date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


def _of_invoice(invoice: Invoice) -> dict[str, object]:
    lines = [_line(line) for line in invoice.lines.order_by("position")]
    shares = rates.issued(invoice)
    draft = invoice.state in OPEN_STATES
    seller, buyer = _sides(invoice)
    return {
        "invoice": invoice, "draft": draft, "seller": seller, "buyer": buyer, "lines": lines,
        "mark": "ЧЕРНОВИК" if draft else "АННУЛИРОВАН" if invoice.state == InvoiceState.VOID else "",
        "number": invoice.full_number, "issued": day_ru(invoice.issued_on), "due": day_ru(invoice.due_on),
        "first_day": day_ru(invoice.period_start), "last_day": day_ru(invoice.period_end - DAY),
        "created": (invoice.issued_on or invoice.drafted_at.date()).isoformat(),
        "total": "" if invoice.total is None else figures(invoice.total),
        "vats": _vats(shares),
        "words": "" if invoice.total is None else in_words(invoice.total),
    }  # fmt: skip


def _sides(invoice: Invoice) -> tuple[dict[str, str], dict[str, str]]:
    if invoice.seller_copy:
        return invoice.seller_copy, invoice.buyer_copy
    account = Account.objects.filter(company=invoice.company_id).first()
    return copy_of(invoice.seller), copy_of(account or Account(legal_name=invoice.company.name))


def _line(line: InvoiceLine) -> PaperLine:
    found = priced(line)
    if found is None:
        return PaperLine(line.title_ru, 1, SERVICE.name, "", "")
    return PaperLine(
        line.title_ru, found.quantity, found.unit.name, figures(found.price), figures(found.amount)
    )


def rate_name(rate: Decimal | None) -> str:
    return "без НДС" if rate is None else f"{rate.normalize():f}".replace(".", ",") + f"{_NO_BREAK}%"


def _vats(shares: list[RateShare]) -> list[tuple[str, str]]:
    """Rows under the table: «В том числе НДС 22 %» with its sum, or «Без налога (НДС)»."""
    if all(share.rate is None for share in shares):
        return [("Без налога (НДС)", "—")]
    return [
        (f"В том числе НДС {rate_name(share.rate)}", figures(share.vat))
        if share.rate is not None
        else (f"Без НДС на сумму {figures(share.amount)}", "—")
        for share in shares
    ]


def _rates(shares: list[RateShare]) -> list[PaperRate]:
    return [
        PaperRate(
            rate_name(share.rate), figures(share.net), "—" if share.rate is None else figures(share.vat),
            figures(share.amount),
        )
        for share in shares
    ]  # fmt: skip


def _sum(shares: list[RateShare]) -> PaperRate:
    amount = sum((share.amount for share in shares), ZERO)
    vat = sum((share.vat for share in shares), ZERO)
    return PaperRate("", figures(amount - vat), figures(vat), figures(amount))

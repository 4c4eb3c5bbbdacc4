"""An invoice's money by VAT rate: as issued, what each credit note took of it, and what stands."""

from __future__ import annotations

from billing.domain.crediting import RateShare, by_rate, divided, left
from billing.domain.money import ZERO
from billing.models import CreditNote, Invoice


def issued(invoice: Invoice) -> list[RateShare]:
    """Sums of the priced lines, one share a rate."""
    return by_rate(
        RateShare(line.vat_rate, line.amount, line.vat or ZERO)
        for line in invoice.lines.all()
        if line.amount is not None
    )


def of_notes(invoice: Invoice) -> list[tuple[CreditNote, list[RateShare]]]:
    """Each credit note in the order of issuing, and how it divided: always the same, for neither ever changes."""
    standing = issued(invoice)
    found = []
    for note in invoice.credit_notes.order_by("pk"):
        shares = _of_note(note, standing)
        standing = left(standing, shares)
        found.append((note, shares))
    return found


def standing(invoice: Invoice) -> list[RateShare]:
    """What is left of each rate after all credit notes."""
    return left(issued(invoice), [share for _note, shares in of_notes(invoice) for share in shares])


def _of_note(note: CreditNote, standing: list[RateShare]) -> list[RateShare]:
    if note.vat_rate is not None or note.vat == ZERO:
        return [RateShare(note.vat_rate, note.amount, note.vat)]
    return divided(standing, note.amount)

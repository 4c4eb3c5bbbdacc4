"""Eight who issue at the same time: one number each, no number missing, no invoice issued twice. On committed rows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import TypeVar

import pytest
from django.db import connections

from billing.models import Act, CreditNote, Invoice, InvoiceState
from billing.services.acts import Who
from billing.services.credits import credit
from billing.services.errors import NotNow
from billing.services.invoices import finalise, finalise_many
from tenants.models import Company
from tests.factories.money import subscribe
from tests.factories.papers import draft

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_url")]
T = TypeVar("T")
WHO = Who("Бухгалтер", "platform")
DAY = date(2026, 12, 4)


@pytest.fixture(autouse=True)
def _no_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters are another's affair; a worker is not there."""
    monkeypatch.setattr("billing.services.invoices.send_later", lambda _invoice_id: None)


def at_once(what: Callable[[int], T], times: int = 8) -> list[T]:
    def alone(number: int) -> T:
        try:
            return what(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(alone, range(times)))


def test_eight_who_issue_the_same_drafts_issue_each_once_without_a_gap(alpha: Company, beta: Company) -> None:
    rows = [
        draft(of, date(2026, month, 1))
        for of in (subscribe(alpha), subscribe(beta))
        for month in range(1, 11)
    ]
    found = at_once(lambda number: finalise_many(who=WHO, invoices=_turned(rows, number), today=DAY))
    numbers = sorted(row.number or 0 for one in found for row in one.issued)
    assert numbers == list(range(1, 21))
    assert [len(one.refused) for one in found] == [0] * 8
    assert Invoice.objects.filter(state=InvoiceState.FINALISED).count() == 20
    assert Act.objects.filter(verb="invoice.finalise", done=True).count() == 20


def test_an_issuing_that_dies_before_its_end_leaves_no_gap(
    alpha: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = subscribe(alpha)
    first, second = draft(of, date(2026, 1, 1)), draft(of, date(2026, 2, 1))

    def dies(*_args: object, **_fields: object) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr("billing.services.payments.settle", dies)
        with pytest.raises(RuntimeError, match="killed"):
            finalise(who=WHO, invoice=first, today=DAY)
    first.refresh_from_db()
    assert (first.state, first.number) == (InvoiceState.DRAFT, None)
    assert finalise(who=WHO, invoice=second, today=DAY).number == 1
    assert finalise(who=WHO, invoice=first, today=DAY).number == 2


def test_eight_who_give_back_give_no_more_than_there_is(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=DAY)

    def give(_number: int) -> bool:
        try:
            credit(who=WHO, invoice=row, amount=Decimal("400.00"), reason="Перерыв", today=DAY)
        except NotNow:
            return False
        return True

    assert sorted(at_once(give)) == [False] * 5 + [True] * 3
    assert sorted(CreditNote.objects.values_list("number", flat=True)) == [1, 2, 3]


def _turned(rows: list[Invoice], number: int) -> list[Invoice]:
    """In another order for each, as copies: nobody sees what another has read."""
    start = number * 3 % len(rows)
    return list(Invoice.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))[start:] + [
        Invoice.objects.get(pk=row.pk) for row in rows[:start]
    ]

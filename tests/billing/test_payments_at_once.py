"""Eight who move money at the same time: nothing counted twice, nobody waits for ever. On committed rows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import TypeVar

import pytest
from django.db import connections

from billing.models import Act, Allocation, BankStatement, Invoice, InvoiceState, Payment, Reminder
from billing.selectors.balance import balance, unpaid, with_owed
from billing.services import dunning, letters, payments, statements
from billing.services.acts import TIMETABLE, Who
from billing.services.credits import credit
from billing.services.errors import BillingError
from tenants.models import Company
from tests.factories import money
from tests.factories.bank import document, statement_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_url")]
T = TypeVar("T")
CLERK = Who("Клерк", "platform")
MONTHS = range(1, 7)


@pytest.fixture
def owed(alpha: Company, beta: Company) -> dict[Company, list[Invoice]]:
    """Both owe 1500.00 for each month from January to June; numbers 1 to 6 are alpha's, 7 to 12 beta's."""
    return {
        company: [money.issued_invoice(subscription, date(2026, month, 1)) for month in MONTHS]
        for company, subscription in ((one, money.subscribe(one)) for one in (alpha, beta))
    }


def at_once(what: Callable[[int], T], times: int = 8) -> list[T]:
    def alone(number: int) -> T:
        try:
            return what(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(alone, range(times)))


def transfer(invoice: Invoice) -> str:
    inn = str(invoice.buyer_copy["inn"])
    return document(number=f"1{invoice.number}", purpose=f"счет {invoice.full_number}", inn=inn)


def test_the_same_file_from_eight_clerks_is_one_statement(owed: dict[Company, list[Invoice]]) -> None:
    data = statement_file(*[transfer(row) for rows in owed.values() for row in rows])
    found = at_once(lambda _n: statements.import_statement(who=CLERK, file_name="июнь.txt", data=data).pk)
    assert len(set(found)) == 1
    assert (BankStatement.objects.count(), Payment.objects.count(), Allocation.objects.count()) == (1, 12, 12)
    assert not unpaid().exists()
    assert Act.objects.filter(verb="payment.import").count() == 1


def test_files_that_overlap_in_any_order_bring_each_transfer_once(owed: dict[Company, list[Invoice]]) -> None:
    rows = [row for company in owed for row in owed[company]]

    def bring(number: int) -> tuple[int, int]:
        # Each begins elsewhere and goes the other way round: crosswise, as two clerks would.
        turned = (rows[number:] + rows[:number])[: 6 + number % 3][:: -1 if number % 2 else 1]
        done = statements.import_statement(
            who=CLERK, file_name=f"{number}.txt", data=statement_file(*[transfer(row) for row in turned])
        )
        return done.incoming - done.known, done.matched

    found = at_once(bring)
    assert sum(new for new, _matched in found) == Payment.objects.count()
    assert sum(matched for _new, matched in found) == Allocation.objects.count() == Payment.objects.count()
    assert all(
        balance(company) == -sum((row.owed for row in unpaid(company)), Decimal(0)) for company in owed
    )


def test_paying_giving_back_and_taking_off_crosswise_ends_and_adds_up(
    owed: dict[Company, list[Invoice]],
) -> None:
    companies = list(owed)

    def busy(number: int) -> int:
        mine = companies[number % 2]
        refused = 0
        for step in range(6):
            try:
                if step == 3:
                    amount = Decimal(100 * (number + 1))
                    credit(who=CLERK, invoice=owed[mine][number % 6], amount=amount, reason="Ошибка")
                elif step == 4:
                    row = Payment.objects.filter(company=mine, state="matched").order_by("pk").first()
                    assert row is not None
                    payments.unmatch(who=CLERK, payment=row)
                    payments.match(who=CLERK, payment=row, company=companies[(number + 1) % 2])
                else:
                    payments.enter(
                        who=CLERK, company=mine, amount=Decimal("777.77"), paid_on=date(2026, 7, 20),
                        document=f"{number}-{step}", purpose="",
                    )  # fmt: skip
            except BillingError:
                refused += 1  # somebody was quicker with that very payment
        return refused

    at_once(busy)
    assert Payment.objects.count() == 8 * 4
    for company in companies:
        paid = Payment.objects.filter(company=company, state="matched")
        left = sum(
            (row.amount - sum((part.amount for part in row.allocations.all()), Decimal(0)) for row in paid),
            Decimal(0),
        )
        rows = list(with_owed(Invoice.objects.filter(company=company)))
        owing = sum((row.owed for row in rows), Decimal(0))
        assert all(row.owed >= 0 for row in rows)
        assert all((row.state == InvoiceState.PAID) == (row.owed == 0) for row in rows)
        assert left == 0 or owing == 0
        assert balance(company) == left - owing


def test_an_import_that_dies_at_its_end_leaves_nothing_and_is_done_again(
    owed: dict[Company, list[Invoice]], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = statement_file(*[transfer(row) for rows in owed.values() for row in rows])

    def dies(**_fields: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(statements.acts, "record", dies)
        with pytest.raises(SystemExit):
            statements.import_statement(who=CLERK, file_name="июнь.txt", data=data)
    assert (BankStatement.objects.count(), Payment.objects.count(), Allocation.objects.count()) == (0, 0, 0)
    assert unpaid().count() == 12
    assert statements.import_statement(who=CLERK, file_name="июнь.txt", data=data).matched == 12


def test_eight_workers_write_one_reminder(
    owed: dict[Company, list[Invoice]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def post(*, company: Company, subject: str, text: str) -> list[str]:
        sent.append(subject)
        return ["pay@example.org"]

    monkeypatch.setattr(letters, "send", post)
    now = money.moscow(2026, 2, 15)  # the day after January's was due
    at_once(lambda _n: dunning.remind(now=now))
    assert len(sent) == Reminder.objects.count() == 2
    assert Act.objects.filter(verb="invoice.remind", who=TIMETABLE.name).count() == 2

"""Money comes, finds its invoice, is taken off again: sums hold to the kopeck, and one company's is never another's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billing.models import Act, Allocation, BankStatement, Invoice, InvoiceState, Payment, PaymentState
from billing.selectors.balance import balance, balances, debtors, owed
from billing.selectors.suggestions import Why, suggestions
from billing.services import payments, statements
from billing.services.acts import TIMETABLE, Who
from billing.services.errors import BadTerms, NotNow, NotThere
from monitoring.models import Delivery, Webhook
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories import money
from tests.factories.bank import document, statement_file

pytestmark = pytest.mark.django_db
CLERK = Who("Клерк", "platform")


@pytest.fixture
def sold(alpha: Company, beta: Company) -> SimpleNamespace:
    """Both companies owe for June and July: alpha numbers 1 and 3, beta 2 and 4, 1500.00 each."""
    money.seller()
    subscriptions = {company: money.subscribe(company) for company in (alpha, beta)}
    june = {company: money.issued_invoice(row, date(2026, 6, 1)) for company, row in subscriptions.items()}
    july = {company: money.issued_invoice(row, date(2026, 7, 1)) for company, row in subscriptions.items()}
    return SimpleNamespace(alpha=alpha, beta=beta, june=june, july=july)


def paid(company: Company, amount: str, number: str = "1") -> Payment:
    return payments.enter(
        who=CLERK,
        company=company,
        amount=Decimal(amount),
        paid_on=date(2026, 7, 20),
        document=number,
        purpose="аванс",
    )


def waiting(amount: str = "1500.00", **fields: object) -> Payment:
    values = {"amount": Decimal(amount), "paid_on": date(2026, 7, 20), "fingerprint": "f" * 64, **fields}
    return Payment.objects.create(**values)


def state(invoice: Invoice) -> str:
    invoice.refresh_from_db()
    return invoice.state


def brought(*documents: str, name: str = "выписка.txt", **header: str) -> BankStatement:
    return statements.import_statement(who=CLERK, file_name=name, data=statement_file(*documents, **header))


# ------------------------------------------------------------------------------------------------ by hand
def test_a_payment_of_the_whole_sum_pays_the_oldest_invoice_and_no_other_companys(
    sold: SimpleNamespace,
) -> None:
    payment = paid(sold.alpha, "1500.00")
    assert state(sold.june[sold.alpha]) == InvoiceState.PAID
    assert sold.june[sold.alpha].paid_at is not None
    assert [state(row) for row in (sold.july[sold.alpha], sold.june[sold.beta], sold.july[sold.beta])] == [
        "finalised"
    ] * 3
    assert payment.state == PaymentState.MATCHED
    assert (balance(sold.alpha), balance(sold.beta)) == (Decimal("-1500.00"), Decimal("-3000.00"))


def test_a_part_is_kept_for_the_invoice_and_what_is_over_for_the_next(sold: SimpleNamespace) -> None:
    paid(sold.alpha, "0.01", "1")
    assert owed(sold.june[sold.alpha]) == Decimal("1499.99")
    paid(sold.alpha, "2000.00", "2")
    assert state(sold.june[sold.alpha]) == InvoiceState.PAID
    assert owed(sold.july[sold.alpha]) == Decimal("999.99")
    paid(sold.alpha, "5000.00", "3")
    assert balance(sold.alpha) == Decimal("4000.01")
    august = money.issued_invoice(sold.july[sold.alpha].subscription, date(2026, 8, 1), Decimal("3000.00"))
    assert payments.settle(sold.alpha) == [august]
    assert state(august) == InvoiceState.PAID
    assert balance(sold.alpha) == Decimal("1000.01")


def test_the_same_payment_entered_twice_is_one(sold: SimpleNamespace) -> None:
    paid(sold.alpha, "100.00")
    before = (Payment.objects.count(), Act.objects.count())
    with pytest.raises(NotNow):
        paid(sold.alpha, "100.00")
    assert (Payment.objects.count(), Act.objects.count()) == before
    paid(sold.beta, "100.00")  # the other company's order may have the same number
    assert Payment.objects.count() == 2


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1000000000000"])
def test_what_is_no_amount_is_refused(sold: SimpleNamespace, amount: str) -> None:
    with pytest.raises(BadTerms):
        paid(sold.alpha, amount)
    assert not Payment.objects.exists()


def test_a_person_says_which_invoice_and_the_rest_goes_to_the_oldest(sold: SimpleNamespace) -> None:
    payment = waiting("2000.00")
    payments.match(who=CLERK, payment=payment, company=sold.alpha, invoice=sold.july[sold.alpha])
    assert state(sold.july[sold.alpha]) == InvoiceState.PAID
    assert owed(sold.june[sold.alpha]) == Decimal("1000.00")
    assert Act.objects.filter(verb="payment.match", company=sold.alpha).count() == 1


def test_a_match_is_undone_to_the_last_kopeck(sold: SimpleNamespace) -> None:
    payment = waiting("3000.00")
    payments.match(who=CLERK, payment=payment, company=sold.alpha)
    payments.unmatch(who=CLERK, payment=payment)
    payment.refresh_from_db()
    assert (payment.state, payment.company, payment.why) == ("unmatched", None, Why.TAKEN_OFF)
    assert not Allocation.objects.exists()
    assert state(sold.june[sold.alpha]) == InvoiceState.FINALISED
    assert sold.june[sold.alpha].paid_at is None
    assert balance(sold.alpha) == Decimal("-3000.00")
    payments.match(who=CLERK, payment=payment, company=sold.beta)
    assert state(sold.june[sold.beta]) == InvoiceState.PAID


def test_what_was_taken_off_is_paid_by_what_else_there_is(sold: SimpleNamespace) -> None:
    first = paid(sold.alpha, "1500.00", "1")
    paid(sold.alpha, "1500.00", "2")
    payments.unmatch(who=CLERK, payment=first)
    assert state(sold.june[sold.alpha]) == InvoiceState.FINALISED
    assert state(sold.july[sold.alpha]) == InvoiceState.PAID
    paid(sold.alpha, "1500.00", "3")
    assert state(sold.june[sold.alpha]) == InvoiceState.PAID


def test_another_companys_invoice_is_not_there(sold: SimpleNamespace) -> None:
    payment = waiting()
    with pytest.raises(NotThere):
        payments.match(who=CLERK, payment=payment, company=sold.alpha, invoice=sold.june[sold.beta])
    payment.refresh_from_db()
    assert (payment.state, Allocation.objects.count(), Act.objects.count()) == ("unmatched", 0, 0)


def test_a_second_match_and_a_paid_invoice_are_refused(sold: SimpleNamespace) -> None:
    payment, other = waiting(), waiting(fingerprint="e" * 64)
    payments.match(who=CLERK, payment=payment, company=sold.alpha, invoice=sold.june[sold.alpha])
    with pytest.raises(NotNow):
        payments.match(who=CLERK, payment=payment, company=sold.beta)
    with pytest.raises(NotNow):
        payments.match(who=CLERK, payment=other, company=sold.alpha, invoice=sold.june[sold.alpha])
    with pytest.raises(NotNow):
        payments.ignore(who=CLERK, payment=payment)
    assert Allocation.objects.count() == 1


def test_what_is_not_ours_is_set_aside_and_comes_back(sold: SimpleNamespace) -> None:
    payment = waiting()
    payments.ignore(who=CLERK, payment=payment)
    assert balance(sold.alpha) == Decimal("-3000.00")
    with pytest.raises(NotNow):
        payments.match(who=CLERK, payment=payment, company=sold.alpha)
    payments.unmatch(who=CLERK, payment=payment)
    payments.match(who=CLERK, payment=payment, company=sold.alpha)
    assert balance(sold.alpha) == Decimal("-1500.00")
    assert list(Act.objects.order_by("pk").values_list("verb", flat=True)) == [
        "payment.ignore", "payment.unmatch", "payment.match",
    ]  # fmt: skip


def test_webhooks_of_the_payer_alone_hear_of_it_once(sold: SimpleNamespace) -> None:
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            Webhook.objects.create(
                url="https://crm.example/x", title="CRM", events=["payment.received"], secret="whsec_eA=="
            )
    payment = waiting()
    payments.match(who=CLERK, payment=payment, company=sold.alpha)
    payments.unmatch(who=CLERK, payment=payment)
    payments.match(who=CLERK, payment=payment, company=sold.alpha)
    with company_scope("alpha"):
        (told,) = Delivery.objects.all()
        assert told.event == "payment.received"
        assert '"amount":"1500.00"' in told.body
    with company_scope("beta"):
        assert not Delivery.objects.exists()


# ------------------------------------------------------------------------------------------------ by statement
def test_number_inn_and_amount_together_pay_an_invoice(sold: SimpleNamespace) -> None:
    june = sold.june[sold.alpha]
    statement = brought(
        document(purpose=f"Оплата по счету № {june.full_number} от 04.07.2026", inn=money.INNS["alpha"])
    )
    assert (statement.documents, statement.incoming, statement.matched, statement.known) == (1, 1, 1, 0)
    assert state(june) == InvoiceState.PAID
    (payment,) = Payment.objects.all()
    assert (payment.company, payment.state, payment.why) == (sold.alpha, "matched", "")
    assert payment.payer_name == "ООО «Альфа»"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"purpose": "за услуги связи"}, Why.NO_NUMBER),
        ({"inn": money.INNS["beta"]}, Why.OTHER_INN),
        ({"inn": ""}, Why.OTHER_INN),
        ({"amount": "1499.99"}, Why.OTHER_AMOUNT),
        ({"amount": "3000.00"}, Why.OTHER_AMOUNT),
        ({"purpose": "счета № 1 и № 3"}, Why.SEVERAL),
    ],
)
def test_whatever_is_less_than_certain_waits_for_a_person(
    sold: SimpleNamespace, fields: dict[str, str], why: Why
) -> None:
    statement = brought(document(**{"purpose": "счет № 1", "inn": money.INNS["alpha"], **fields}))
    assert statement.matched == 0
    (payment,) = Payment.objects.all()
    assert (payment.state, payment.why, payment.company) == ("unmatched", why, None)
    assert state(sold.june[sold.alpha]) == InvoiceState.FINALISED


def test_an_invoice_that_is_paid_is_not_paid_again(sold: SimpleNamespace) -> None:
    words = {"purpose": "счет № 1", "inn": money.INNS["alpha"]}
    brought(document(**words, number="1"), document(**words, number="2"))
    assert sorted(Payment.objects.values_list("state", "why")) == [
        ("matched", ""),
        ("unmatched", "paid_already"),
    ]
    assert Allocation.objects.count() == 1


def test_the_same_file_twice_is_one_statement(sold: SimpleNamespace) -> None:
    one = document(purpose="счет № 1", inn=money.INNS["alpha"])
    first, acts = brought(one), Act.objects.count()
    assert brought(one) == first
    assert (Payment.objects.count(), BankStatement.objects.count(), Act.objects.count()) == (1, 1, acts)


def test_the_same_transfer_in_two_files_is_one_payment(sold: SimpleNamespace) -> None:
    old, new = (
        document(number=number, purpose="счет № 1", inn=money.INNS["alpha"]) for number in ("000007", "8")
    )
    brought(old, name="июль.txt")
    statement = brought(old, new, name="июль и август.txt")
    assert (statement.incoming, statement.known, statement.matched) == (2, 1, 0)
    assert Payment.objects.count() == 2
    assert balance(sold.alpha) == Decimal("-1500.00")


def test_two_transfers_the_bank_tells_no_number_of_are_two_in_every_file(sold: SimpleNamespace) -> None:
    nameless = document(number="", payer_account="", purpose="перевод", amount="10.00")
    assert brought(nameless, nameless).known == 0
    assert brought(nameless, nameless, document(number="9")).known == 2
    assert Payment.objects.count() == 3


def test_what_a_person_has_entered_before_is_not_counted_twice(sold: SimpleNamespace) -> None:
    payments.enter(
        who=CLERK,
        company=sold.alpha,
        amount=Decimal("1500.00"),
        paid_on=date(2026, 7, 20),
        document="7",
        purpose="",
    )
    brought(document(number="7", purpose="счет № 3", inn=money.INNS["alpha"], dated="21.07.2026"))
    assert Payment.objects.get(statement__isnull=False).why == Why.BY_HAND
    assert balance(sold.alpha) == Decimal("-1500.00")


def test_outgoing_transfers_are_nobodys_payment(sold: SimpleNamespace) -> None:
    statement = brought(document(payee="40702810000000000777", purpose="счет № 1", inn=money.INNS["alpha"]))
    assert (statement.documents, statement.incoming) == (1, 0)
    assert not Payment.objects.exists()


def test_money_between_our_own_accounts_waits_for_nobody(sold: SimpleNamespace) -> None:
    second = money.seller(account="40702810900000000002", legal_name="ООО «Вторая»", inn="7728168971")
    brought(
        document(payer_account=second.account),
        accounts=f"{money.seller(prefix='СЧ-').account},{second.account}",
    )
    assert Payment.objects.get().state == PaymentState.IGNORED


def test_a_strangers_statement_is_refused_whole(sold: SimpleNamespace) -> None:
    with pytest.raises(BadTerms, match="40702810000000000777"):
        brought(document(payee="40702810000000000777"), accounts="40702810000000000777")
    assert not BankStatement.objects.exists()


def test_a_file_with_one_bad_document_leaves_nothing_behind(sold: SimpleNamespace) -> None:
    good = document(purpose="счет № 1", inn=money.INNS["alpha"])
    with pytest.raises(BadTerms, match=r"\d+") as refused:
        brought(good, document(number="2", amount="тысяча"))
    assert "тысяча" in str(refused.value.message)
    assert not BankStatement.objects.exists()
    assert not Payment.objects.exists()
    assert state(sold.june[sold.alpha]) == InvoiceState.FINALISED


def test_money_that_came_to_one_sellers_bank_does_not_pay_another(sold: SimpleNamespace) -> None:
    other = money.seller(
        account="40702810900000000002", legal_name="ООО «Вторая»", inn="7728168971", prefix="ВТ-"
    )
    brought(document(purpose="аванс", amount="3000.00", payee=other.account), accounts=other.account)
    payments.match(who=CLERK, payment=Payment.objects.get(), company=sold.alpha)
    assert state(sold.june[sold.alpha]) == InvoiceState.FINALISED
    assert balance(sold.alpha) == Decimal("0.00")


def test_hostile_words_are_kept_short_and_visible(sold: SimpleNamespace) -> None:
    evil = "<script>alert(1)</script>\u202e=cmd|' /C calc'!A0 " + "я" * 10_000
    brought(document(name=evil, purpose=evil, encoding="utf-8"), encoding="utf-8")
    payment = Payment.objects.get()
    assert len(payment.payer_name) == 250
    assert len(payment.purpose) == 500
    assert payment.payer_name.isprintable()
    assert payment.purpose.isprintable()


# ------------------------------------------------------------------------------------------------ what is offered
def test_the_likeliest_invoices_are_offered_first_and_strangers_not_at_all(sold: SimpleNamespace) -> None:
    payment = waiting("1500.00", payer_inn=money.INNS["alpha"], purpose="по счёту 3")
    offered = suggestions([payment])[payment.pk]
    assert [one.invoice for one in offered] == [sold.july[sold.alpha], sold.june[sold.alpha]]
    assert (offered[0].by_number, offered[0].by_inn, offered[0].by_amount) == (True, True, True)
    assert suggestions([waiting(fingerprint="a", payer_inn="", purpose="")]).popitem()[1] == []


def test_who_owes_longest_stands_first(sold: SimpleNamespace) -> None:
    assert debtors(date(2026, 7, 14)) == []
    paid(sold.alpha, "1500.00")
    rows = debtors(date(2026, 8, 15))
    assert [(row.company, row.days_late, row.owed, row.invoices) for row in rows] == [
        (sold.beta, 32, Decimal("3000.00"), 2),
        (sold.alpha, 1, Decimal("1500.00"), 1),
    ]
    assert rows[0].oldest == sold.june[sold.beta]


# ------------------------------------------------------------------------------------------------ invariants
AMOUNTS = st.integers(1, 400_000).map(lambda kopecks: Decimal(kopecks) / 100)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), AMOUNTS),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("aim"), AMOUNTS),
        st.tuples(st.just("credit"), AMOUNTS),
    ),
    max_size=12,
)


# Whose money was taken off is paid from what another transfer has over, in the same act.
@example(steps=[("pay", Decimal("0.01")), ("pay", Decimal("3000")), ("undo", 0)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_sums_hold_and_nothing_is_paid_twice(
    sold: SimpleNamespace, steps: list[tuple[str, object]]
) -> None:
    from django.db import transaction

    point = transaction.savepoint()
    try:
        for place, (what, value) in enumerate(steps):
            _do(sold, place, what, value)
            _check(sold)
    finally:
        transaction.savepoint_rollback(point)


def _do(sold: SimpleNamespace, place: int, what: str, value: object) -> None:
    matched = list(Payment.objects.filter(state="matched").order_by("pk"))
    if what == "undo" and matched:
        assert isinstance(value, int)
        payments.unmatch(who=TIMETABLE, payment=matched[value % len(matched)])
    elif what == "credit":
        assert isinstance(value, Decimal)
        invoice = sold.june[sold.alpha]
        left = invoice.total - sum(note.amount for note in invoice.credit_notes.all())
        if left > 0:
            money.credit_note(invoice, min(value, left))
            payments.settle(sold.alpha)
    elif isinstance(value, Decimal):
        payment = waiting(str(value), fingerprint=f"{place}")
        july = sold.july[sold.alpha]
        aim = july if what == "aim" and state(july) == InvoiceState.FINALISED else None
        payments.match(who=TIMETABLE, payment=payment, company=sold.alpha, invoice=aim)


def _check(sold: SimpleNamespace) -> None:
    matched = Payment.objects.filter(state="matched", company=sold.alpha)
    for payment in matched:
        assert sum(part.amount for part in payment.allocations.all()) <= payment.amount
    free = sum((p.amount - sum(part.amount for part in p.allocations.all()) for p in matched), Decimal(0))
    owing = Decimal(0)
    for invoice in Invoice.objects.filter(company=sold.alpha):
        given_back = sum(note.amount for note in invoice.credit_notes.all())
        left = invoice.total - given_back - sum(part.amount for part in invoice.allocations.all())
        assert left >= 0
        assert (invoice.state == InvoiceState.PAID) == (left == 0)
        owing += left
    assert free == 0 or owing == 0, "money lies idle beside an unpaid invoice"
    assert balance(sold.alpha) == free - owing
    assert balances([sold.alpha.pk, sold.beta.pk])[sold.beta.pk] == Decimal("-3000.00")

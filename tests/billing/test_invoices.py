"""Issuing: one number after another, both sides copied in, once; taking back and giving back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction

from billing.models import Act, Allocation, CreditNote, Invoice, InvoiceState, Payment, ReviewItem, ReviewKind
from billing.selectors.balance import balance, owed
from billing.services import payments
from billing.services.acts import Who
from billing.services.credits import credit
from billing.services.errors import BadTerms, NotNow, NotPriced
from billing.services.invoices import finalise, finalise_many, void
from billing.services.numbers import credit_number, invoice_number
from tenants.models import Company
from tests.factories.money import account, seller, subscribe
from tests.factories.papers import draft, unpriced

pytestmark = pytest.mark.django_db
WHO = Who("Бухгалтер", "platform")
JULY = date(2026, 7, 4)


def paid(company: Company, amount: str, number: str = "1") -> Payment:
    return payments.enter(
        who=WHO, company=company, amount=Decimal(amount), paid_on=JULY, document=number, purpose=""
    )


def test_an_issued_invoice_has_a_number_dates_and_copies_of_both_sides(alpha: Company) -> None:
    invoice = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    assert (invoice.state, invoice.number, invoice.full_number) == ("finalised", 1, "СЧ-2026/000001")
    assert invoice.issued_on == JULY
    assert invoice.due_on == JULY + timedelta(days=settings.BILLING_DUE_DAYS)
    assert invoice.buyer_copy["legal_name"] == "ООО «Альфа»"
    assert invoice.seller_copy["bik"] == "044525225"
    act = Act.objects.get(verb="invoice.finalise", done=True)
    assert (act.who, act.company, act.what) == ("Бухгалтер", alpha, "СЧ-2026/000001")


def test_numbers_of_a_seller_follow_one_another_whatever_the_company_and_begin_anew_each_year(
    alpha: Company, beta: Company
) -> None:
    first, second = subscribe(alpha), subscribe(beta)
    numbers = [
        finalise(who=WHO, invoice=draft(of, month), today=day).full_number
        for of, month, day in (
            (first, date(2026, 10, 1), date(2026, 11, 4)),
            (second, date(2026, 10, 1), date(2026, 11, 4)),
            (first, date(2026, 11, 1), date(2026, 12, 4)),
            (first, date(2026, 12, 1), date(2027, 1, 4)),
        )
    ]
    assert numbers == ["СЧ-2026/000001", "СЧ-2026/000002", "СЧ-2026/000003", "СЧ-2027/000001"]


def test_sellers_count_each_for_itself(alpha: Company, beta: Company) -> None:
    one = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    other = seller(legal_name="ООО «Вторая»", prefix="В")
    two = finalise(who=WHO, invoice=draft(subscribe(beta, sold_by=other)), today=JULY)
    assert (one.full_number, two.full_number) == ("СЧ-2026/000001", "В-2026/000001")


def test_an_invoices_number_is_never_a_credit_notes() -> None:
    for prefix in ("", "СЧ", "СЧ-", "В", "КС"):
        assert invoice_number(prefix, 2026, 7) != credit_number(prefix, 2026, 7)
    assert invoice_number("", 2026, 7) == invoice_number("СЧ-", 2026, 7) == "СЧ-2026/000007"
    assert credit_number("В", 2026, 7) == "КС-В-2026/000007"


def test_an_invoice_is_issued_once(alpha: Company) -> None:
    row = draft(subscribe(alpha))
    finalise(who=WHO, invoice=row, today=JULY)
    with pytest.raises(NotNow):
        finalise(who=WHO, invoice=row, today=JULY)
    assert Invoice.objects.exclude(number=None).count() == 1


def test_what_has_no_price_is_not_issued(alpha: Company) -> None:
    row = unpriced(subscribe(alpha))
    with pytest.raises(NotPriced):
        finalise(who=WHO, invoice=row, today=JULY)
    row.refresh_from_db()
    assert (row.state, row.number) == (InvoiceState.NEEDS_APPROVAL, None)


def test_a_month_is_not_issued_before_it_is_over(alpha: Company) -> None:
    row = draft(subscribe(alpha))
    with pytest.raises(NotNow):
        finalise(who=WHO, invoice=row, today=date(2026, 6, 30))
    assert finalise(who=WHO, invoice=row, today=date(2026, 7, 1)).number == 1


@pytest.mark.parametrize("lacking", ["legal_name", "inn", "kpp", "address"])
def test_without_the_payers_details_nothing_is_issued_and_a_person_hears_of_it(
    alpha: Company, lacking: str
) -> None:
    row = draft(subscribe(alpha))
    account(alpha, **{lacking: ""})
    with pytest.raises(NotNow) as refused:
        finalise(who=WHO, invoice=row, today=JULY)
    field = alpha.account._meta.get_field(lacking)
    assert str(field.verbose_name) in str(refused.value.message) or lacking == "inn"
    item = ReviewItem.objects.get(kind=ReviewKind.NO_PAPERS)
    assert (item.company, item.invoice, item.settled_at) == (alpha, row, None)
    row.refresh_from_db()
    assert row.state == InvoiceState.DRAFT
    account(alpha)
    finalise(who=WHO, invoice=row, today=JULY)
    item.refresh_from_db()
    assert item.settled_at is not None


def test_a_person_in_trade_needs_no_kpp(alpha: Company) -> None:
    row = draft(subscribe(alpha))
    account(alpha, inn="500100732259", kpp="")
    assert finalise(who=WHO, invoice=row, today=JULY).state == InvoiceState.FINALISED


def test_a_seller_without_a_bank_issues_nothing(alpha: Company) -> None:
    row = draft(subscribe(alpha, sold_by=seller(bik="")))
    with pytest.raises(NotNow):
        finalise(who=WHO, invoice=row, today=JULY)


def test_what_the_payer_had_over_is_spent_at_issuing(alpha: Company, beta: Company) -> None:
    paid(alpha, "1000.00")
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    assert (row.state, owed(row)) == (InvoiceState.FINALISED, Decimal("500.00"))
    paid(alpha, "600.00", "2")
    row.refresh_from_db()
    assert (row.state, balance(alpha), balance(beta)) == ("paid", Decimal("100.00"), Decimal("0.00"))


def test_an_invoice_over_nothing_is_paid_by_being_issued(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha), rows=[("0.00", "22")]), today=JULY)
    assert row.state == InvoiceState.PAID
    assert void(who=WHO, invoice=row, reason="Не нужен").state == InvoiceState.VOID


def test_of_many_one_that_cannot_be_issued_holds_nobody_up(alpha: Company, beta: Company) -> None:
    rows = [
        draft(subscribe(alpha)),
        unpriced(subscribe(beta)),
        draft(alpha.subscriptions.get(), date(2026, 5, 1)),
    ]
    done = finalise_many(who=WHO, invoices=rows, today=JULY)
    assert [row.number for row in done.issued] == [1, 2]
    assert [row.pk for row, _why in done.refused] == [rows[1].pk]
    again = finalise_many(who=WHO, invoices=rows, today=JULY)
    assert (again.issued, [row.pk for row, _why in again.refused]) == ([], [rows[1].pk])


def test_a_voided_invoice_keeps_its_number_and_its_month_may_be_drafted_anew(alpha: Company) -> None:
    of = subscribe(alpha)
    row = void(who=WHO, invoice=finalise(who=WHO, invoice=draft(of), today=JULY), reason="Не те реквизиты")
    assert (row.state, row.full_number, row.void_reason) == ("void", "СЧ-2026/000001", "Не те реквизиты")
    assert balance(alpha) == 0
    anew = finalise(who=WHO, invoice=draft(of), today=JULY)
    assert (anew.revision, anew.number) == (2, 2)


def test_what_was_paid_or_given_back_on_is_not_voided(alpha: Company, beta: Company) -> None:
    first = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    second = finalise(who=WHO, invoice=draft(subscribe(beta)), today=JULY)
    paid(alpha, "1.00")
    credit(who=WHO, invoice=second, amount=Decimal(1), reason="Перерыв", today=JULY)
    for row in (first, second, draft(alpha.subscriptions.get(), date(2026, 5, 1))):
        with pytest.raises(NotNow):
            void(who=WHO, invoice=row, reason="Ошибка")
    assert not Invoice.objects.filter(state=InvoiceState.VOID).exists()


def test_what_a_later_invoice_corrects_is_not_voided(alpha: Company) -> None:
    of = subscribe(alpha)
    first = finalise(who=WHO, invoice=draft(of), today=JULY)
    later = draft(of, date(2026, 7, 1))
    later.lines.update(kind="correction", corrects=first)
    with pytest.raises(NotNow):
        void(who=WHO, invoice=first, reason="Ошибка")


def test_voiding_wants_a_reason(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    with pytest.raises(NotNow):
        void(who=WHO, invoice=row, reason="  ")


def test_money_is_given_back_with_its_vat_never_more_than_is_left(alpha: Company, beta: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    note = credit(who=WHO, invoice=row, amount=Decimal("500.00"), reason="Перерыв", today=JULY)
    assert (note.full_number, note.net, note.vat, note.vat_rate) == (
        "КС-2026/000001", Decimal("409.84"), Decimal("90.16"), Decimal(22),
    )  # fmt: skip
    assert owed(row) == Decimal("1000.00")
    with pytest.raises(NotNow):
        credit(who=WHO, invoice=row, amount=Decimal("1000.01"), reason="Перерыв", today=JULY)
    rest = credit(who=WHO, invoice=row, amount=Decimal("1000.00"), reason="Перерыв", today=JULY)
    assert note.vat + rest.vat == row.vat
    row.refresh_from_db()
    assert (row.state, balance(alpha), balance(beta)) == ("paid", Decimal(0), Decimal(0))
    assert rest.full_number == "КС-2026/000002"


def test_money_given_back_on_a_paid_invoice_returns_to_the_balance_and_pays_the_next(alpha: Company) -> None:
    of = subscribe(alpha)
    row = finalise(who=WHO, invoice=draft(of), today=JULY)
    paid(alpha, "1000.00")
    paid(alpha, "500.00", "2")
    credit(who=WHO, invoice=row, amount=Decimal("700.00"), reason="Перерыв", today=JULY)
    row.refresh_from_db()
    assert (row.state, owed(row), balance(alpha)) == ("paid", Decimal(0), Decimal("700.00"))
    assert sum(row.allocations.values_list("amount", flat=True)) == Decimal("800.00")
    later = finalise(who=WHO, invoice=draft(of, date(2026, 7, 1)), today=date(2026, 8, 4))
    assert (owed(later), balance(alpha)) == (Decimal("800.00"), Decimal("-800.00"))


def test_several_rates_give_back_each_its_share_and_all_of_them_all_their_vat(alpha: Company) -> None:
    rows = [("1500.00", "22"), ("300.00", "20"), ("100.00", "")]
    row = finalise(who=WHO, invoice=draft(subscribe(alpha), rows=rows), today=JULY)
    first = credit(who=WHO, invoice=row, amount=Decimal("190.00"), reason="Перерыв", today=JULY)
    # 150 at 22 %, 30 at 20 %, 10 without.
    assert (first.vat, first.vat_rate) == (Decimal("27.05") + Decimal("5.00"), None)
    only = credit(
        who=WHO, invoice=row, amount=Decimal("30.00"), reason="Перерыв", vat_rate=Decimal(20), today=JULY
    )
    assert (only.vat, only.vat_rate) == (Decimal("5.00"), Decimal(20))
    with pytest.raises(NotNow):
        credit(who=WHO, invoice=row, amount=Decimal("240.01"), reason="П", vat_rate=Decimal(20), today=JULY)
    rest = credit(who=WHO, invoice=row, amount=Decimal("1680.00"), reason="Перерыв", today=JULY)
    assert first.vat + only.vat + rest.vat == row.vat


def test_the_same_finding_is_given_back_once(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    one, two = (
        credit(who=WHO, invoice=row, amount=Decimal(1), reason="Перерыв", fingerprint="a", today=JULY)
        for _ in range(2)
    )
    assert one == two
    assert CreditNote.objects.count() == 1


@pytest.mark.parametrize(("amount", "reason"), [("0", "П"), ("-1", "П"), ("0.001", "П"), ("1", " ")])
def test_a_credit_note_wants_an_amount_and_a_reason(alpha: Company, amount: str, reason: str) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    with pytest.raises(BadTerms):
        credit(who=WHO, invoice=row, amount=Decimal(amount), reason=reason)
    assert not CreditNote.objects.exists()


def test_on_a_draft_or_a_voided_invoice_nothing_is_given_back(alpha: Company) -> None:
    of = subscribe(alpha)
    gone = void(who=WHO, invoice=finalise(who=WHO, invoice=draft(of), today=JULY), reason="Ошибка")
    for row in (gone, draft(of)):
        with pytest.raises(NotNow):
            credit(who=WHO, invoice=row, amount=Decimal(1), reason="Перерыв")


def test_an_issued_invoice_does_not_change_by_sql_either(alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    for change in ({"total": Decimal(1)}, {"number": 9}, {"buyer_copy": {}}, {"issued_on": date(2026, 1, 1)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Invoice.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.lines.update(amount=Decimal(1))
    assert not Allocation.objects.exists()

"""What must not change is kept by PostgreSQL itself: every way in by raw SQL is tried, and nothing has changed after.

Two companies everywhere: what is refused for one is refused against the other's rows too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from billing.models import (
    Act,
    Allocation,
    CreditNote,
    Invoice,
    InvoiceLine,
    Payment,
    Phase,
    PlanVersion,
    Subscription,
    UsageRecord,
    VatRate,
)
from billing.services.acts import TIMETABLE, record
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories import money

KEPT = (
    "plan", "planversion", "vatrate", "subscription", "phase", "invoice", "invoiceline", "usagerecord", "creditnote",
    "payment", "allocation", "act",
)  # fmt: skip
AT = datetime(2026, 7, 4, 9, tzinfo=UTC)


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Everything there is about money, as it stands."""
    return {
        table: money.committed(f"SELECT t::text FROM public.billing_{table} t ORDER BY 1")  # noqa: S608 - own names
        for table in KEPT
    }


def settle() -> None:
    """Foreign keys are looked at now, not at a commit no test waits for."""
    money.committed("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def refused(why: str = "") -> Iterator[None]:
    """The database says no, and everything is as it was."""
    settle()
    before = rows()
    said = ""
    try:
        with transaction.atomic():
            yield
            settle()
    except (IntegrityError, DataError) as error:  # a mistake of SQL would be another
        said = str(error)
    assert said, "The database let it pass."
    assert re.search(why, said), said
    assert rows() == before


def tried(sql: str, *values: object, why: str = "") -> None:
    with refused(why):
        money.committed(sql, *values)


@pytest.fixture
def ours(alpha: Company) -> Subscription:
    return money.subscribe(alpha)


@pytest.fixture
def theirs(beta: Company) -> Subscription:
    return money.subscribe(beta)


@pytest.fixture
def issued(ours: Subscription) -> Invoice:
    return money.issued_invoice(ours)


@pytest.fixture
def others(theirs: Subscription, issued: Invoice) -> Invoice:
    """The other company's, the number after."""
    return money.issued_invoice(theirs)


def draft(
    subscription: Subscription, month: date = date(2026, 7, 1), amount: str | None = "1500.00"
) -> Invoice:
    """One line, of nothing at all when ``amount`` is None."""
    invoice = Invoice.objects.create(
        seller=subscription.seller, company=subscription.company, subscription=subscription,
        period_start=month, period_end=date(2026, month.month + 1, 1), input_hash="1" * 64,
        cut_event=AT, cut_stored=AT, drafted_at=AT,
    )  # fmt: skip
    if amount is not None:
        InvoiceLine.objects.create(
            invoice=invoice, position=1, kind="tier", title_ru="Звонки", title_en="Calls", begin_on=month,
            end_on=invoice.period_end, share_days=30, month_days=30, quantity=1, net=Decimal(amount),
            vat=Decimal("0.00"), amount=Decimal(amount),
        )  # fmt: skip
    return invoice


FINALISE = """UPDATE public.billing_invoice SET state = 'finalised', year = 2026, number = %s, total = %s, vat = 0,
    issued_on = '2026-08-04', due_on = '2026-08-14', finalised_at = now() WHERE id = %s"""


def payment(company: Company | None, amount: str = "1000.00", **fields: object) -> Payment:
    values = {"state": "matched" if company else "unmatched", "fingerprint": f"{company}-{amount}", **fields}
    return Payment.objects.create(
        company=company, amount=Decimal(amount), paid_on=date(2026, 7, 20), **values
    )


# Plans and rates


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE public.billing_planversion SET terms = '{}'", "never changes"),
        ("UPDATE public.billing_planversion SET starts_on = '2030-01-01'", "never changes"),
        ("UPDATE public.billing_planversion SET existing_from = starts_on", "never changes"),
        ("UPDATE public.billing_vatrate SET percent = 0", "never changes"),
        ("DELETE FROM public.billing_planversion", "in force stays"),
        ("DELETE FROM public.billing_vatrate", "in force stays"),
        ("UPDATE public.billing_plan SET model = 'per_profile'", "keeps its model"),
        ("UPDATE public.billing_plan SET code = code || 'x'", "keeps its model"),
        ("DELETE FROM public.billing_plan", "foreign key"),
        (
            "INSERT INTO public.billing_planversion (plan_id, starts_on, terms, vat_mode, made_at, made_by)"
            " SELECT plan_id, starts_on, terms, vat_mode, now(), '' FROM public.billing_planversion",
            "one_version_from_a_day",
        ),
    ],
)
def test_prices_and_rates_that_were_in_force_stay(sql: str, why: str) -> None:
    tried(sql, why=why)


@pytest.mark.django_db
def test_prices_and_rates_of_the_future_may_be_taken_back_while_nobody_has_them(ours: Subscription) -> None:
    free, taken = (
        money.version("per_concurrency", date(2990, 1, 1)),
        money.version("per_concurrency", date(2991, 1, 1)),
    )
    VatRate.objects.create(starts_on=date(2990, 1, 1), percent=Decimal(25))
    Phase.objects.filter(subscription=ours).update(ends_on=date(2991, 1, 1))
    Phase.objects.create(subscription=ours, version=taken, starts_on=date(2991, 1, 1))
    money.committed("DELETE FROM public.billing_planversion WHERE id = %s", free.pk)
    money.committed("DELETE FROM public.billing_vatrate WHERE starts_on = '2990-01-01'")
    assert not PlanVersion.objects.filter(pk=free.pk).exists()
    tried("DELETE FROM public.billing_planversion WHERE id = %s", taken.pk, why="foreign key")


# Subscriptions


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "time_zone = 'Asia/Vladivostok'",
        "starts_on = '2025-01-01'",
        "company_id = %(other)s",
        "seller_id = %(seller)s",
    ],
)
def test_what_a_subscription_was_made_with_is_frozen(change: str, ours: Subscription, beta: Company) -> None:
    second = money.seller(legal_name="ООО «Вторая»", inn="7728168971", prefix="В-")
    values = {"other": beta.pk, "seller": second.pk, "id": ours.pk}
    with refused("frozen"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE public.billing_subscription SET {change} WHERE id = %(id)s", values)  # noqa: S608


@pytest.mark.django_db
def test_a_subscription_is_not_deleted(ours: Subscription) -> None:
    tried(
        "DELETE FROM public.billing_phase; DELETE FROM public.billing_subscription",
        why="ends, it is not deleted",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "days", [("2025-06-01", "2026-01-02"), ("2026-12-31", None), ("2026-03-01", "2026-03-02")]
)
def test_a_company_has_one_subscription_on_a_day(
    days: tuple[str, str | None], ours: Subscription, theirs: Subscription
) -> None:
    insert = """INSERT INTO public.billing_subscription (company_id, seller_id, time_zone, starts_on, ends_on, made_at,
        made_by) VALUES (%s, %s, 'UTC', %s, %s, now(), '')"""
    tried(insert, ours.company_id, ours.seller_id, *days, why="on some of these days")
    Subscription.objects.filter(pk=theirs.pk).update(ends_on=date(2026, 2, 1))
    tried(insert, theirs.company_id, ours.seller_id, "2026-01-31", None, why="on some of these days")
    money.committed(insert, theirs.company_id, ours.seller_id, "2026-02-01", None)
    assert Subscription.objects.filter(company=theirs.company).count() == 2


@pytest.mark.django_db
def test_a_subscription_does_not_end_within_invoiced_days(issued: Invoice, others: Invoice) -> None:
    sql = "UPDATE public.billing_subscription SET ends_on = %s WHERE id = %s"
    for invoice in (issued, others):
        tried(sql, "2026-06-30", invoice.subscription_id, why="Days until 2026-07-01 are invoiced")
        money.committed(sql, "2026-07-01", invoice.subscription_id)
    assert set(Subscription.objects.values_list("ends_on", flat=True)) == {date(2026, 7, 1)}
    money.committed(sql, None, issued.subscription_id)
    tried(sql, "2025-12-31", issued.subscription_id)


@pytest.mark.django_db
def test_phases_do_not_share_a_day(ours: Subscription, theirs: Subscription) -> None:
    insert = """INSERT INTO public.billing_phase (subscription_id, version_id, starts_on, ends_on, made_at, made_by)
        SELECT subscription_id, version_id, %s, %s, now(), '' FROM public.billing_phase WHERE subscription_id = %s"""
    for subscription in (ours, theirs):
        tried(insert, "2026-07-01", None, subscription.pk, why="a plan on some of these days")
        tried(insert, "2025-12-01", "2026-01-02", subscription.pk, why="a plan on some of these days")
        tried(insert, "2025-12-01", "2025-12-01", subscription.pk)
    Phase.objects.filter(subscription=ours).update(ends_on=date(2026, 7, 1))
    money.committed(insert, "2026-07-01", None, ours.pk)
    tried(
        "UPDATE public.billing_phase SET ends_on = '2026-07-02' WHERE ends_on = '2026-07-01'",
        why="some of these days",
    )
    later = Phase.objects.get(starts_on=date(2026, 7, 1))
    tried(
        "UPDATE public.billing_phase SET subscription_id = %s WHERE id = %s", theirs.pk, later.pk,
        why="a plan on some of these days",
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE public.billing_phase SET version_id = (SELECT max(id) FROM public.billing_planversion v"
        " WHERE v.id <> version_id)",
        "UPDATE public.billing_phase SET starts_on = '2026-06-15'",
        "UPDATE public.billing_phase SET starts_on = '2025-06-15'",
        "UPDATE public.billing_phase SET agreed_price = 1",
        "UPDATE public.billing_phase SET ends_on = '2026-06-30'",
        "DELETE FROM public.billing_phase",
    ],
)
def test_an_invoiced_plan_keeps_what_was_invoiced(sql: str, issued: Invoice, others: Invoice) -> None:
    tried(sql, why="Days until 2026-07-01 are invoiced")


@pytest.mark.django_db
def test_an_invoiced_plan_may_end_later_and_an_uninvoiced_one_may_change(
    issued: Invoice, theirs: Subscription
) -> None:
    own, free = Phase.objects.get(subscription=issued.subscription), Phase.objects.get(subscription=theirs)
    money.committed("UPDATE public.billing_phase SET ends_on = '2026-07-01' WHERE id = %s", own.pk)
    insert = """INSERT INTO public.billing_phase (subscription_id, version_id, starts_on, made_at, made_by)
        VALUES (%s, %s, %s, now(), '')"""
    money.committed(insert, own.subscription_id, own.version_id, "2026-07-01")
    money.committed(
        "UPDATE public.billing_phase SET agreed_price = 9000, starts_on = '2026-02-01' WHERE id = %s", free.pk
    )
    money.committed("DELETE FROM public.billing_phase WHERE id = %s", free.pk)
    assert Phase.objects.filter(subscription=issued.subscription).count() == 2
    assert not Phase.objects.filter(subscription=theirs).exists()


# Invoices


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "total = 1", "vat = 0", "number = 7", "year = 2027", "full_number = 'X'", "period_start = '2026-05-01'",
        "company_id = %(other)s", "subscription_id = %(subscription)s", "buyer_copy = '{}'", "seller_copy = '{}'",
        "issued_on = '2026-01-01'", "due_on = '2027-01-01'", "input_hash = ''", "cut_event = now()", "kind = 'x'",
        "revision = 2", "id = id + 1000", "finalised_at = now()", "drafted_at = now()", "state = 'draft'",
        "state = 'needs_approval'", "state = 'gone'", "number = NULL",
    ],
)  # fmt: skip
def test_an_issued_invoice_does_not_change(change: str, issued: Invoice, others: Invoice) -> None:
    values = {"other": others.company_id, "subscription": others.subscription_id, "id": issued.pk}
    with refused(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE public.billing_invoice SET {change} WHERE id = %(id)s", values)  # noqa: S608


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["finalised", "paid", "void"])
def test_an_issued_invoice_is_never_deleted(state: str, issued: Invoice) -> None:
    Invoice.objects.filter(pk=issued.pk).update(state=state)
    tried("DELETE FROM public.billing_invoice", why="never deleted")
    tried("DELETE FROM public.billing_invoiceline; DELETE FROM public.billing_invoice", why="does not change")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "after"),
    [("paid", "void"), ("void", "finalised"), ("void", "paid"), ("paid", "draft"), ("void", "draft")],
)
def test_an_invoice_goes_no_other_way(before: str, after: str, issued: Invoice) -> None:
    Invoice.objects.filter(pk=issued.pk).update(state=before)
    tried("UPDATE public.billing_invoice SET state = %s", after, why="does not become")


@pytest.mark.django_db
def test_paid_and_unpaid_again_and_void_are_ways_an_invoice_may_go(issued: Invoice) -> None:
    for state in ("paid", "finalised", "void"):
        money.committed("UPDATE public.billing_invoice SET state = %s, paid_at = NULL", state)
    assert Invoice.objects.get().state == "void"


@pytest.mark.django_db
def test_when_and_why_an_invoice_was_void_stays(issued: Invoice) -> None:
    Invoice.objects.update(state="void", void_reason="Ошибка", voided_at=AT)
    for change in ("void_reason = 'Другое'", "voided_at = now()", "paid_at = now()", "voided_at = NULL"):
        tried(f"UPDATE public.billing_invoice SET {change}", why="does not change|stays")  # noqa: S608
    assert Invoice.objects.get().voided_at == AT


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["finalised", "paid", "void"])
def test_an_invoice_is_not_born_issued(state: str, ours: Subscription) -> None:
    insert = """INSERT INTO public.billing_invoice (seller_id, company_id, subscription_id, kind, revision,
        period_start, period_end, state, year, number, full_number, issued_on, due_on, seller_copy, buyer_copy, total,
        vat, input_hash, cut_event, cut_stored, drafted_at, finalised_at, void_reason)
        VALUES (%s, %s, %s, 'regular', 1, '2026-07-01', '2026-08-01', %s, 2026, %s, '', '2026-08-04', '2026-08-14',
        '{}', '{}', 0, 0, '', now(), now(), now(), now(), '')"""
    whole = (ours.seller_id, ours.company_id, ours.pk)
    tried(insert, *whole, state, 1, why="begins as a draft")
    tried(insert, *whole, "draft", 1, why="begins as a draft")
    money.committed(insert, *whole, "draft", None)
    tried("UPDATE public.billing_invoice SET number = 1", why="A draft has no number")


@pytest.mark.django_db
@pytest.mark.parametrize("number", [None, 0, 1, 3, -1])
def test_numbers_have_no_gap_and_no_double(number: int | None, issued: Invoice) -> None:
    """Number 1 is given: the next is 2 and nothing else. Another year and another seller begin at 1."""
    waiting = draft(issued.subscription)
    tried(FINALISE, number, "1500.00", waiting.pk, why="The next number is 2")
    money.committed(FINALISE, 2, "1500.00", waiting.pk)
    assert Invoice.objects.get(pk=waiting.pk).number == 2


@pytest.mark.django_db
def test_each_year_and_each_seller_have_numbers_of_their_own(issued: Invoice, beta: Company) -> None:
    second = money.seller(legal_name="ООО «Вторая»", inn="7728168971", prefix="В-")
    with_other_seller = draft(money.subscribe(beta, sold_by=second))
    tried(FINALISE, 2, "1500.00", with_other_seller.pk, why="The next number is 1")
    money.committed(FINALISE, 1, "1500.00", with_other_seller.pk)
    next_year = draft(issued.subscription)
    money.committed(FINALISE.replace("year = 2026", "year = 2027"), 1, "1500.00", next_year.pk)
    assert sorted(Invoice.objects.values_list("seller", "year", "number")) == sorted(
        [(issued.seller_id, 2026, 1), (issued.seller_id, 2027, 1), (second.pk, 2026, 1)]
    )


@pytest.mark.django_db
def test_a_void_invoices_number_is_not_given_again(issued: Invoice) -> None:
    Invoice.objects.update(state="void")
    again = draft(issued.subscription)
    tried(FINALISE, 1, "1500.00", again.pk, why="The next number is 2")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "total"), [("1500.00", "1499.99"), ("1500.00", "0"), (None, "1500.00"), ("1500.00", None)]
)
def test_an_invoice_whose_lines_do_not_add_up_is_not_issued(
    line: str | None, total: str | None, ours: Subscription
) -> None:
    tried(FINALISE, 1, total, draft(ours, amount=line).pk)


@pytest.mark.django_db
def test_an_invoice_without_a_price_is_not_issued(ours: Subscription) -> None:
    waiting = draft(ours)
    InvoiceLine.objects.create(
        invoice=waiting, position=2, kind="unagreed", title_ru="Звонки", title_en="Calls", begin_on=date(2026, 7, 1),
        end_on=date(2026, 8, 1), share_days=31, month_days=31, quantity=41,
    )  # fmt: skip
    tried(FINALISE, 1, "1500.00", waiting.pk, why="do not add up")
    Invoice.objects.update(state="needs_approval")
    tried(FINALISE, 1, "1500.00", waiting.pk, why="does not become")
    tried("UPDATE public.billing_invoice SET state = 'void'", why="does not become")
    tried("UPDATE public.billing_invoice SET state = 'paid'", why="does not become")


@pytest.mark.django_db
def test_a_month_has_one_invoice_of_a_revision(issued: Invoice) -> None:
    with refused("one_invoice_a_period"):
        draft(issued.subscription, date(2026, 6, 1))


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["finalised", "paid", "void"])
def test_what_an_issued_invoice_says_does_not_change(state: str, issued: Invoice, others: Invoice) -> None:
    Invoice.objects.filter(pk=issued.pk).update(state=state)
    loose = draft(others.subscription)
    line = InvoiceLine.objects.get(invoice=issued)
    free = InvoiceLine.objects.get(invoice=loose)
    for sql in (
        "UPDATE public.billing_invoiceline SET amount = 1, net = 1, vat = 0 WHERE id = %(line)s",
        "UPDATE public.billing_invoiceline SET title_ru = '' WHERE id = %(line)s",
        "UPDATE public.billing_invoiceline SET details = '{}' WHERE id = %(line)s",
        "UPDATE public.billing_invoiceline SET invoice_id = %(loose)s, position = 2 WHERE id = %(line)s",
        "UPDATE public.billing_invoiceline SET invoice_id = %(issued)s, position = 2 WHERE id = %(free)s",
        "DELETE FROM public.billing_invoiceline WHERE id = %(line)s",
        "INSERT INTO public.billing_invoiceline SELECT (l).* FROM (SELECT jsonb_populate_record(l, jsonb_build_object("
        "'id', 99999, 'position', 2, 'invoice_id', %(issued)s)) AS l FROM public.billing_invoiceline l"
        " WHERE id = %(free)s) AS made",
        "INSERT INTO public.billing_usagerecord (invoice_id, begin, until, measure, quantity, keys, mark, cut_event,"
        " cut_stored) VALUES (%(issued)s, now(), now(), 'calls', 1, '[]', '{}', now(), now())",
    ):
        with refused("does not change"), connection.cursor() as cursor:
            cursor.execute(sql, {"line": line.pk, "free": free.pk, "issued": issued.pk, "loose": loose.pk})


@pytest.mark.django_db
def test_what_was_measured_for_an_issued_invoice_stays(ours: Subscription) -> None:
    waiting = draft(ours)
    UsageRecord.objects.create(
        invoice=waiting, begin=AT, until=AT, measure="calls", quantity=3, cut_event=AT, cut_stored=AT
    )
    money.committed("UPDATE public.billing_usagerecord SET quantity = 4")
    money.committed(FINALISE, 1, "1500.00", waiting.pk)
    tried("UPDATE public.billing_usagerecord SET quantity = 5", why="does not change")
    tried("DELETE FROM public.billing_usagerecord", why="does not change")


@pytest.mark.django_db
def test_a_draft_and_its_lines_may_go(ours: Subscription) -> None:
    draft(ours)
    money.committed("DELETE FROM public.billing_invoiceline")
    money.committed("DELETE FROM public.billing_invoice")
    assert not Invoice.objects.exists()


@pytest.mark.django_db
def test_a_line_adds_up(ours: Subscription) -> None:
    draft(ours)
    tried("UPDATE public.billing_invoiceline SET amount = amount + 0.01", why="line_adds_up")


# Credit notes


@pytest.mark.django_db
def test_a_credit_note_neither_changes_nor_goes(issued: Invoice, others: Invoice) -> None:
    for invoice in (issued, others):
        money.credit_note(invoice, Decimal("100.00"))
    for sql in (
        "UPDATE public.billing_creditnote SET amount = 1, net = 1", "UPDATE public.billing_creditnote SET reason = ''",
        "DELETE FROM public.billing_creditnote",
    ):  # fmt: skip
        tried(sql, why="does not change")


@pytest.mark.django_db
def test_no_more_is_credited_than_was_invoiced(issued: Invoice) -> None:
    money.credit_note(issued, Decimal("1000.00"))
    with refused("is not given back"):
        money.credit_note(issued, Decimal("500.01"))
    money.credit_note(issued, Decimal("500.00"))
    for amount in ("0.00", "-1.00"):
        with refused():
            money.credit_note(issued, Decimal(amount))
    assert CreditNote.objects.count() == 2


COPY_NOTE = """INSERT INTO public.billing_creditnote SELECT (n).* FROM (SELECT jsonb_populate_record(n,
    jsonb_build_object('id', 99999, 'fingerprint', 'other', 'number', %s::int, 'invoice_id', %s::bigint)) AS n
    FROM public.billing_creditnote n LIMIT 1) AS made"""


@pytest.mark.django_db
def test_credit_notes_are_numbered_without_a_gap_and_belong_to_their_invoices_company(
    issued: Invoice, others: Invoice
) -> None:
    money.credit_note(issued, Decimal("100.00"))
    for number in (None, 1, 3):
        tried(COPY_NOTE, number, issued.pk, why="The next number is 2")
    tried(COPY_NOTE, 2, others.pk, why="of this company")
    tried(COPY_NOTE, 2, draft(issued.subscription).pk, why="Only an issued invoice")
    money.committed(COPY_NOTE, 2, issued.pk)
    assert CreditNote.objects.filter(invoice=issued).count() == 2


@pytest.mark.django_db
def test_a_void_invoice_is_not_credited_and_a_finding_is_credited_once(
    issued: Invoice, others: Invoice
) -> None:
    Invoice.objects.filter(pk=others.pk).update(state="void")
    with refused("Only an issued invoice"):
        money.credit_note(others, Decimal("1.00"))
    money.credit_note(issued, Decimal("1.00"))
    tried(COPY_NOTE.replace("'fingerprint', 'other', ", ""), 2, issued.pk, why="credited_once")


# Payments

ALLOCATE = """INSERT INTO public.billing_allocation (payment_id, invoice_id, amount, made_at)
    VALUES (%s, %s, %s, now())"""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "amount = 1",
        "paid_on = '2026-01-01'",
        "document = '7'",
        "payer_inn = '1'",
        "purpose = ''",
        "fingerprint = 'x'",
        "id = 9",
    ],
)
def test_what_the_bank_told_does_not_change(change: str, alpha: Company, beta: Company) -> None:
    payment(alpha, purpose="Оплата")
    tried(f"UPDATE public.billing_payment SET {change}", why="does not change")  # noqa: S608
    payment(beta, purpose="Оплата")
    tried("DELETE FROM public.billing_payment", why="never deleted")


@pytest.mark.django_db
def test_a_payment_pays_what_is_owed_and_no_more(issued: Invoice) -> None:
    paid = payment(issued.company, "1000.00")
    tried(ALLOCATE, paid.pk, issued.pk, "1000.01", why="no so much left")
    tried(ALLOCATE, paid.pk, issued.pk, "0", why="allocation_is_money")
    tried(ALLOCATE, paid.pk, issued.pk, "-1", why="allocation_is_money")
    money.committed(ALLOCATE, paid.pk, issued.pk, "1000.00")
    tried(ALLOCATE, paid.pk, issued.pk, "0.01")
    second = payment(issued.company, "2000.00")
    tried(ALLOCATE, second.pk, issued.pk, "500.01", why="not owed so much")
    money.credit_note(issued, Decimal("200.00"))
    tried(ALLOCATE, second.pk, issued.pk, "300.01", why="not owed so much")
    money.committed(ALLOCATE, second.pk, issued.pk, "300.00")
    assert Allocation.objects.count() == 2
    tried("UPDATE public.billing_allocation SET amount = amount - 1", why="Take the payment off")


@pytest.mark.django_db
def test_a_payment_pays_its_own_companys_issued_invoices_only(issued: Invoice, others: Invoice) -> None:
    own, foreign, nobodys = payment(issued.company), payment(others.company), payment(None)
    tried(ALLOCATE, foreign.pk, issued.pk, 1, why="of its own company")
    tried(ALLOCATE, own.pk, others.pk, 1, why="of its own company")
    tried(ALLOCATE, nobodys.pk, issued.pk, 1, why="of its own company")
    tried(ALLOCATE, own.pk, draft(issued.subscription).pk, 1, why="Only an issued invoice is paid")
    ignored = payment(issued.company, "5.00", state="ignored")
    tried(ALLOCATE, ignored.pk, issued.pk, 1, why="of its own company")
    Invoice.objects.filter(pk=issued.pk).update(state="void")
    tried(ALLOCATE, own.pk, issued.pk, 1, why="Only an issued invoice is paid")


@pytest.mark.django_db
def test_a_payment_that_pays_is_taken_off_before_it_goes_elsewhere(issued: Invoice, beta: Company) -> None:
    paid = payment(issued.company)
    Allocation.objects.create(payment=paid, invoice=issued, amount=Decimal(1))
    tried("UPDATE public.billing_payment SET company_id = %s", beta.pk, why="take it off")
    tried("UPDATE public.billing_payment SET company_id = NULL, state = 'unmatched'", why="take it off")
    tried("UPDATE public.billing_payment SET state = 'ignored'", why="take it off")
    tried("UPDATE public.billing_payment SET state = 'unmatched'", why="take it off")
    money.committed("DELETE FROM public.billing_allocation")
    money.committed("UPDATE public.billing_payment SET company_id = NULL, state = 'unmatched'")
    tried("UPDATE public.billing_payment SET state = 'matched'", why="matched_to_somebody")


# All of it


@pytest.mark.django_db
def test_what_was_done_stays_written(alpha: Company, beta: Company) -> None:
    for company in (alpha, beta):
        record(who=TIMETABLE, verb="invoice.finalise", company=company)
    tried("UPDATE public.billing_act SET who = 'nobody'", why="stays written")
    tried("DELETE FROM public.billing_act", why="stays written")
    assert Act.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("table", [*KEPT, "seller", "bankstatement", "billingrun"])
def test_nothing_is_emptied_away(table: str, issued: Invoice, others: Invoice) -> None:
    tried(f"TRUNCATE public.billing_{table} CASCADE", why="not emptied away")


@pytest.mark.django_db
def test_a_companys_own_scope_is_no_way_round(issued: Invoice, others: Invoice) -> None:
    """Inside a company the search path has its own schema first; the rows and their guards are the same."""
    with company_scope("beta"):
        tried("UPDATE billing_invoice SET total = 1", why="does not change")
        tried("DELETE FROM billing_invoiceline", why="does not change")
        with refused("on some of these days"):
            Subscription.objects.create(
                company=issued.company, seller=issued.seller, time_zone="UTC", starts_on=date(2026, 5, 1)
            )


# Two at the same time


def both(*acts: Callable[[], object], isolation: str = "READ COMMITTED") -> list[str]:
    """Run each in a transaction and thread of its own, all begun before any may act; "" or the refusal of each."""
    ready, answers = threading.Barrier(len(acts)), ["not run"] * len(acts)

    def one(place: int, act: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                money.committed(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
                money.committed(
                    "SELECT count(*) FROM public.billing_invoice"
                )  # the snapshot, if there is to be one
                ready.wait(timeout=30)
                act()
            answers[place] = ""
        except DatabaseError as error:
            answers[place] = str(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


ONE = [False, True]  # refused?
NOBODY = [True, True]


def refusals(answers: list[str]) -> list[bool]:
    assert "not run" not in answers
    return sorted(bool(answer) for answer in answers)


@pytest.mark.django_db(transaction=True)
def test_of_all_who_do_the_same_at_once_one_succeeds() -> None:
    """With a snapshot of before as well: then nobody may decide by sums, for they may be old."""
    alpha, beta = (Company.objects.get(schema_name=slug) for slug in ("alpha", "beta"))
    seller, version = money.seller(), PlanVersion.objects.get(plan__code="per_concurrency")
    free = Subscription.objects.create(
        company=beta, seller=seller, time_zone="UTC", starts_on=date(2026, 1, 1)
    )

    def subscribe(day: int) -> Callable[[], object]:
        return lambda: Subscription.objects.create(
            company=alpha, seller=seller, time_zone="UTC", starts_on=date(2026, 1, day)
        )

    def take(begin: date, end: date | None) -> Callable[[], object]:
        return lambda: Phase.objects.create(subscription=free, version=version, starts_on=begin, ends_on=end)

    assert refusals(both(subscribe(1), subscribe(2), isolation="REPEATABLE READ")) == ONE
    assert Subscription.objects.filter(company=alpha).count() == 1
    early = date(2026, 1, 1), date(2026, 2, 1)
    assert refusals(both(take(*early), take(*early), isolation="REPEATABLE READ")) == ONE
    assert refusals(both(take(date(2026, 2, 1), None), take(date(2026, 2, 2), None))) == ONE
    assert Phase.objects.filter(subscription=free).count() == 2

    first, second = draft(free), draft(Subscription.objects.get(company=alpha))
    finalise = [lambda pk=each.pk: money.committed(FINALISE, 1, "1500.00", pk) for each in (first, second)]
    assert refusals(both(*finalise, isolation="REPEATABLE READ")) == NOBODY
    assert refusals(both(*finalise)) == ONE
    assert list(Invoice.objects.filter(state="finalised").values_list("number", flat=True)) == [1]

    issued = Invoice.objects.get(state="finalised")
    credits = [
        lambda amount=each: money.credit_note(issued, Decimal(amount)) for each in ("1000.00", "900.00")
    ]
    assert refusals(both(*credits, isolation="REPEATABLE READ")) == NOBODY
    assert refusals(both(*credits)) == ONE
    payments = [payment(issued.company, "400.00"), payment(issued.company, "450.00")]
    spend = [
        lambda row=each: Allocation.objects.create(payment=row, invoice=issued, amount=row.amount)
        for each in payments
    ]
    assert refusals(both(*spend, isolation="REPEATABLE READ")) == NOBODY
    assert refusals(both(*spend)) == ONE
    assert Allocation.objects.get().amount + CreditNote.objects.get().amount <= Decimal("1500.00")


@pytest.mark.django_db(transaction=True)
def test_a_line_slipped_in_while_an_invoice_is_issued_is_refused_or_counted() -> None:
    subscription = money.subscribe(Company.objects.get(schema_name="alpha"))
    waiting = draft(subscription)
    row = InvoiceLine.objects.get()

    def slip() -> None:
        row.pk, row.position = None, 2
        row.save(force_insert=True)

    answers = both(lambda: money.committed(FINALISE, 1, "1500.00", waiting.pk), slip)
    assert refusals(answers) == ONE
    invoice = Invoice.objects.get()
    lines = sum(line.amount or 0 for line in invoice.lines.all())
    assert (invoice.state, lines) in (("finalised", Decimal("1500.00")), ("draft", Decimal("3000.00")))

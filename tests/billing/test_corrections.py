"""Late facts after a month was issued: what goes up is on the next invoice, what goes down is a credit note, once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import CreditNote, Invoice, InvoiceLine, InvoiceState, ReviewItem, Subscription
from billing.services import corrections, unbilled
from billing.services.acts import Who
from billing.services.invoices import finalise, void
from billing.services.rating import Outcome, draft, preview
from monitoring.models import Call, Leg
from monitoring.models.policy import Policy
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.money import at_once, handled, moscow, profile_on, subscribe

pytestmark = pytest.mark.django_db
JUNE, JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (6, 7, 8, 9))
NOON = moscow(2026, 6, 10)
LONG = timedelta(minutes=10)
ANNA = Who("Анна", "platform")


def after(month: date) -> datetime:
    """In the grace of a month of 2026, or on its fifth day."""
    return moscow(2026, month.month + 1, 5)


def drafted(subscription: Subscription, month: date) -> Invoice:
    made = draft(subscription=subscription, month=month, now=after(month)).invoice
    assert made is not None
    return made


def issue(subscription: Subscription, month: date) -> Invoice:
    return finalise(who=ANNA, invoice=drafted(subscription, month), today=after(month).date())


def of_lines(invoice: Invoice) -> list[tuple[str, Decimal | None]]:
    return [(line.kind, line.amount) for line in invoice.lines.all()]


def late_call(company: Company, at: datetime = NOON) -> str:
    return handled(company, (at, at + LONG))


def gone(company: Company, key: str) -> None:
    """The call turns out to have lasted a moment: as many calls, fewer at once."""
    with company_scope(company.slug):
        call = Call.objects.get(key=key)
        Leg.objects.filter(call=call).update(talk=[], talk_seconds=0.0)
        handled_again = Leg.objects.get(call=call)
        start = (NOON + timedelta(hours=5)).timestamp()
        handled_again.talk = [[start, start + 1.0]]
        handled_again.ended = NOON + timedelta(hours=6)
        handled_again.save()
        Call.objects.filter(pk=call.pk).update(ended=NOON + timedelta(hours=6))


def give_back(subscription: Subscription, month: date) -> list[CreditNote]:
    return corrections.give_back(subscription=subscription, month=month, now=after(month) + timedelta(days=1))


@pytest.fixture
def two(alpha: Company, beta: Company) -> tuple[Subscription, Subscription]:
    """Both have five calls at once in June; only alpha's late facts are told below."""
    for company in (alpha, beta):
        at_once(company, 5, NOON)
    return subscribe(alpha), subscribe(beta)


Two = tuple[Subscription, Subscription]


def test_a_late_sixth_call_in_the_grace_makes_the_draft_3000(alpha: Company, two: Two) -> None:
    one, other = two
    assert (drafted(one, JUNE).total, drafted(other, JUNE).total) == (Decimal("1500.00"), Decimal("1500.00"))
    late_call(alpha)
    assert (drafted(one, JUNE).total, drafted(other, JUNE).total) == (Decimal("3000.00"), Decimal("1500.00"))
    assert not InvoiceLine.objects.filter(kind="correction").exists()


def test_a_late_sixth_call_after_finalisation_adds_1500_to_the_next_invoice(alpha: Company, two: Two) -> None:
    one, other = two
    june, theirs = issue(one, JUNE), issue(other, JUNE)
    key = late_call(alpha)
    assert draft(subscription=one, month=JUNE, now=after(JUNE)).outcome is Outcome.FINAL
    july = drafted(one, JULY)
    assert of_lines(july) == [("tier", Decimal("1500.00")), ("correction", Decimal("1500.00"))]
    assert july.total == Decimal("3000.00")
    line = july.lines.get(kind="correction")
    assert (line.corrects, line.vat, line.vat_rate) == (june, Decimal("270.49"), Decimal("22.00"))
    assert (line.quantity, line.details["was"], line.begin_on) == (6, 5, JUNE)
    assert key in line.details["keys"]
    assert line.title_ru == f"Корректировка к счёту № {june.full_number} за июнь 2026 г.: 6 вместо 5"
    june.refresh_from_db()
    assert (june.total, june.lines.count()) == (Decimal("1500.00"), 1)
    assert of_lines(drafted(other, JULY)) == [("tier", Decimal("1500.00"))]
    assert theirs.lines.count() == 1


def test_what_was_added_once_is_not_added_again(alpha: Company, two: Two) -> None:
    one, other = two
    issue(one, JUNE)
    issue(other, JUNE)
    late_call(alpha)
    assert issue(one, JULY).total == Decimal("3000.00")
    assert draft(subscription=one, month=JULY, now=after(JULY)).outcome is Outcome.FINAL
    assert of_lines(drafted(one, AUGUST)) == [("tier", Decimal("1500.00"))]
    assert give_back(one, JULY) == []
    assert give_back(other, JUNE) == []


def test_two_open_drafts_share_one_correction(alpha: Company, two: Two) -> None:
    one, _ = two
    issue(one, JUNE)
    late_call(alpha)
    july, august = drafted(one, JULY), drafted(one, AUGUST)
    assert [len(of_lines(each)) for each in (july, august)] == [2, 1]
    assert draft(subscription=one, month=JULY, now=after(JULY)).outcome is Outcome.UNCHANGED
    assert draft(subscription=one, month=AUGUST, now=after(AUGUST)).outcome is Outcome.UNCHANGED
    assert InvoiceLine.objects.filter(kind="correction").count() == 1


def test_a_void_invoice_gives_its_correction_to_its_next_revision(alpha: Company, two: Two) -> None:
    one, _ = two
    issue(one, JUNE)
    late_call(alpha)
    july = issue(one, JULY)
    void(who=ANNA, invoice=july, reason="не тот период")
    again = drafted(one, JULY)
    assert (again.revision, of_lines(again)[1:]) == (2, [("correction", Decimal("1500.00"))])


def test_a_second_late_call_adds_the_next_step_only(alpha: Company, two: Two) -> None:
    one, _ = two
    issue(one, JUNE)
    late_call(alpha)
    issue(one, JULY)
    for _ in range(10):
        late_call(alpha)
    august = drafted(one, AUGUST)
    assert of_lines(august) == [("tier", Decimal("1500.00")), ("correction", Decimal("2000.00"))]
    assert august.lines.get(kind="correction").details["was"] == 6


def test_a_late_call_that_changes_no_tier_costs_nothing_but_is_known(alpha: Company, two: Two) -> None:
    one, other = two
    issue(one, JUNE)
    late_call(alpha, NOON + timedelta(hours=3))
    july = issue(one, JULY)
    assert of_lines(july) == [("tier", Decimal("1500.00"))]
    assert july.usage.get(measure="earlier").mark["calls"] == 6
    for month in (AUGUST, SEPTEMBER):
        issue(one, month)
        issue(other, month)
    assert corrections.look_back(one.company, SEPTEMBER, now=after(SEPTEMBER)) == 0
    assert not ReviewItem.objects.exists()


def test_fewer_at_once_than_billed_are_credited_when_the_next_invoice_is_issued(
    alpha: Company, two: Two
) -> None:
    one, other = two
    key = late_call(alpha)
    june = issue(one, JUNE)
    assert june.total == Decimal("3000.00")
    issue(other, JUNE)
    gone(alpha, key)
    july = drafted(one, JULY)
    assert of_lines(july) == [("tier", Decimal("1500.00"))]
    seen = preview(subscription=one, month=JULY, now=after(JULY))
    assert [one_["amount"] for one_ in seen.given_back] == ["-1500.00"]
    assert give_back(one, JULY) == [], "not before the next invoice is issued"
    finalise(who=ANNA, invoice=july, today=date(2026, 8, 5))
    (note,) = give_back(one, JULY)
    assert (note.amount, note.vat, note.kind, note.invoice) == (
        Decimal("1500.00"),
        Decimal("270.49"),
        "late",
        june,
    )
    assert note.issued_on == date(2026, 8, 6)
    assert note.reason == f"Перерасчёт за июнь 2026 г. (счёт № {june.full_number}): 5 вместо 6"
    assert give_back(one, JULY) == []
    issue(one, AUGUST)
    assert give_back(one, AUGUST) == []
    assert CreditNote.objects.get() == note
    assert give_back(other, JUNE) == []


def test_up_down_and_up_again_is_told_each_time_and_never_twice(alpha: Company, two: Two) -> None:
    one, _ = two
    june = issue(one, JUNE)
    key = late_call(alpha)
    july = issue(one, JULY)
    gone(alpha, key)
    (note,) = give_back(one, JULY)
    assert (note.invoice, note.amount) == (july, Decimal("1500.00")), "on the invoice that had added it"
    late_call(alpha)
    august = drafted(one, AUGUST)
    assert of_lines(august)[1:] == [("correction", Decimal("1500.00"))]
    assert august.lines.get(kind="correction").corrects == june
    assert give_back(one, JULY) == []


def test_fewer_calls_than_billed_move_no_money_and_wait_for_a_person(alpha: Company, two: Two) -> None:
    one, other = two
    key = late_call(alpha)
    issue(one, JUNE)
    issue(other, JUNE)
    with company_scope("alpha"):
        Call.objects.filter(key=key).delete()
    july = issue(one, JULY)
    assert of_lines(july) == [("tier", Decimal("1500.00"))]
    assert give_back(one, JULY) == []
    item = ReviewItem.objects.get()
    assert (item.kind, item.company, item.invoice, item.period_start) == (
        "fewer_calls", alpha, Invoice.objects.get(company=alpha, period_start=JUNE), JUNE,
    )  # fmt: skip
    assert (item.details["billed"][0]["calls"], item.details["now"][0]["calls"]) == (6, 5)
    assert not CreditNote.objects.exists()


def test_calls_removed_by_the_companys_own_rule_move_no_money(alpha: Company, two: Two) -> None:
    one, _ = two
    issue(one, JUNE)
    late_call(alpha)
    with company_scope("alpha"):
        Policy.objects.update_or_create(pk=1, defaults={"keep_calls": 30})
    for _ in range(3):
        drafted(one, JULY)
        with company_scope("alpha"):
            Call.objects.filter(pk=Call.objects.order_by("pk").values("pk")[:1]).delete()
    removed = ReviewItem.objects.filter(period_start=JUNE)
    assert [(item.kind, item.details) for item in removed] == [("fewer_calls", {"why": "removed"})]
    assert not InvoiceLine.objects.filter(kind="correction").exists()
    assert not CreditNote.objects.exists()


def test_a_change_older_than_two_months_is_for_the_review_list(alpha: Company, two: Two) -> None:
    one, other = two
    for month in (JUNE, JULY, AUGUST):
        issue(one, month)
        issue(other, month)
    late_call(alpha)
    september = drafted(one, SEPTEMBER)
    assert of_lines(september) == [("tier", Decimal("1500.00"))]
    for _ in range(2):
        assert corrections.look_back(alpha, SEPTEMBER, now=after(SEPTEMBER)) == 1
    assert corrections.look_back(other.company, SEPTEMBER, now=after(SEPTEMBER)) == 0
    item = ReviewItem.objects.get()
    assert (item.kind, item.company, item.period_start) == ("too_old", alpha, JUNE)


def test_what_was_credited_in_time_is_not_too_old_later(alpha: Company, two: Two) -> None:
    one, _ = two
    key = late_call(alpha)
    for month in (JUNE, JULY):
        issue(one, month)
    gone(alpha, key)
    assert len(give_back(one, JULY)) == 1
    for month in (AUGUST, SEPTEMBER):
        issue(one, month)
    assert corrections.look_back(alpha, SEPTEMBER, now=after(SEPTEMBER)) == 0


def test_forty_one_by_a_late_call_asks_a_person_for_the_price(alpha: Company, two: Two) -> None:
    one, _ = two
    issue(one, JUNE)
    at_once(alpha, 36, NOON)
    july = drafted(one, JULY)
    assert (july.state, of_lines(july)) == (InvoiceState.DRAFT, [("tier", Decimal("1500.00"))])
    item = ReviewItem.objects.get()
    assert (item.kind, item.details) == ("no_price", {"why": "corrected", "now": 41})


def test_a_month_is_corrected_by_the_prices_it_was_billed_by(alpha: Company, two: Two) -> None:
    from tests.factories.money import version

    one, _ = two
    issue(one, JUNE)
    late_call(alpha)
    dear = {"tiers": [{"up_to": 5, "price": "9000.00"}, {"up_to": 15, "price": "9900.00"}]}
    version("per_concurrency", date(2026, 5, 1), terms=dear, existing_from=date(2026, 6, 1))
    assert of_lines(drafted(one, JULY)) == [("tier", Decimal("9000.00")), ("correction", Decimal("1500.00"))]


def test_a_correction_has_the_vat_of_the_days_it_is_for(alpha: Company, beta: Company) -> None:
    noon = moscow(2025, 12, 10)
    one, other = subscribe(alpha, starts_on=date(2025, 12, 1)), subscribe(beta, starts_on=date(2025, 12, 1))
    at_once(alpha, 5, noon)
    december = draft(subscription=one, month=date(2025, 12, 1), now=moscow(2026, 1, 5)).invoice
    assert december is not None
    finalise(who=ANNA, invoice=december, today=date(2026, 1, 5))
    late_call(alpha, noon)
    january = draft(subscription=one, month=date(2026, 1, 1), now=moscow(2026, 2, 5)).invoice
    assert january is not None
    assert [(line.vat_rate, line.vat) for line in january.lines.all()] == [
        (Decimal("22.00"), Decimal("270.49")),
        (Decimal("20.00"), Decimal("250.00")),
    ]
    assert draft(subscription=other, month=date(2026, 1, 1), now=moscow(2026, 2, 5)).outcome is Outcome.MADE


def test_a_profile_told_late_is_made_up_for_too(alpha: Company, beta: Company) -> None:
    one, other = subscribe(alpha, "per_profile"), subscribe(beta, "per_profile")
    for company in (alpha, beta):
        for _ in range(3):
            profile_on(company, moscow(2026, 6, 2))
    issue(one, JUNE)
    issue(other, JUNE)
    profile_on(alpha, moscow(2026, 6, 3), moscow(2026, 6, 4))
    assert of_lines(drafted(one, JULY)) == [("base", Decimal("1000.00")), ("correction", Decimal("250.00"))]
    assert of_lines(drafted(other, JULY)) == [("base", Decimal("1000.00"))]


def test_a_subscription_that_ended_is_made_up_for_on_the_one_that_follows(
    alpha: Company, beta: Company
) -> None:
    at_once(alpha, 5, NOON)
    first = subscribe(alpha, ends_on=JULY)
    issue(first, JUNE)
    late_call(alpha)
    second = subscribe(alpha, "per_profile", JULY)
    assert of_lines(drafted(second, JULY)) == [
        ("base", Decimal("1000.00")),
        ("correction", Decimal("1500.00")),
    ]
    assert of_lines(drafted(subscribe(beta), JULY)) == [("tier", Decimal("1500.00"))]


def test_a_company_that_left_is_looked_at_by_a_person(alpha: Company, beta: Company) -> None:
    at_once(alpha, 5, NOON)
    issue(subscribe(alpha, ends_on=JULY), JUNE)
    subscribe(beta)
    late_call(alpha)
    for _ in range(2):
        unbilled.look(month=JULY, now=after(JULY))
    item = ReviewItem.objects.get()
    assert (item.kind, item.company, item.period_start) == ("too_old", alpha, JUNE)
    assert (item.details["why"], item.details["amount"]) == ("no_next_invoice", "1500.00")


def test_use_without_a_subscription_is_on_the_review_list_once(alpha: Company, beta: Company) -> None:
    subscribe(beta)
    late_call(alpha)
    late_call(beta)
    profile_on(alpha, NOON)
    for _ in range(2):
        assert unbilled.look(month=JUNE, now=after(JUNE)) == 1
    item = ReviewItem.objects.get()
    assert (item.kind, item.company, item.details) == ("no_subscription", alpha, {"calls": 1, "profiles": 1})
    assert unbilled.look(month=date(2026, 5, 1), now=after(JUNE)) == 0


def test_looking_at_two_issued_months_costs_the_same_however_many_calls(alpha: Company, two: Two) -> None:
    asked = []
    for subscription, late in zip(two, (30, 0), strict=True):
        for month in (JUNE, JULY):
            issue(subscription, month)
        at_once(subscription.company, late, moscow(2026, 8, 3))
        with CaptureQueriesContext(connection) as seen:
            drafted(subscription, AUGUST)
        asked.append(sum(not one["sql"].startswith("SET search_path") for one in seen.captured_queries))
    assert asked[0] == asked[1] <= 30

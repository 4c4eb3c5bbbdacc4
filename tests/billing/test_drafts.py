"""A month becomes a draft: the amounts of real calls, the same bytes for the same inputs, one row whoever makes it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import serializers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import (
    BillingRun,
    Invoice,
    InvoiceLine,
    InvoiceState,
    ReviewItem,
    Subscription,
    UsageRecord,
)
from billing.services import rating, review
from billing.services.errors import BadTerms, NotNow
from billing.services.rating import Outcome, draft, preview
from monitoring.models import Call
from monitoring.models.retention import Cleaning, Kind, Progress
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.money import (
    at_once,
    handled,
    moscow,
    phase,
    profile_on,
    subscribe,
    version,
)

pytestmark = pytest.mark.django_db
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
AFTER = moscow(2026, 7, 2)  # in the grace of June
MICRO = timedelta(microseconds=1)


def dump(invoice: Invoice) -> str:
    """Every byte of lines and evidence, but the moments of writing them."""
    lines = json.loads(serializers.serialize("json", invoice.lines.all()))
    usage = json.loads(serializers.serialize("json", invoice.usage.all()))
    for row in (*lines, *usage):
        del row["pk"]
        del row["fields"]["invoice"]
        row["fields"].pop("cut_stored", None)
    return json.dumps(
        [lines, usage, invoice.input_hash, str(invoice.total), str(invoice.vat)], sort_keys=True
    )


def drafted(subscription: Subscription, month: date = JUNE, now: datetime = AFTER) -> Invoice:
    made = draft(subscription=subscription, month=month, now=now).invoice
    assert made is not None
    return made


def test_a_company_without_calls_pays_the_first_tier_and_the_other_its_own(
    alpha: Company, beta: Company
) -> None:
    one, other = subscribe(alpha), subscribe(beta)
    at_once(beta, 6, moscow(2026, 6, 10))
    assert drafted(one).total == Decimal("1500.00")
    assert drafted(other).total == Decimal("3000.00")
    line = Invoice.objects.get(company=alpha).lines.get()
    assert (line.vat, line.net, line.vat_rate) == (Decimal("270.49"), Decimal("1229.51"), Decimal("22.00"))
    assert line.title_ru == "Одновременные звонки: до 5 (наибольшее число — 0) за июнь 2026 г."
    assert line.title_en == "Calls handled at once: up to 5 (peak 0) for June 2026"


def test_an_invoice_says_what_was_measured_when_and_in_which_calls(alpha: Company, beta: Company) -> None:
    began = moscow(2026, 6, 10)
    keys = at_once(alpha, 6, began)
    handled(beta, (began, began + timedelta(hours=1)))
    invoice = drafted(subscribe(alpha))
    usage = invoice.usage.get()
    assert (usage.measure, usage.quantity, usage.at, usage.keys) == ("calls", 6, began, sorted(keys))
    assert (usage.begin, usage.until) == (moscow(2026, 6, 1, 0), moscow(2026, 7, 1, 0))
    assert (usage.cut_event, usage.cut_stored) == (moscow(2026, 7, 1, 0), AFTER)
    assert usage.mark["calls"] == 6
    line = invoice.lines.get()
    assert (line.quantity, line.details["bounds"], line.details["plan"]) == (6, [6, 15], "per_concurrency")
    assert line.details["at"] == began.isoformat()
    assert line.details["keys"] == sorted(keys)


def test_a_sixth_call_that_overlaps_by_a_microsecond_costs_the_second_tier(
    alpha: Company, beta: Company
) -> None:
    noon = moscow(2026, 6, 10)
    for company, overlap in ((alpha, MICRO), (beta, timedelta(0))):
        for _ in range(5):
            handled(company, (noon, noon + timedelta(minutes=5) + overlap))
        handled(company, (noon + timedelta(minutes=5), noon + timedelta(minutes=9)))
    assert drafted(subscribe(alpha)).total == Decimal("3000.00")
    assert drafted(subscribe(beta)).total == Decimal("1500.00")


def test_four_profiles_from_the_sixteenth_pay_half_of_both_lines(alpha: Company, beta: Company) -> None:
    for _ in range(4):
        profile_on(alpha, moscow(2026, 6, 16))
    profile_on(beta, moscow(2026, 6, 16))
    invoice = drafted(subscribe(alpha, "per_profile", date(2026, 6, 16)))
    assert [(line.kind, line.amount, line.share_days, line.month_days) for line in invoice.lines.all()] == [
        ("base", Decimal("500.00"), 15, 30),
        ("further_profiles", Decimal("125.00"), 15, 30),
    ]
    assert invoice.total == Decimal("625.00")
    assert drafted(subscribe(beta, "per_profile", date(2026, 6, 16))).total == Decimal("500.00")


def test_a_second_draft_changes_nothing_and_a_fresh_one_has_the_same_bytes(
    alpha: Company, beta: Company
) -> None:
    at_once(alpha, 7, moscow(2026, 6, 10))
    subscription, other = subscribe(alpha), subscribe(beta)
    first = drafted(subscription)
    bytes_, made_at = dump(first), first.drafted_at
    again = draft(subscription=subscription, month=date(2026, 6, 20), now=AFTER + timedelta(hours=5))
    assert again.outcome is Outcome.UNCHANGED
    assert again.invoice is not None
    again.invoice.refresh_from_db()
    assert (dump(again.invoice), again.invoice.drafted_at) == (bytes_, made_at)
    first.lines.all().delete()
    first.usage.all().delete()
    first.delete()
    fresh = drafted(subscription, now=AFTER + timedelta(hours=9))
    assert dump(fresh) == bytes_
    assert not Invoice.objects.filter(subscription=other).exists()


def test_a_late_call_in_the_grace_replaces_the_lines_of_the_same_draft(alpha: Company, beta: Company) -> None:
    noon = moscow(2026, 6, 10)
    at_once(alpha, 5, noon)
    at_once(beta, 5, noon)
    subscription, other = subscribe(alpha), subscribe(beta)
    before, theirs = drafted(subscription), drafted(other)
    bytes_ = dump(theirs)
    assert before.total == Decimal("1500.00")
    handled(alpha, (noon, noon + timedelta(minutes=1)))
    found = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert found.outcome is Outcome.RECALCULATED
    assert found.invoice is not None
    assert (found.invoice.pk, found.invoice.total) == (before.pk, Decimal("3000.00"))
    assert found.invoice.input_hash != before.input_hash
    assert found.invoice.lines.count() == 1
    assert UsageRecord.objects.get(invoice=found.invoice).quantity == 6
    assert draft(subscription=other, month=JUNE, now=AFTER).outcome is Outcome.UNCHANGED
    assert dump(theirs) == bytes_


def test_a_call_that_comes_while_counting_is_noticed_at_the_next_draft(
    alpha: Company, beta: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon, counted = moscow(2026, 6, 10), rating.month_measured
    subscription, other = subscribe(alpha), subscribe(beta)
    at_once(alpha, 5, noon)

    def late(*args: object, **kwargs: object) -> object:
        month = counted(*args, **kwargs)  # type: ignore[arg-type] # passed on as given
        handled(alpha, (noon, noon + timedelta(minutes=1)))
        return month

    monkeypatch.setattr(rating, "month_measured", late)
    assert drafted(subscription).total == Decimal("1500.00")
    monkeypatch.undo()
    assert drafted(subscription).total == Decimal("3000.00")
    assert drafted(other).total == Decimal("1500.00")


def test_forty_one_at_once_wait_for_a_price_and_go_on_when_it_is_agreed(
    alpha: Company, beta: Company
) -> None:
    at_once(alpha, 41, moscow(2026, 6, 10))
    subscription, other = subscribe(alpha), subscribe(beta, agreed=Decimal("9000.00"))
    at_once(beta, 41, moscow(2026, 6, 10))
    found = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert found.outcome is Outcome.APPROVAL
    assert found.invoice is not None
    assert (found.invoice.state, found.invoice.total, found.invoice.vat) == ("needs_approval", None, None)
    line = found.invoice.lines.get()
    assert (line.amount, line.unit_price, line.details["bounds"]) == (None, None, [41, None])
    item = ReviewItem.objects.get()
    assert (item.kind, item.company, item.details, item.settled_at) == ("no_price", alpha, {"now": 41}, None)
    assert draft(subscription=subscription, month=JUNE, now=AFTER).outcome is Outcome.APPROVAL
    assert ReviewItem.objects.count() == 1
    subscription.phases.update(agreed_price=Decimal("7000.00"))
    priced = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert priced.outcome is Outcome.RECALCULATED
    assert priced.invoice is not None
    assert (priced.invoice.pk, priced.invoice.state) == (found.invoice.pk, InvoiceState.DRAFT)
    assert priced.invoice.total == Decimal("7000.00")
    item.refresh_from_db()
    assert item.settled_at is not None
    assert drafted(other).total == Decimal("9000.00")


def test_a_price_taken_back_puts_the_question_on_the_list_again(alpha: Company, beta: Company) -> None:
    at_once(alpha, 41, moscow(2026, 6, 10))
    subscription = subscribe(alpha)
    subscribe(beta)
    for price in (None, Decimal(7000), None):
        subscription.phases.update(agreed_price=price)
        draft(subscription=subscription, month=JUNE, now=AFTER)
    assert [(item.kind, item.settled_at) for item in ReviewItem.objects.all()] == [("no_price", None)]


def test_an_issued_month_is_not_touched(alpha: Company, beta: Company) -> None:
    from tests.factories.money import issued_invoice

    noon = moscow(2026, 6, 10)
    subscription, other = subscribe(alpha), subscribe(beta)
    issued = issued_invoice(subscription)
    bytes_ = dump(issued)
    at_once(alpha, 6, noon)
    found = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert (found.outcome, found.invoice) == (Outcome.FINAL, issued)
    assert dump(issued) == bytes_
    assert drafted(other).state == InvoiceState.DRAFT


def test_a_month_is_not_drafted_before_it_is_over_where_the_company_is(alpha: Company, beta: Company) -> None:
    east, west = subscribe(alpha, zone="Asia/Vladivostok"), subscribe(beta, zone="America/New_York")
    now = moscow(2026, 7, 1, 0, 30)  # July in Moscow and Vladivostok, June in New York
    assert draft(subscription=east, month=JUNE, now=now).outcome is Outcome.MADE
    with pytest.raises(NotNow):
        draft(subscription=west, month=JUNE, now=now)
    assert Invoice.objects.filter(subscription=west).count() == 0


def test_after_a_void_the_next_draft_is_a_new_revision(alpha: Company, beta: Company) -> None:
    from tests.factories.money import issued_invoice

    subscription = subscribe(alpha)
    issued_invoice(subscribe(beta))
    first = issued_invoice(subscription)
    Invoice.objects.filter(pk=first.pk).update(state=InvoiceState.VOID, void_reason="ошибка", voided_at=AFTER)
    found = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert found.outcome is Outcome.MADE
    assert found.invoice is not None
    assert (found.invoice.revision, found.invoice.pk != first.pk) == (2, True)
    assert draft(subscription=subscription, month=JUNE, now=AFTER).outcome is Outcome.UNCHANGED
    assert Invoice.objects.filter(subscription=subscription).count() == 2


def test_a_row_made_without_our_lock_is_taken_over_not_doubled(
    alpha: Company, beta: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription, other = subscribe(alpha), subscribe(beta)
    hidden = rating._standing
    asked: list[int] = []

    def blind(*args: object) -> Invoice | None:
        asked.append(1)
        return None if len(asked) == 1 else hidden(*args)  # type: ignore[arg-type] # passed on as given

    first = drafted(subscription)
    at_once(alpha, 6, moscow(2026, 6, 10))
    monkeypatch.setattr(rating, "_standing", blind)
    found = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert found.invoice is not None
    assert (found.invoice.pk, found.outcome) == (first.pk, Outcome.RECALCULATED)
    assert found.invoice.lines.get().amount == Decimal("3000.00")
    assert Invoice.objects.filter(subscription=other).count() == 0


def test_a_draft_of_days_that_are_no_longer_served_goes(alpha: Company, beta: Company) -> None:
    subscription, other = subscribe(alpha), subscribe(beta)
    drafted(subscription)
    drafted(other)
    subscription.ends_on = date(2026, 5, 1)
    subscription.save()
    found = draft(subscription=subscription, month=JUNE, now=AFTER)
    assert (found.outcome, found.invoice) == (Outcome.NOTHING, None)
    assert not Invoice.objects.filter(subscription=subscription).exists()
    assert Invoice.objects.filter(subscription=other).count() == 1


def test_days_without_a_plan_are_told_and_nothing_is_billed(alpha: Company, beta: Company) -> None:
    subscription, other = subscribe(alpha), subscribe(beta)
    subscription.phases.update(ends_on=date(2026, 6, 10))
    with pytest.raises(BadTerms, match=r"10\.06\.2026"):
        draft(subscription=subscription, month=JUNE, now=AFTER)
    phase(subscription, "per_profile", date(2026, 6, 11))
    with pytest.raises(BadTerms, match=r"10\.06\.2026"):
        draft(subscription=subscription, month=JUNE, now=AFTER)
    assert not Invoice.objects.filter(subscription=subscription).exists()
    assert drafted(other).total == Decimal("1500.00")


def test_a_changed_plan_is_two_lines_each_with_its_own_evidence(alpha: Company, beta: Company) -> None:
    subscription = subscribe(alpha)
    subscribe(beta)
    at_once(alpha, 6, moscow(2026, 6, 10))
    for _ in range(4):
        profile_on(alpha, moscow(2026, 6, 1), moscow(2026, 6, 20))
    subscription.phases.update(ends_on=date(2026, 6, 16))
    phase(subscription, "per_profile", date(2026, 6, 16))
    invoice = drafted(subscription)
    assert [(line.kind, line.amount) for line in invoice.lines.all()] == [
        ("tier", Decimal("1500.00")),  # 3000 × 15/30
        ("base", Decimal("500.00")),
        ("further_profiles", Decimal("125.00")),
    ]
    assert [(record.measure, record.quantity) for record in invoice.usage.all()] == [
        ("calls", 6),
        ("profiles", 4),
    ]
    assert invoice.total == sum(line.amount or 0 for line in invoice.lines.all())


PRICES = {"base": "1200.00", "included": 3, "further": "250.00"}


def test_a_new_price_reaches_those_it_says_and_nobody_else(alpha: Company, beta: Company) -> None:
    one, other = subscribe(alpha, "per_profile"), subscribe(beta, "per_profile", date(2026, 4, 20))
    newer = version("per_profile", date(2026, 4, 16), terms=PRICES)
    assert drafted(one, date(2026, 4, 1)).total == Decimal("1000.00"), "kept"
    newest = version("per_profile", date(2026, 5, 2), terms=PRICES, existing_from=date(2026, 5, 16))
    invoice = drafted(one, date(2026, 5, 1))
    assert [line.details["version"] for line in invoice.lines.all()] == [
        one.phases.get().version_id, newest.pk,
    ]  # fmt: skip
    assert invoice.total == Decimal("483.87") + Decimal("619.35")
    assert newer.pk not in [line.details["version"] for line in InvoiceLine.objects.all()]
    assert drafted(other, date(2026, 4, 1)).total == Decimal("366.67"), (
        "1000 × 11/30: subscribed before 16 April's"
    )


def test_the_base_of_april_goes_up_from_the_sixteenth(alpha: Company, beta: Company) -> None:
    version("per_profile", date(2026, 4, 16), terms=PRICES, existing_from=date(2026, 4, 16))
    assert drafted(subscribe(alpha, "per_profile"), date(2026, 4, 1)).total == Decimal("1100.00")
    assert drafted(subscribe(beta), date(2026, 4, 1)).total == Decimal("1500.00")


def test_a_version_with_another_vat_mode_taxes_its_own_days(alpha: Company, beta: Company) -> None:
    terms = {"base": "1000.00", "included": 3, "further": "250.00"}
    version("per_profile", date(2026, 4, 16), terms=terms, existing_from=date(2026, 4, 16), vat_mode="on_top")
    invoice = drafted(subscribe(alpha, "per_profile"), date(2026, 4, 1))
    assert [(line.net, line.vat, line.amount) for line in invoice.lines.all()] == [
        (Decimal("409.84"), Decimal("90.16"), Decimal("500.00")),
        (Decimal("500.00"), Decimal("110.00"), Decimal("610.00")),
    ]
    assert drafted(subscribe(beta, "per_profile", date(2026, 4, 20)), date(2026, 4, 1)).total == Decimal(
        "447.34"
    )


ONCE = {"base": "1000.00", "included": 3, "further": "250.00", "fee": "once"}


def test_a_connection_is_paid_once_and_each_further_profile_once(alpha: Company, beta: Company) -> None:
    version("per_profile", date(2025, 12, 1), terms=ONCE)
    one, other = subscribe(alpha, "per_profile", date(2026, 4, 10)), subscribe(beta)
    for _ in range(5):
        profile_on(alpha, moscow(2026, 4, 11))
    assert drafted(one, date(2026, 4, 1)).total == Decimal("1500.00")
    profile_on(alpha, moscow(2026, 6, 3))
    assert draft(subscription=one, month=date(2026, 5, 1), now=AFTER).outcome is Outcome.NOTHING
    june = drafted(one)
    assert [(line.kind, line.quantity, line.amount) for line in june.lines.all()] == [
        ("further_profiles", 1, Decimal("250.00"))
    ]
    assert drafted(other).total == Decimal("1500.00")


def test_agreeing_on_a_price_connects_nothing_anew(alpha: Company, beta: Company) -> None:
    version("per_profile", date(2025, 12, 1), terms=ONCE)
    one = subscribe(alpha, "per_profile", date(2026, 4, 10))
    subscribe(beta)
    one.phases.update(ends_on=date(2026, 5, 1))
    phase(one, "per_profile", date(2026, 5, 1), agreed=Decimal("100.00"))
    assert drafted(one, date(2026, 4, 1)).total == Decimal("1000.00")
    assert draft(subscription=one, month=date(2026, 5, 1), now=AFTER).outcome is Outcome.NOTHING


@pytest.mark.parametrize(
    ("zone", "begin", "until"),
    [
        ("Asia/Vladivostok", datetime(2026, 5, 31, 14, tzinfo=UTC), datetime(2026, 6, 30, 14, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("Europe/Moscow", datetime(2026, 5, 31, 21, tzinfo=UTC), datetime(2026, 6, 30, 21, tzinfo=UTC)),
    ],
)
def test_a_month_is_the_companys_own_wherever_the_server_stands(
    alpha: Company, beta: Company, zone: str, begin: datetime, until: datetime
) -> None:
    five = timedelta(minutes=5)
    for _ in range(6):
        handled(alpha, (until - five, until))  # ends with the month
        handled(beta, (until, until + five))  # begins with the next one
    june, july = subscribe(alpha, zone=zone), subscribe(beta, zone=zone)
    now = until + timedelta(days=40)
    assert drafted(june, JUNE, now).total == Decimal("3000.00")
    assert drafted(june, JULY, now).total == Decimal("1500.00")
    assert drafted(july, JUNE, now).total == Decimal("1500.00")
    assert drafted(july, JULY, now).total == Decimal("3000.00")
    assert Invoice.objects.get(subscription=june, period_start=JUNE).usage.get().begin == begin


@pytest.mark.parametrize(("month", "hours"), [(date(2026, 3, 1), 743), (date(2026, 11, 1), 721)])
def test_an_hour_more_or_less_of_a_clock_change_costs_nothing(
    alpha: Company, beta: Company, month: date, hours: int
) -> None:
    now = datetime(2027, 1, 5, tzinfo=UTC)
    half = month.replace(day=16)
    whole, part = (
        subscribe(alpha, zone="America/New_York"),
        subscribe(beta, "per_profile", half, zone="America/New_York"),
    )
    invoice = drafted(whole, month, now)
    assert invoice.total == Decimal("1500.00")
    usage = invoice.usage.get()
    assert usage.until - usage.begin == timedelta(hours=hours)
    assert drafted(part, month, now).total == (Decimal("516.13") if month.month == 3 else Decimal("500.00"))


def test_a_leap_february_has_twenty_nine_days(alpha: Company, beta: Company) -> None:
    now = datetime(2028, 3, 2, tzinfo=UTC)
    one = subscribe(alpha, "per_profile", date(2028, 2, 29))
    assert drafted(one, date(2028, 2, 1), now).total == Decimal("34.48")  # 1000 / 29
    assert drafted(subscribe(beta, "per_profile", date(2027, 1, 1)), date(2028, 2, 1), now).total == Decimal(
        1000
    )


def test_new_years_vat_is_that_of_the_days_billed(alpha: Company, beta: Company) -> None:
    now = moscow(2026, 2, 10)
    one, other = subscribe(alpha, starts_on=date(2025, 11, 1)), subscribe(beta, starts_on=date(2025, 12, 31))
    december, january = drafted(one, date(2025, 12, 1), now), drafted(one, date(2026, 1, 1), now)
    assert [(i.total, i.vat) for i in (december, january)] == [
        (Decimal("1500.00"), Decimal("250.00")),
        (Decimal("1500.00"), Decimal("270.49")),
    ]
    assert drafted(other, date(2025, 12, 1), now).vat == Decimal("8.07")  # of 48.39, at 20 %


def test_calls_removed_before_they_were_counted_are_told_and_do_not_lower_a_draft(
    alpha: Company, beta: Company
) -> None:
    subscription, other = subscribe(alpha), subscribe(beta)
    at_once(alpha, 6, moscow(2026, 6, 10))
    at_once(beta, 6, moscow(2026, 6, 10))
    before = drafted(subscription)
    assert not ReviewItem.objects.exists()
    with company_scope("alpha"):
        Cleaning.objects.create(
            kind=Kind.CALLS, before=moscow(2026, 6, 20), state=Progress.DONE, started=AFTER, moved=AFTER
        )
        Call.objects.all().delete()
    found = draft(subscription=subscription, month=JUNE, now=AFTER + timedelta(hours=1))
    assert found.invoice is not None
    found.invoice.refresh_from_db()
    assert (found.invoice.total, found.invoice.input_hash) == (Decimal("3000.00"), before.input_hash)
    item = ReviewItem.objects.get()
    assert (item.kind, item.company, item.details["why"]) == ("fewer_calls", alpha, "removed")
    assert drafted(other).total == Decimal("3000.00")


def test_a_preview_writes_nothing_and_says_what_a_draft_would(alpha: Company, beta: Company) -> None:
    subscription, other = subscribe(alpha), subscribe(beta)
    at_once(alpha, 6, moscow(2026, 6, 10))
    seen = preview(subscription=subscription, month=JUNE, now=AFTER)
    assert (seen.outcome, seen.total) == (Outcome.MADE, Decimal("3000.00"))
    assert [line["amount"] for line in seen.lines] == ["3000.00"]
    assert not Invoice.objects.exists()
    drafted(subscription)
    assert preview(subscription=subscription, month=JUNE, now=AFTER).outcome is Outcome.UNCHANGED
    assert preview(subscription=other, month=JUNE, now=AFTER).total == Decimal("1500.00")
    assert Invoice.objects.count() == 1


def test_a_run_is_remembered_by_what_it_made(alpha: Company, beta: Company) -> None:
    run = BillingRun.objects.create(period_start=JUNE)
    made = draft(subscription=subscribe(alpha), month=JUNE, run=run, now=AFTER)
    assert made.invoice is not None
    assert made.invoice.run == run
    assert drafted(subscribe(beta)).run is None


def queries(subscription: Subscription, month: date, now: datetime) -> int:
    with CaptureQueriesContext(connection) as seen:
        draft(subscription=subscription, month=month, now=now)
    # The backend says the search path before each one.
    return sum(not one["sql"].startswith("SET search_path") for one in seen.captured_queries)


def test_a_draft_asks_the_same_few_questions_however_many_calls_there_were(
    alpha: Company, beta: Company
) -> None:
    one, other = subscribe(alpha), subscribe(beta)
    at_once(alpha, 40, moscow(2026, 6, 10))
    at_once(beta, 2, moscow(2026, 6, 10))
    draft(subscription=one, month=date(2026, 5, 1), now=AFTER)  # what is remembered once is remembered now
    many, few = queries(one, JUNE, AFTER), queries(other, JUNE, AFTER)
    assert many == few <= 18
    assert queries(one, JUNE, AFTER) <= 14, "nothing new: nothing is written"


def test_a_finding_is_one_row_and_what_a_person_settled_stays_settled(alpha: Company, beta: Company) -> None:
    from billing.models import Act, ReviewKind
    from billing.services.acts import Who
    from billing.services.errors import NotNow as TooLate

    for company in (alpha, beta, alpha):
        review.note(kind=ReviewKind.TOO_OLD, company=company, mark="a", now=AFTER, period_start=JUNE)
    mine = ReviewItem.objects.get(company=alpha)
    anna = Who("Анна", "platform")
    with pytest.raises(BadTerms):
        review.settle(who=anna, item=mine, note="  ")
    review.settle(who=anna, item=mine, note="Списали")
    with pytest.raises(TooLate):
        review.settle(who=anna, item=mine, note="Ещё раз")
    review.note(kind=ReviewKind.TOO_OLD, company=alpha, mark="a", now=AFTER, period_start=JUNE)
    mine.refresh_from_db()
    assert (mine.settled_by, mine.note) == ("Анна", "Списали")
    assert ReviewItem.objects.filter(settled_at=None).get().company == beta
    assert list(Act.objects.values_list("verb", "company__schema_name")) == [("review.settle", "alpha")]
    again = review.note(
        kind=ReviewKind.TOO_OLD, company=alpha, mark="a", now=AFTER, period_start=JUNE, again=True
    )
    assert again.settled_at is None

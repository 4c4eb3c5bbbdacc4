"""What staff does about one company: puts it on a plan, agrees on a price, ends it; and what the pictures sum up."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Account, Act, BillingRun, Invoice, InvoiceState, Phase, RunItem, Subscription
from billing.selectors import charts
from billing.services import credits, payments
from billing.services.acts import Who
from billing.views.platform.clock import month_before, today
from tenants.models import Company
from tests.factories import money
from tests.factories.people import signed_in_staff

pytestmark = pytest.mark.django_db

WHO = Who("Билл Инг", "platform")


def at(name: str, *args: object) -> str:
    return reverse(f"billing_admin:{name}", "ccenter.urls_public", args=args)


@pytest.fixture
def staff() -> Client:
    return signed_in_staff()[0]


def test_staff_puts_a_company_on_a_plan_and_no_other(staff: Client, alpha: Company, beta: Company) -> None:
    seller = money.seller()
    fields = {"plan": money.plan("per_profile").pk, "seller": seller.pk, "starts_on": "2026-05-11"}
    staff.post(at("company_act", alpha.pk, "open"), fields)
    made = Subscription.objects.get()
    assert (made.company, made.starts_on, made.seller) == (alpha, date(2026, 5, 11), seller)
    assert made.phases.get().version.plan.code == "per_profile"
    act = Act.objects.get(verb="subscription.open")
    assert (act.side, act.company) == ("platform", alpha)
    # A second one is refused, with the reason on the page.
    answer = staff.post(
        at("company_act", alpha.pk, "open"), {**fields, "starts_on": "2026-06-01"}, follow=True
    )
    assert 'class="alert" data-tone="alarm"' in answer.content.decode()
    assert Subscription.objects.count() == 1


def test_a_plan_without_a_seller_or_a_day_is_not_taken(staff: Client, alpha: Company) -> None:
    answer = staff.post(at("company_act", alpha.pk, "open"), {"plan": "999", "seller": "", "starts_on": "x"})
    assert answer.status_code == 422
    assert not Subscription.objects.exists()


def test_a_change_begins_on_the_day_that_was_shown_or_not_at_all(
    staff: Client, alpha: Company, beta: Company
) -> None:
    day = today()
    for company in (alpha, beta):
        money.subscribe(company, "per_concurrency", month_before(day))
    plan = money.plan("per_profile")
    staff.post(at("company_act", alpha.pk, "change"), {"plan": plan.pk, "shown": "2020-01-01"})
    staff.post(at("company_act", alpha.pk, "change"), {"plan": plan.pk, "shown": "gestern"})
    assert Phase.objects.filter(version__plan=plan).count() == 0
    offered = staff.get(at("company_offers", alpha.pk)).context["offers"]
    shown = next(offer.starts_on for offer in offered if offer.plan == plan)
    staff.post(at("company_act", alpha.pk, "change"), {"plan": plan.pk, "shown": shown.isoformat()})
    coming = Phase.objects.get(version__plan=plan)
    assert (coming.subscription.company, coming.starts_on) == (alpha, shown)
    staff.post(at("company_act", alpha.pk, "cancel"))
    assert Phase.objects.filter(version__plan=plan).count() == 0


def test_a_price_above_the_last_tier_is_agreed_from_a_day_on(
    staff: Client, alpha: Company, beta: Company
) -> None:
    mine, other = money.subscribe(alpha), money.subscribe(beta)
    money.issued_invoice(mine, date(2026, 6, 1))
    url = at("company_act", alpha.pk, "agree")
    staff.post(url, {"price": "7 000,00", "from_day": "2026-06-10"})
    assert not Phase.objects.exclude(agreed_price=None).exists()  # June is invoiced
    assert staff.post(url, {"price": "-1", "from_day": "2026-07-01"}).status_code == 422
    staff.post(url, {"price": "7 000,00", "from_day": "2026-07-01"})
    agreed = Phase.objects.exclude(agreed_price=None).get()
    assert (agreed.subscription, agreed.starts_on, agreed.agreed_price) == (
        mine,
        date(2026, 7, 1),
        Decimal("7000.00"),
    )
    assert other.phases.count() == 1


def test_an_end_is_set_after_the_last_invoiced_day_only(staff: Client, alpha: Company, beta: Company) -> None:
    mine, other = money.subscribe(alpha), money.subscribe(beta)
    money.issued_invoice(mine, date(2026, 6, 1))
    staff.post(at("company_act", alpha.pk, "close"), {"ends_on": "2026-06-15"})
    mine.refresh_from_db()
    assert mine.ends_on is None
    staff.post(at("company_act", alpha.pk, "close"), {"ends_on": "2026-07-15"})
    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.ends_on == date(2026, 7, 15)
    assert other.ends_on is None


def test_papers_are_entered_for_a_company_with_their_check_digits(
    staff: Client, alpha: Company, beta: Company
) -> None:
    money.account(beta)
    url = at("company_act", alpha.pk, "papers")
    papers = {
        "legal_name": "ООО «Альфа»",
        "inn": "7707083894",
        "kpp": "770701001",
        "address": "",
        "email": "",
    }
    assert staff.post(url, papers).status_code == 422
    assert not Account.objects.filter(company=alpha).exclude(inn="").exists()
    staff.post(url, {**papers, "inn": "7707083893"})
    assert Account.objects.get(company=alpha).inn == "7707083893"
    assert Account.objects.get(company=beta).inn == money.INNS["beta"]


def test_a_dry_run_is_what_the_button_does_unless_the_other_is_pressed(
    staff: Client, alpha: Company, beta: Company
) -> None:
    month = month_before(today())
    for company in (alpha, beta):
        money.subscribe(company, "per_profile", month)
    answer = staff.post(at("run_start"), {"month": f"{month:%Y-%m}"})
    run = BillingRun.objects.get()
    assert run.dry
    assert answer["Location"] == at("run", run.pk)
    assert not Invoice.objects.exists()
    page = staff.get(at("run", run.pk))
    assert page.context["progress"].items == 2
    part = staff.get(at("run", run.pk), {"progress": "1"}, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    staff.post(at("run_stop", run.pk))
    run.refresh_from_db()
    assert run.state == "stopped"
    assert staff.post(at("run_start"), {"month": "2026-13"})["Location"] == at("runs")
    assert BillingRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_month_is_run_and_issued_by_two_clicks(staff: Client, alpha: Company, beta: Company) -> None:
    month = month_before(month_before(today()))
    for company in (alpha, beta):
        money.subscribe(company, "per_profile", month)
    staff.post(at("run_start"), {"month": f"{month:%Y-%m}", "kind": "real"})
    run = BillingRun.objects.get()
    page = staff.get(at("run", run.pk))
    assert (run.dry, run.state) == (False, "done")
    assert page.context["progress"].by_outcome == {"made": 2}
    assert page.context["progress"].ready == 2
    assert sorted(Invoice.objects.values_list("state", "total")) == [("draft", Decimal("1000.00"))] * 2
    answer = staff.post(at("run_issue", run.pk))
    assert staff.get(answer["Location"]).status_code == 200
    issued = Invoice.objects.filter(state=InvoiceState.FINALISED)
    assert set(issued.values_list("number", flat=True)) == {1, 2}
    assert staff.get(at("run", run.pk)).context["progress"].ready == 0
    # Nothing is left: the same click again issues nothing twice.
    staff.post(at("run_issue", run.pk))
    assert Invoice.objects.count() == 2


def test_failed_items_are_tried_again_by_a_click(staff: Client, alpha: Company) -> None:
    run = BillingRun.objects.create(period_start=month_before(today()), state="done")
    item = RunItem.objects.create(
        run=run, subscription=money.subscribe(alpha, "per_profile"), state="failed", error="x", attempts=5
    )
    staff.post(at("run_again", run.pk))
    item.refresh_from_db()
    run.refresh_from_db()
    assert (item.state, item.attempts, item.error) == ("waiting", 0, "")
    assert run.state == "working"


def test_revenue_is_issued_less_given_back_by_month_and_plan(alpha: Company, beta: Company) -> None:
    first, second = money.subscribe(alpha), money.subscribe(beta)
    june = money.issued_invoice(first, date(2026, 6, 1), Decimal("3000.00"))
    money.issued_invoice(second, date(2026, 6, 1), Decimal("1500.00"))
    money.issued_invoice(first, date(2026, 7, 1), Decimal("1500.00"))
    credits.credit(who=WHO, invoice=june, amount=Decimal("500.00"), reason="скидка", today=date(2026, 7, 20))
    found = charts.revenue([date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)])
    assert [month.issued for month in found] == [0, Decimal("4500.00"), Decimal("1500.00")]
    assert [month.given_back for month in found] == [0, Decimal("500.00"), 0]
    assert found[1].kept == Decimal("4000.00")


def test_debt_is_sorted_by_how_late_it_is(alpha: Company, beta: Company) -> None:
    first, second = money.subscribe(alpha), money.subscribe(beta)
    day = date(2026, 9, 1)
    for subscription, month, late in (
        (first, 5, 31),
        (first, 6, 30),
        (second, 5, 11),
        (second, 6, 10),
        (second, 7, 0),
    ):
        money.issued_invoice(
            subscription, date(2026, month, 1), Decimal(1000 + late), due_on=day - timedelta(days=late)
        )
    payments.enter(
        who=WHO, company=alpha, amount=Decimal("31.00"), paid_on=day, document="1", purpose="часть долга"
    )
    ages = charts.debt(day)
    assert [age.invoices for age in ages] == [1, 1, 2, 1]
    assert [len(age.companies) for age in ages] == [1, 1, 2, 1]
    assert [age.amount for age in ages] == [1000, 1010, 1030 + 1011, 1000]


def test_companies_are_counted_by_what_they_reached(alpha: Company, beta: Company) -> None:
    for company, amount in ((alpha, "1500.00"), (beta, "3000.00")):
        money.issued_invoice(money.subscribe(company), date(2026, 6, 1), Decimal(amount))
    assert charts.last_billed() == date(2026, 6, 1)
    rows = charts.reached(date(2026, 6, 1))
    assert sum(row.companies for row in rows) == 2
    assert sum(row.amount for row in rows) == Decimal("4500.00")
    assert charts.reached(date(2026, 5, 1)) == []

"""The billing staff's pages: who gets in, what they show of two companies, and what they say when there is nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.models import Account, BillingRun, ReviewItem, ReviewKind, RunItem, Subscription
from billing.selectors.companies import Asked, matching
from tenants.models import Company
from tests.factories import money
from tests.factories.people import signed_in, signed_in_staff

pytestmark = pytest.mark.django_db

PLATFORM = "ccenter.urls_public"
PAGES = ("companies", "plans", "runs", "review", "charts", "audit", "settings", "seller_new")
EXPORTS = ("companies_export", "charts_export", "audit_export")
HOSTILE = "<script>alert(1)</script>=HYPERLINK(1)\u202e"


def at(name: str, *args: object) -> str:
    return reverse(f"billing_admin:{name}", PLATFORM, args=args)


@pytest.fixture
def staff() -> Client:
    return signed_in_staff()[0]


@pytest.fixture
def two(alpha: Company, beta: Company) -> tuple[Company, Company]:
    """Alpha by concurrency and billed for June 2026, beta by profiles and billed nothing."""
    first = money.subscribe(alpha, "per_concurrency", date(2026, 1, 1))
    money.subscribe(beta, "per_profile", date(2026, 3, 1))
    money.issued_invoice(first, date(2026, 6, 1), Decimal("1500.00"))
    return alpha, beta


def finding(company: Company, mark: str = "a") -> ReviewItem:
    return ReviewItem.objects.create(
        kind=ReviewKind.NO_PRICE, company=company, period_start=date(2026, 6, 1), fingerprint=mark,
        found_at=datetime(2026, 7, 4, tzinfo=UTC), details={"now": 41},
    )  # fmt: skip


def texts(workbook: bytes) -> str:
    """All that an XLSX holds, as its XML has it."""
    with ZipFile(BytesIO(workbook)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))


def test_every_page_opens_for_staff_with_nothing_in_it(staff: Client, alpha: Company) -> None:
    for name in (*PAGES, *EXPORTS):
        assert staff.get(at(name)).status_code == 200, name
    assert staff.get(at("company", alpha.pk)).status_code == 200


def test_every_page_opens_for_staff_with_two_companies(staff: Client, two: tuple[Company, Company]) -> None:
    finding(two[0])
    for name in (*PAGES, *EXPORTS):
        assert staff.get(at(name)).status_code == 200, name
    for company in two:
        page = staff.get(at("company", company.pk))
        assert page.status_code == 200
        assert company.name in page.content.decode()
        for part in ("company_usage", "company_usage_cells", "company_offers"):
            assert staff.get(at(part, company.pk)).status_code == 200, part


def test_nobody_gets_in_without_signing_in(public_client: Client, two: tuple[Company, Company]) -> None:
    item = finding(two[0])
    run = BillingRun.objects.create(period_start=date(2026, 6, 1))
    gets = [at(name) for name in (*PAGES, *EXPORTS)] + [at("company", two[0].pk), at("run", run.pk)]
    posts = [
        at("review_settle", item.pk), at("run_start"), at("run_stop", run.pk), at("run_again", run.pk),
        at("run_issue", run.pk), at("plan_new"), at("rate_new"), at("seller_new"),
        at("company_act", two[0].pk, "close"),
    ]  # fmt: skip
    for url in gets:
        assert public_client.get(url).status_code == 302, url
    for url in posts:
        assert public_client.post(url, {"note": "x", "ends_on": "2026-12-01"}).status_code == 302, url
    item.refresh_from_db()
    assert item.settled_at is None
    assert not Subscription.objects.exclude(ends_on=None).exists()
    assert BillingRun.objects.count() == 1


@pytest.mark.parametrize("role", ["admin", "supervisor", "manager"])
def test_a_companys_people_find_no_such_pages_and_change_nothing(
    role: str, two: tuple[Company, Company]
) -> None:
    client, _ = signed_in("alpha", role)
    item = finding(two[1])
    for name in PAGES:
        assert client.get(at(name)).status_code in (403, 404) or name == "companies", name
    # The company's own pages begin at the same address; the platform's list of all companies is not there.
    root = client.get(at("companies"))
    assert two[1].name not in root.content.decode()
    assert client.get(at("company", two[1].pk)).status_code == 404
    assert client.post(at("company_act", two[1].pk, "close"), {"ends_on": "2026-12-01"}).status_code == 404
    assert client.post(at("review_settle", item.pk), {"note": "x"}).status_code == 404
    item.refresh_from_db()
    assert item.settled_at is None
    assert not Subscription.objects.exclude(ends_on=None).exists()
    # A company's session is nothing on the platform's host.
    client.defaults["HTTP_HOST"] = "localhost"
    assert client.get(at("audit"), headers={"host": "localhost"}).status_code == 302


def test_the_list_is_narrowed_by_name_inn_plan_and_standing(
    staff: Client, two: tuple[Company, Company]
) -> None:
    alpha, beta = two

    def shown(**query: str | int) -> set[str]:
        page = staff.get(at("companies"), query).content.decode()
        return {company.name for company in two if re.search(rf">\s*{company.name}<", page)}

    assert shown() == {alpha.name, beta.name}
    assert shown(q=alpha.name.lower()) == {alpha.name}
    assert shown(q=beta.account.inn) == {beta.name}
    assert shown(plan=money.plan("per_profile").pk) == {beta.name}
    assert shown(standing="owing") == {alpha.name}
    assert shown(standing="suspended") == {alpha.name}
    assert shown(standing="none") == {beta.name}
    assert shown(standing="unsubscribed") == set()
    assert shown(plan="1; DROP TABLE", standing="nothing", sort="-", page="x") == {alpha.name, beta.name}


def test_balance_debt_and_last_invoice_are_each_companys_own(two: tuple[Company, Company]) -> None:
    rows = {row.schema_name: row for row in matching(Asked(), today=date(2026, 7, 20))}
    assert rows["alpha"].balance == Decimal("-1500.00")
    assert rows["alpha"].due_since == date(2026, 7, 14)
    assert rows["alpha"].last_total == Decimal("1500.00")
    assert rows["beta"].balance == Decimal("0.00")
    assert rows["beta"].due_since is None
    assert rows["beta"].last_total is None


def test_the_list_asks_the_database_as_often_for_forty_companies_as_for_two(
    staff: Client, two: tuple[Company, Company]
) -> None:
    staff.get(at("companies"))
    with CaptureQueriesContext(connection) as few:
        staff.get(at("companies"))
    Company.objects.bulk_create(
        Company(schema_name=f"more{n}", name=f"Компания {n}", time_zone="Europe/Moscow") for n in range(40)
    )
    with CaptureQueriesContext(connection) as many:
        page = staff.get(at("companies"))
    assert (
        page.content.decode().count("Компания ") == 23
    )  # the first page holds 25, alpha and beta among them
    assert len(many) == len(few)


def test_what_strangers_wrote_stays_text_on_pages_and_in_tables(
    staff: Client, two: tuple[Company, Company]
) -> None:
    alpha, _ = two
    Account.objects.filter(company=alpha).update(legal_name=HOSTILE)
    Company.objects.filter(pk=alpha.pk).update(name=HOSTILE)
    page = staff.get(at("companies")).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    book = texts(staff.get(at("companies_export")).content)
    assert "<f>" not in book
    assert "\u202e" not in book
    assert "&lt;script&gt;alert(1)" in book


def test_a_finding_is_settled_once_with_a_note_that_stays(
    staff: Client, two: tuple[Company, Company]
) -> None:
    item, other = finding(two[0]), finding(two[1])
    assert "41" in staff.get(at("review")).content.decode()
    staff.post(at("review_settle", item.pk), {"note": "   "})
    item.refresh_from_db()
    assert item.settled_at is None
    staff.post(at("review_settle", item.pk), {"note": "Договорились на 7000"})
    item.refresh_from_db()
    other.refresh_from_db()
    assert (item.note, item.settled_at is None, other.settled_at) == ("Договорились на 7000", False, None)
    staff.post(at("review_settle", item.pk), {"note": "ещё раз"})
    item.refresh_from_db()
    assert item.note == "Договорились на 7000"
    assert "Договорились на 7000" in staff.get(at("review")).content.decode()


def test_settling_leads_back_to_a_billing_page_and_nowhere_else(
    staff: Client, two: tuple[Company, Company]
) -> None:
    back = at("company", two[0].pk)
    answer = staff.post(at("review_settle", finding(two[0]).pk), {"note": "да", "back": back})
    assert answer["Location"] == back
    for place, evil in enumerate(
        ("https://evil.example/billing/", "//evil.example/billing/", "/account/logout/")
    ):
        item = finding(two[1], mark=f"evil{place}")
        answer = staff.post(at("review_settle", item.pk), {"note": "да", "back": evil})
        assert answer["Location"] == at("review")


def test_the_audit_tells_who_did_what_and_is_narrowed_down(
    staff: Client, two: tuple[Company, Company]
) -> None:
    staff.post(at("review_settle", finding(two[0]).pk), {"note": "да"})
    whole = staff.get(at("audit")).content.decode()
    assert two[0].name in whole
    assert len(staff.get(at("audit")).context["rows"]) == 1
    assert len(staff.get(at("audit"), {"who": "нет такого человека"}).context["rows"]) == 0
    of_beta = staff.get(at("audit"), {"company": two[1].pk})
    assert list(of_beta.context["rows"]) == []
    today = timezone.now().date()
    assert len(staff.get(at("audit"), {"begin": f"{today.year - 1}-01-01"}).context["rows"]) == 1
    assert len(staff.get(at("audit"), {"end": f"{today.year - 1}-01-01"}).context["rows"]) == 0
    assert staff.get(at("audit"), {"begin": "gestern", "company": "9" * 30}).status_code == 200


def test_an_unknown_company_run_plan_or_seller_is_not_found(
    staff: Client, two: tuple[Company, Company]
) -> None:
    for name in ("company", "run", "plan", "seller", "company_usage", "company_offers"):
        assert staff.get(at(name, 999_999)).status_code == 404, name
    assert staff.post(at("company_act", two[0].pk, "delete")).status_code == 404


def test_a_run_shows_its_biggest_differences_first_and_failures_before_them(
    staff: Client, two: tuple[Company, Company]
) -> None:
    run = BillingRun.objects.create(period_start=date(2026, 6, 1), state="done")
    first, second = (Subscription.objects.get(company=company) for company in two)
    RunItem.objects.create(
        run=run, subscription=first, state="done", outcome="made", total=Decimal(1500), before=Decimal(5000)
    )
    RunItem.objects.create(run=run, subscription=second, state="failed", error="Нет ставки НДС", attempts=2)
    page = staff.get(at("run", run.pk))
    assert [row[2] for row in page.context["rows"]] == ["failed", "made"]
    assert "Нет ставки НДС" in page.content.decode()
    assert [row[2] for row in staff.get(at("run", run.pk), {"outcome": "made"}).context["rows"]] == ["made"]
    progress = page.context["progress"]
    assert (progress.items, progress.settled, progress.failed) == (2, 2, 1)
    assert (progress.total, progress.before, progress.difference) == (1500, 5000, -3500)

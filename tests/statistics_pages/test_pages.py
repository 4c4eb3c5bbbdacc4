"""The report pages: whose figures they show, what they refuse, and what hostile names and addresses can do."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from monitoring.models import AuditEntry, Manager, Queue
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.statistics_pages.conftest import PERIOD, called, signed_in

pytestmark = pytest.mark.django_db

PAGES = ("", "queues/", "managers/", "lines/", "hours/", "deviations/")


def figure(page: str, metric: str) -> str:
    """The value of a figure card."""
    found = re.search(rf'metric={metric}"[^>]*>.*?stats-figure-value num">\s*([^<]*)', page, re.S)
    assert found, metric
    return found[1].strip()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_an_admin_and_a_supervisor_and_for_no_manager(
    alpha_client: Client, alpha_staff: Staff, page: str
) -> None:
    for user, status in (
        (alpha_staff.admin, 200),
        (alpha_staff.supervisor, 200),
        (alpha_staff.anna.user, 403),
    ):
        answer = signed_in(alpha_client, "alpha", user).get(f"/statistics/{page}?{PERIOD}")
        assert answer.status_code == status
        assert "style=" not in answer.text, "the content security policy refuses inline styles"


def test_two_companies_with_the_same_names_see_their_own_figures(
    alpha_client: Client, beta_client: Client, alpha_staff: Staff, beta_staff: Staff
) -> None:
    alpha = signed_in(alpha_client, "alpha", alpha_staff.admin).get(f"/statistics/?{PERIOD}").text
    beta = signed_in(beta_client, "beta", beta_staff.admin).get(f"/statistics/?{PERIOD}").text
    assert figure(alpha, "calls_in") == "13"
    assert figure(beta, "calls_in") == "1"


def test_a_supervisor_sees_the_figures_of_headed_groups_only(
    alpha_client: Client, alpha_staff: Staff
) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.supervisor)
    page = client.get(f"/statistics/?{PERIOD}").text
    assert figure(page, "calls_in") == "10"
    people = client.get(f"/statistics/managers/?{PERIOD}").text
    assert "Анна" in people
    assert "Борис" not in people
    assert "Поддержка" not in people


def test_anothers_scope_is_not_there(alpha_client: Client, alpha_staff: Staff, beta_staff: Staff) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.supervisor)
    for scope in (
        f"group:{alpha_staff.support.pk}",
        f"manager:{alpha_staff.boris.pk}",
        "queue:9999999",
        "line:nobody",
    ):
        for path in ("", "queues/", "deviations/", "explain/", "queues/paper/"):
            assert (
                client.get(f"/statistics/{path}?{PERIOD}&scope={scope}&metric=offered").status_code == 404
            ), scope
    foreign = f"/statistics/explain/?{PERIOD}&metric=handled&split=manager&key={alpha_staff.boris.pk}"
    assert client.get(foreign).status_code == 404
    own = f"/statistics/?{PERIOD}&scope=group:{alpha_staff.sales.pk}"
    assert client.get(own).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-13-01", "from=1500-01-01&to=1500-01-02", "from=1990-01-01&to=2026-01-01", "period=forever",
        "from=2026-11-22&to=2026-11-01", "zone=Mars/Phobos", "bucket=second", "scope=galaxy:1", "scope=queue:",
        "days=8", "hours=09:10-18:00", "hours=x", "begin=25:00&end=26:00", "scope=line:%00", "x=" + "9" * 2500,
        "from=2026-01-01&to=2026-11-01&bucket=quarter", "scope=queue:" + "9" * 40,
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(
    alpha_client: Client, alpha_staff: Staff, query: str
) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    for path in ("", "managers/", "explain/", "queues/paper/", "deviations/"):
        answer = client.get(f"/statistics/{path}?{query}")
        assert answer.status_code in (400, 404), path
        if answer.status_code == 400 and answer.text:  # a NUL is refused before any page is asked
            assert "card-body" in answer.text
            assert "stats-figure" not in answer.text


def test_hostile_names_are_shown_harmlessly(alpha_client: Client, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        Manager.objects.filter(pk=alpha_staff.anna.pk).update(title='"><img src=x onerror=alert(1)>')
        Queue.objects.filter(pk=alpha_staff.queue.pk).update(title="</script><script>alert(1)</script>")
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    for page in PAGES:
        text = client.get(f"/statistics/{page}?{PERIOD}").text
        assert "<img src=x" not in text
        assert "<script>alert" not in text
    paper = client.get(f"/statistics/managers/paper/?{PERIOD}")
    assert paper.content.startswith(b"%PDF")


def test_figures_stand_against_their_norm_and_the_time_before(
    alpha_client: Client, alpha_staff: Staff
) -> None:
    with company_scope("alpha"):
        from datetime import timedelta

        from tests.statistics_pages.conftest import BEGAN

        for number in range(20, 25):
            called(alpha_staff, number, answered=True, at=BEGAN - timedelta(days=7))
    page = signed_in(alpha_client, "alpha", alpha_staff.admin).get(f"/statistics/?{PERIOD}").text
    assert figure(page, "calls_in") == "13"
    assert "+160" in page, "thirteen after five"
    assert 'data-trend="up"' in page
    assert "в норме" in page
    alone = alpha_client.get(f"/statistics/?{PERIOD}&compare=no").text
    assert "+160" not in alone


def test_an_empty_period_says_when_the_last_call_was(
    alpha_client: Client, beta_client: Client, alpha_staff: Staff, beta_staff: Staff
) -> None:
    page = (
        signed_in(alpha_client, "alpha", alpha_staff.admin)
        .get("/statistics/?from=2026-01-01&to=2026-01-02")
        .text
    )
    assert "звонков не было" in page
    assert "18.11.2026" in page
    assert "stats-figure" not in page


def test_every_figure_tells_how_it_was_counted(alpha_client: Client, alpha_staff: Staff) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    links: set[str] = set()
    for page in PAGES[:5]:
        text = client.get(f"/statistics/{page}?{PERIOD}").text
        links |= {
            link.replace("&amp;", "&") for link in re.findall(r'href="(/statistics/explain/\?[^"]+)"', text)
        }
    assert len(links) > 50
    assert any("cell=weekday_hour" in link for link in links), "the cells of a heat map too"
    for link in sorted(links):
        answer = client.get(link)
        assert answer.status_code == 200, link
    whole = client.get(f"/statistics/explain/?{PERIOD}&metric=lost").text
    assert whole.count("/calls/") >= 2, "the calls counted in are listed"
    part = client.get(f"/statistics/explain/?{PERIOD}&metric=lost", headers={"HX-Request": "true"}).text
    assert "<html" not in part


@pytest.mark.parametrize(
    "query", ["metric=nonsense", "metric=waiting", "metric=lost&at=x", "metric=lost&at=5", ""]
)
def test_an_explanation_of_nothing_is_refused(alpha_client: Client, alpha_staff: Staff, query: str) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    assert client.get(f"/statistics/explain/?{PERIOD}&{query}").status_code == 400


def test_looking_writes_nothing(alpha_client: Client, alpha_staff: Staff) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    with company_scope("alpha"):
        before = AuditEntry.objects.count()
    client.get(f"/statistics/?{PERIOD}")
    with company_scope("alpha"):
        assert AuditEntry.objects.count() == before

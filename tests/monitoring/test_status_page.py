"""The manager's own page: what it shows, what a press does, and whose page stays closed to whom."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.models import Manager, Status, StatusInterval
from monitoring.models.statuses import Source, StatusKind
from monitoring.selectors.day import day_of
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def beta_staff(db: None) -> Staff:
    return make_staff("beta")


def signed_in(client: Client, slug: str, user: User | None) -> Client:
    assert user is not None
    with company_scope(slug):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client


def lunch() -> int:
    return Status.objects.get(label="Обед").pk


def intervals(slug: str) -> int:
    with company_scope(slug):
        return StatusInterval.objects.count()


def test_managers_of_two_companies_each_set_their_own_status(
    alpha_client: Client, beta_client: Client, alpha_staff: Staff, beta_staff: Staff
) -> None:
    signed_in(alpha_client, "alpha", alpha_staff.anna.user)
    signed_in(beta_client, "beta", beta_staff.anna.user)
    with company_scope("alpha"):
        status = lunch()
    page = alpha_client.post("/me/", {"status": status}, headers={"HX-Request": "true", "HX-Target": "day"})
    assert page.status_code == 200
    assert 'aria-pressed="true"' in page.text
    assert intervals("alpha") == 1
    assert intervals("beta") == 0
    assert 'aria-pressed="true"' not in beta_client.get("/me/").text


def test_the_page_names_status_day_and_queues(alpha_client: Client, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        now = timezone.now()
        StatusInterval.objects.create(
            manager=alpha_staff.anna, status_id=lunch(), started=now, source=Source.PHONE
        )
    page = signed_in(alpha_client, "alpha", alpha_staff.anna.user).get("/me/").text
    assert "Обед" in page
    assert "<rect data-tone=" in page
    assert "Продажи" in page
    assert "801" in page
    assert "style=" not in page, "the content security policy refuses inline styles"


def test_without_a_phone_the_page_says_whom_to_ask(alpha_client: Client, alpha_staff: Staff) -> None:
    signed_in(alpha_client, "alpha", alpha_staff.admin)
    assert alpha_client.get("/me/").status_code == 200
    assert alpha_client.post("/me/", {"status": "1"}).status_code == 404


@pytest.mark.parametrize("junk", ["", "x", "-1", "9" * 30, "999999", "1; DROP TABLE"])
def test_junk_changes_nothing_and_is_answered_in_words(
    alpha_client: Client, alpha_staff: Staff, junk: str
) -> None:
    signed_in(alpha_client, "alpha", alpha_staff.anna.user)
    page = alpha_client.post("/me/", {"status": junk})
    assert page.status_code == 200
    assert 'data-tone="alarm"' in page.text or 'data-tone="warn"' in page.text
    assert intervals("alpha") == 0


def test_a_supervisor_sets_the_status_of_own_people_only(
    alpha_client: Client, alpha_staff: Staff, beta_staff: Staff
) -> None:
    signed_in(alpha_client, "alpha", alpha_staff.supervisor)
    with company_scope("alpha"):
        status = lunch()
    assert alpha_client.get(f"/team/{alpha_staff.anna.pk}/").status_code == 200
    alpha_client.post(f"/team/{alpha_staff.anna.pk}/", {"status": status})
    assert intervals("alpha") == 1
    for stranger in (alpha_staff.boris.pk, 10**7):
        answer = alpha_client.post(f"/team/{stranger}/", {"status": status})
        assert answer.status_code == 404
        assert "Борис" not in answer.text
    assert intervals("alpha") == 1
    assert "Борис" not in alpha_client.get("/team/").text
    assert "Анна" in alpha_client.get("/team/").text


def test_a_manager_opens_nobody_elses_page(alpha_client: Client, alpha_staff: Staff) -> None:
    signed_in(alpha_client, "alpha", alpha_staff.anna.user)
    with company_scope("alpha"):
        status = lunch()
    assert alpha_client.post(f"/team/{alpha_staff.boris.pk}/", {"status": status}).status_code in (403, 404)
    assert alpha_client.get("/team/").status_code == 403
    assert intervals("alpha") == 0


def test_a_session_is_good_at_its_own_host_only(
    alpha_client: Client, alpha_staff: Staff, beta_staff: Staff
) -> None:
    signed_in(alpha_client, "alpha", alpha_staff.anna.user)
    answer = alpha_client.get("/me/", headers={"host": "beta.localhost"})
    assert answer.status_code in (302, 403, 404)
    assert "Анна" not in answer.text


def test_hostile_names_are_shown_harmlessly(alpha_client: Client, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        Manager.objects.filter(pk=alpha_staff.anna.pk).update(title='"><img src=x onerror=alert(1)>')
        Status.objects.filter(pk=lunch()).update(label="<script>alert(1)</script>")
    signed_in(alpha_client, "alpha", alpha_staff.supervisor)
    for address in (f"/team/{alpha_staff.anna.pk}/", "/team/"):
        page = alpha_client.get(address).text
        assert "<img src=x" not in page
        assert "<script>alert" not in page


# ---------------------------------------------------------------- the day itself


def at(hour: int, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_an_interval_over_midnight_is_cut_and_nobody_is_logged_off(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        StatusInterval.objects.create(
            manager=alpha_staff.anna, status_id=lunch(), started=at(12, 20), source=Source.PORTAL
        )
        day = day_of(alpha_staff.anna, zone="Europe/Moscow", now=at(9).timestamp())
    (span,) = day.spans
    assert span.open
    assert span.since == at(12, 20).timestamp()
    assert (span.start, span.end) == (at(21, 21).timestamp(), at(9).timestamp())
    assert day.seconds(StatusKind.BREAK) == 12 * 3600


def test_the_statuses_of_a_day_sum_up_to_its_time(alpha_staff: Staff) -> None:
    edges = [at(3), at(7), at(8), at(12)]
    with company_scope("alpha"):
        kinds = list(Status.objects.live())
        for place, (start, end) in enumerate(zip(edges, [*edges[1:], None], strict=True)):
            StatusInterval.objects.create(
                manager=alpha_staff.anna, status=kinds[place], started=start, ended=end, source=Source.PORTAL
            )
        day = day_of(alpha_staff.anna, zone="Europe/Moscow", now=at(15).timestamp())
    assert sum(day.seconds(kind) for kind in StatusKind) == 12 * 3600
    assert [span.end for span in day.spans][:-1] == [span.start for span in day.spans][1:]

"""A review from draft to answered appeal: who may do which step, once, and what the others see meanwhile."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.models import AuditEntry, Policy
from monitoring.models.recordings import Recording
from monitoring.models.reviews import Review, ReviewState, Scorecard, ScorecardVersion
from monitoring.selectors.reviews import averages, averages_of_groups
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.recordings.conftest import Recorded
from tests.recordings.test_hearing import browser

ZONE = "Europe/Moscow"


@pytest.fixture
def mine(recorded: Recorded, alpha_staff: Staff) -> Recording:
    return recorded("alpha", alpha_staff)


def best(company: str, **changes: object) -> dict[str, object]:
    """The best answers to the first scorecard, as the form sends them."""
    with company_scope(company):
        content = ScorecardVersion.objects.get().content
    answers: dict[str, object] = {
        f"q:{q['id']}": 1 if q["kind"] == "yes_no" else 5 for section in content for q in section["questions"]
    }
    return answers | {f"q:{key}": value for key, value in changes.items()}


def begin(client: Client, recording: Recording, staff: Staff) -> Review:
    answer = client.post(f"/reviews/begin/{recording.call_id}/", {"manager": staff.anna.pk})
    assert answer.status_code == 302
    with company_scope("alpha"):
        row = Review.objects.get()
    assert answer["Location"] == f"/reviews/{row.pk}/"
    return row


def given(client: Client, recording: Recording, staff: Staff, **changes: object) -> Review:
    row = begin(client, recording, staff)
    client.post(f"/reviews/{row.pk}/", {**best("alpha", **changes), "summary": "Хорошо", "give": "1"})
    with company_scope("alpha"):
        row.refresh_from_db()
    assert row.state == ReviewState.GIVEN
    return row


def fresh(row: Review) -> Review:
    with company_scope("alpha"):
        return Review.objects.get(pk=row.pk)


def test_a_review_goes_from_draft_to_given_and_the_manager_sees_it(
    mine: Recording, alpha_staff: Staff
) -> None:
    head, anna = browser("alpha", alpha_staff.supervisor), browser("alpha", alpha_staff.anna.user)
    assert "review-begin" in head.get(f"/recordings/{mine.pk}/").text
    row = begin(head, mine, alpha_staff)
    assert begin(head, mine, alpha_staff) == row  # not a second one
    assert anna.get(f"/reviews/{row.pk}/").status_code == 404  # a draft is its author's
    kept = head.post(f"/reviews/{row.pk}/", {"q:q1": 1, "q:q3": 3}, headers={"HX-Request": "true"})
    assert 'id="review-total"' in kept.text
    assert fresh(row).percent == pytest.approx(100 * (5 + 10 * 3 / 5) / 15)
    refused = head.post(f"/reviews/{row.pk}/", {"q:q1": 1, "give": "1"})
    assert refused.status_code == 422  # questions are left
    assert fresh(row).state == ReviewState.DRAFT
    head.post(f"/reviews/{row.pk}/", {**best("alpha", q3=0), "summary": "Слушай внимательнее", "give": "1"})
    row = fresh(row)
    assert (row.state, row.percent, row.failed) == (ReviewState.GIVEN, 90.0, False)
    assert row.seen_at is None
    page = anna.get(f"/reviews/{row.pk}/").text
    assert "Слушай внимательнее" in page
    assert 'name="give"' not in page
    assert fresh(row).seen_at is not None
    head.post(f"/reviews/{row.pk}/", {**best("alpha"), "give": "1"})
    assert fresh(row).percent == 90.0  # what was given is not changed


def test_a_critical_failure_makes_the_whole_nothing(mine: Recording, alpha_staff: Staff) -> None:
    row = given(browser("alpha", alpha_staff.admin), mine, alpha_staff, q10=0)
    assert (row.percent, row.failed) == (0.0, True)


def steps(client: Client, row: Review, staff: Staff) -> list[int]:
    """Every verb there is on somebody's review."""
    return [
        client.get(f"/reviews/{row.pk}/").status_code,
        client.post(f"/reviews/{row.pk}/", best("alpha", q1=0)).status_code,
        client.post(f"/reviews/{row.pk}/remark/", {"second": "1", "text": "x"}).status_code,
        client.post(f"/reviews/{row.pk}/appeal/", {"text": "нет"}).status_code,
        client.post(f"/reviews/{row.pk}/decide/", {"reason": "так"}).status_code,
        client.post(f"/reviews/{row.pk}/discard/").status_code,
        client.post(f"/reviews/begin/{row.call_id}/", {"manager": staff.anna.pk}).status_code,
    ]


def test_strangers_to_a_review_find_nothing_and_change_nothing(
    mine: Recording, alpha_staff: Staff, beta_staff: Staff
) -> None:
    row = given(browser("alpha", alpha_staff.admin), mine, alpha_staff)
    with company_scope("alpha"):
        other_head = User.objects.create_user(
            "other@alpha.example", "pw", name="Другой", role=Role.SUPERVISOR
        )
        before = Review.objects.values().get()
    found = steps(browser("alpha", other_head), row, alpha_staff)
    assert found == [404] * 7
    found = steps(browser("alpha", alpha_staff.boris.user), row, alpha_staff)
    assert found == [404] * 6 + [403]
    for stranger in (beta_staff.admin, beta_staff.supervisor):
        assert steps(browser("beta", stranger), row, alpha_staff) == [404] * 7
    with company_scope("alpha"):
        assert Review.objects.values().get() == before


def test_the_reviewed_person_reads_and_appeals_and_nothing_else(mine: Recording, alpha_staff: Staff) -> None:
    row = given(browser("alpha", alpha_staff.admin), mine, alpha_staff)
    anna = browser("alpha", alpha_staff.anna.user)
    anna.post(f"/reviews/{row.pk}/", best("alpha", q1=0))
    anna.post(f"/reviews/{row.pk}/decide/", {"reason": "я права"})
    anna.post(f"/reviews/{row.pk}/discard/")
    row = fresh(row)
    assert (row.state, row.percent) == (ReviewState.GIVEN, 100.0)
    anna.post(f"/reviews/{row.pk}/appeal/", {"text": "  "})
    assert fresh(row).state == ReviewState.GIVEN
    anna.post(f"/reviews/{row.pk}/appeal/", {"text": "Клиент сам положил трубку"})
    anna.post(f"/reviews/{row.pk}/appeal/", {"text": "Ещё раз"})
    row = fresh(row)
    assert (row.state, row.appeal) == (ReviewState.APPEALED, "Клиент сам положил трубку")


@pytest.mark.parametrize(("change", "percent", "first"), [(False, 90.0, None), (True, 100.0, 90.0)])
def test_an_appeal_is_answered_once_with_a_reason(
    mine: Recording, alpha_staff: Staff, change: bool, percent: float, first: float | None
) -> None:
    head, anna = browser("alpha", alpha_staff.supervisor), browser("alpha", alpha_staff.anna.user)
    row = given(browser("alpha", alpha_staff.admin), mine, alpha_staff, q3=0)
    anna.post(f"/reviews/{row.pk}/appeal/", {"text": "Не согласна"})
    answers: dict[str, Any] = {**best("alpha"), "change": "1"} if change else {}
    head.post(f"/reviews/{row.pk}/decide/", {**answers, "reason": ""})
    assert fresh(row).state == ReviewState.APPEALED
    head.post(f"/reviews/{row.pk}/decide/", {**answers, "reason": "Прослушал ещё раз"})
    head.post(f"/reviews/{row.pk}/decide/", {"reason": "и ещё"})
    row = fresh(row)
    assert (row.state, row.percent, row.first_percent) == (ReviewState.ANSWERED, percent, first)
    assert row.verdict == "Прослушал ещё раз"
    assert "Прослушал ещё раз" in anna.get(f"/reviews/{row.pk}/").text
    with company_scope("alpha"):
        told = (
            AuditEntry.objects.filter(kind="review", outcome="done")
            .order_by("pk")
            .values_list("verb", flat=True)
        )
        assert list(told) == ["review.write", "review.appeal", "review.write"]


def test_remarks_belong_to_seconds_of_the_recording_and_to_drafts(
    mine: Recording, alpha_staff: Staff
) -> None:
    head = browser("alpha", alpha_staff.supervisor)
    row = begin(head, mine, alpha_staff)
    for second, text in (("12.5", "Перебил"), ("-1", "x"), ("31", "x"), ("nan", "x"), ("", "x"), ("3", "  ")):
        head.post(f"/reviews/{row.pk}/remark/", {"second": second, "text": text})
    with company_scope("alpha"):
        (kept,) = row.comments.all()
    assert (kept.second, kept.text) == (12.5, "Перебил")
    assert 'data-goto="12.5"' in head.get(f"/reviews/{row.pk}/").text
    head.post(f"/reviews/{row.pk}/remark/{kept.pk}/take-back/")
    with company_scope("alpha"):
        assert not row.comments.exists()
    row = given(head, mine, alpha_staff)
    head.post(f"/reviews/{row.pk}/remark/", {"second": "3", "text": "поздно"})
    with company_scope("alpha"):
        assert not row.comments.exists()


def test_a_reviewed_manager_hears_the_sound_only_by_the_companys_rule(
    mine: Recording, alpha_staff: Staff
) -> None:
    row = given(browser("alpha", alpha_staff.supervisor), mine, alpha_staff)
    anna = browser("alpha", alpha_staff.anna.user)
    assert "data-player" not in anna.get(f"/reviews/{row.pk}/").text
    with company_scope("alpha"):
        Policy.objects.create(managers_hear_own=True)
    assert "data-player" in anna.get(f"/reviews/{row.pk}/").text


def test_only_who_talked_can_be_reviewed_and_nobody_by_themselves(
    mine: Recording, alpha_staff: Staff
) -> None:
    admin = browser("alpha", alpha_staff.admin)
    assert admin.post(f"/reviews/begin/{mine.call_id}/", {"manager": alpha_staff.boris.pk}).status_code == 404
    with company_scope("alpha"):
        type(alpha_staff.anna).objects.filter(pk=alpha_staff.anna.pk).update(user=alpha_staff.admin)
    admin.post(f"/reviews/begin/{mine.call_id}/", {"manager": alpha_staff.anna.pk})
    with company_scope("alpha"):
        assert not Review.objects.exists()


def test_a_draft_is_not_taken_over_by_another(mine: Recording, alpha_staff: Staff) -> None:
    row = begin(browser("alpha", alpha_staff.admin), mine, alpha_staff)
    head = browser("alpha", alpha_staff.supervisor)
    answer = head.post(f"/reviews/begin/{mine.call_id}/", {"manager": alpha_staff.anna.pk}, follow=True)
    assert "Админ" in answer.text
    assert head.get(f"/reviews/{row.pk}/").status_code == 404
    assert head.post(f"/reviews/{row.pk}/discard/").status_code == 404
    browser("alpha", alpha_staff.admin).post(f"/reviews/{row.pk}/discard/")
    with company_scope("alpha"):
        assert not Review.objects.exists()


def test_the_list_shows_each_their_own_and_filters(
    mine: Recording, recorded: Recorded, alpha_staff: Staff
) -> None:
    admin = browser("alpha", alpha_staff.admin)
    row = given(admin, mine, alpha_staff)
    link = f'href="/reviews/{row.pk}/"'
    head, anna, boris = (
        browser("alpha", user)
        for user in (alpha_staff.supervisor, alpha_staff.anna.user, alpha_staff.boris.user)
    )
    assert [link in who.get("/reviews/").text for who in (admin, head, anna, boris)] == [
        True,
        True,
        True,
        False,
    ]
    for query, there in (
        (f"manager={alpha_staff.anna.pk}", True), (f"manager={alpha_staff.boris.pk}", False),
        ("state=given", True), ("state=appealed", False), ("to=2020-01-01", False),
        ("state=' OR 1=1&manager=x&from=never&to=9999-99-99&page=-5", True),
    ):  # fmt: skip
        assert (link in head.get(f"/reviews/?{query}").text) is there, query


def test_averages_count_what_was_given_on_these_days_in_these_groups(
    mine: Recording, recorded: Recorded, alpha_staff: Staff
) -> None:
    admin = browser("alpha", alpha_staff.admin)
    anna_id, boris_id = alpha_staff.anna.pk, alpha_staff.boris.pk
    second = recorded("alpha", alpha_staff, uniqueid="1795251700.9")
    third = recorded("alpha", alpha_staff, uniqueid="1795251800.9", manager=alpha_staff.boris)
    for recording, manager, q3 in ((mine, anna_id, 5), (second, anna_id, 0), (third, boris_id, 0)):
        admin.post(f"/reviews/begin/{recording.call_id}/", {"manager": manager})
        with company_scope("alpha"):
            row = Review.objects.get(call=recording.call_id)
        admin.post(f"/reviews/{row.pk}/", {**best("alpha", q3=q3), "give": "1"})
    today = timezone.localdate()
    with company_scope("alpha"):
        Review.objects.update(given_at=timezone.now())
        assert averages(today, today, "UTC") == {anna_id: (95.0, 2), boris_id: (90.0, 1)}
        sales = alpha_staff.sales.pk
        assert averages(today, today, "UTC", {sales}) == {anna_id: (95.0, 2)}
        assert averages_of_groups(today, today, "UTC", {sales}) == {sales: (95.0, 2)}
        assert averages(today - timedelta(days=9), today - timedelta(days=1), "UTC") == {}
    with company_scope("beta"):
        assert averages(today, today, "UTC") == {}


@pytest.mark.parametrize(
    ("given_at", "day"),
    [("2026-03-01T20:59:59Z", date(2026, 3, 1)), ("2026-03-01T21:00:00Z", date(2026, 3, 2))],
)
def test_a_day_of_the_averages_ends_at_the_companys_midnight(
    mine: Recording, alpha_staff: Staff, given_at: str, day: date
) -> None:
    given(browser("alpha", alpha_staff.admin), mine, alpha_staff)
    with company_scope("alpha"):
        Review.objects.update(given_at=given_at)
        assert averages(day, day, ZONE) == {alpha_staff.anna.pk: (100.0, 1)}


# ------------------------------------------------------------------ scorecards


def form(**changes: object) -> dict[str, object]:
    return {
        "title": "Продажи", "s0title": "Начало", "s0q0text": "Поздоровался", "s0q0kind": "yes_no", "s0q0weight": "10",
        "s0q1text": "", "s0q1weight": "5", "s1q0text": "", **changes,
    }  # fmt: skip


def test_a_company_begins_with_a_scorecard_it_can_use(alpha_staff: Staff) -> None:
    page = browser("alpha", alpha_staff.admin).get("/manage/scorecards/").text
    assert "Разговор с клиентом" in page
    with company_scope("alpha"):
        version = ScorecardVersion.objects.get()
    assert sum(q["weight"] for s in version.content for q in s["questions"]) == 100


def test_an_admin_makes_a_scorecard_and_a_change_is_a_new_version(
    mine: Recording, alpha_staff: Staff, beta_staff: Staff
) -> None:
    admin = browser("alpha", alpha_staff.admin)
    row = given(admin, mine, alpha_staff)
    with company_scope("alpha"):
        card = Scorecard.objects.get()
    for _ in range(2):  # the same again is no version
        assert admin.post(f"/manage/scorecards/{card.pk}/", form()).status_code == 302
    with company_scope("alpha"):
        assert list(card.versions.values_list("number", flat=True)) == [2, 1]
        newest = card.versions.first()
        assert newest is not None
        assert newest.content == [
            {"title": "Начало", "questions": [
                {"id": "q0x0", "text": "Поздоровался", "kind": "yes_no", "weight": 10, "critical": False}]}
        ]  # fmt: skip
    assert "назвал компанию" in admin.get(f"/reviews/{row.pk}/").text  # the old review keeps its questions
    assert (
        browser("beta", beta_staff.admin).post(f"/manage/scorecards/{card.pk + 500}/", form()).status_code
        == 404
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""}, {"s0q0text": ""}, {"s0q0weight": "101"}, {"s0q0weight": "много"}, {"s0q0weight": "0"},
        {"s0q0kind": "stars"}, {"s0title": ""}, {"title": "Разговор с клиентом"},
    ],
)  # fmt: skip
def test_what_is_no_scorecard_is_refused_with_what_was_typed(
    alpha_staff: Staff, changes: dict[str, object]
) -> None:
    answer = browser("alpha", alpha_staff.admin).post("/manage/scorecards/new/", form(**changes))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    with company_scope("alpha"):
        assert Scorecard.objects.count() == 1


@pytest.mark.parametrize("who", ["supervisor", "anna"])
def test_scorecards_are_the_admins_alone(alpha_staff: Staff, who: str) -> None:
    person = getattr(alpha_staff, who)
    client = browser("alpha", getattr(person, "user", person))
    with company_scope("alpha"):
        card = Scorecard.objects.get()
    assert client.get("/manage/scorecards/").status_code == 403
    assert client.post("/manage/scorecards/new/", form()).status_code == 403
    assert client.post(f"/manage/scorecards/{card.pk}/", form()).status_code == 403
    assert client.post(f"/manage/scorecards/{card.pk}/put/", {"archived": "1"}).status_code == 403
    with company_scope("alpha"):
        assert Scorecard.objects.live().count() == 1
        assert ScorecardVersion.objects.count() == 1


def test_a_scorecard_goes_out_of_use_and_comes_back(mine: Recording, alpha_staff: Staff) -> None:
    admin = browser("alpha", alpha_staff.admin)
    with company_scope("alpha"):
        card = Scorecard.objects.get()
    admin.post(f"/manage/scorecards/{card.pk}/put/", {"archived": "1"})
    assert "review-begin" not in admin.get(f"/recordings/{mine.pk}/").text
    admin.post(f"/reviews/begin/{mine.call_id}/", {"manager": alpha_staff.anna.pk})
    with company_scope("alpha"):
        assert not Review.objects.exists()
    admin.post(f"/manage/scorecards/{card.pk}/put/", {"archived": "0"})
    assert "review-begin" in admin.get(f"/recordings/{mine.pk}/").text

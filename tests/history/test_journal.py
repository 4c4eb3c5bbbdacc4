"""The journal: whom it shows which calls, what its filters let through, and that its pages lose and repeat nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.test import Client

from monitoring.models import Call, CallMark, Mark, SavedFilter
from monitoring.selectors import journal
from monitoring.selectors.journal import Place, Reach
from monitoring.selectors.journal_question import BadFilter, NumberPart, number_parts, parse
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.history.past import make_call

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ALL = Reach(None)
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202e'


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def beta_staff(db: None) -> Staff:
    return make_staff("beta")


def signed_in(slug: str, user: User | None) -> Client:
    assert user is not None
    client = Client(headers={"host": f"{slug}.localhost"})
    with company_scope(slug):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client


def found(query: str, reach: Reach = ALL) -> set[str]:
    """Keys of every call the question lets through; in the open scope."""
    wanted = parse(QueryDict(query), zone="Europe/Moscow", now=NOW)
    keys = {call.key for call in journal.page(wanted, reach).calls}
    assert journal.count(wanted, reach) == len(keys)
    return keys


def test_two_companies_each_see_their_own_calls(alpha_staff: Staff, beta_staff: Staff) -> None:
    with company_scope("alpha"):
        make_call("a1", number="+74951110001", groups=[alpha_staff.sales.pk])
    with company_scope("beta"):
        make_call("b1", number="+74952220002", groups=[beta_staff.sales.pk])
    theirs = signed_in("beta", beta_staff.admin).get("/calls/?period=month").text
    assert "222-00-02" in theirs
    assert "111-00-01" not in theirs


def test_who_sees_which_calls(alpha_staff: Staff) -> None:
    anna, boris = alpha_staff.anna, alpha_staff.boris
    with company_scope("alpha"):
        make_call("sales", groups=[alpha_staff.sales.pk], manager=anna)
        make_call("support", groups=[alpha_staff.support.pk], manager=boris)
        assert found("", journal.reach_of(alpha_staff.admin)) == {"sales", "support"}
        assert found("", journal.reach_of(alpha_staff.supervisor)) == {"sales"}
        assert boris.user is not None
        assert found("", journal.reach_of(boris.user)) == {"support"}


def test_a_supervisor_without_groups_sees_nothing(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        make_call("x", groups=[])
        assert found("", Reach(frozenset())) == set()


def test_filters(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        queue, anna = alpha_staff.queue, alpha_staff.anna
        make_call("long", wait=130, talk=1000, manager=anna, queue=queue, line="74951230001", recorded=True)
        lost = make_call("lost", direction="in", disposition="abandoned", wait=40, talk=0)
        make_call("out", direction="out", number="+79261234567")
        mark = Mark.objects.create(label="Проба", colour="red")
        CallMark.objects.create(call=lost, mark=mark, at=NOW)
        assert found(f"queue={queue.pk}") == {"long"}
        assert found(f"manager={anna.pk}") == {"long"}
        assert found("line=74951230001") == {"long"}
        assert found("min_wait=100") == found("min_talk=901") == found("recorded=1") == {"long"}
        assert found("direction=out") == {"out"}
        assert found("outcome=abandoned") == {"lost"}
        assert found("marked=1") == found(f"mark={mark.pk}") == {"lost"}
        assert found(f"mark={mark.pk}&min_wait=41") == set()
        assert found("period=yesterday") == set()


@pytest.mark.parametrize(
    "typed",
    ["8 (495) 123", "+7495123", "+7 495 123-45", "84951234567", "495 123", "3456", "67", "4951234567"],
)
def test_a_number_is_found_by_any_part_of_it_however_it_is_typed(alpha_staff: Staff, typed: str) -> None:
    with company_scope("alpha"):
        make_call("this", number="+74951234567")
        make_call("that", number="+79160008800")
        make_call("hidden", number="")
        assert found(f"number={typed.replace('+', '%2B')}") == {"this"}


def test_a_foreign_number_and_one_of_fifteen_digits_are_found_to_their_last_digit(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        make_call("long", number="+499912345678901")
        assert found("number=8901") == found("number=45678901") == {"long"}


def test_what_a_number_may_begin_with_follows_the_companys_country() -> None:
    assert number_parts("8 (495) 1", "RU") == [NumberPart(anywhere="84951"), NumberPart(begins="74951")]
    assert number_parts("0 30 12", "DE") == [NumberPart(anywhere="03012"), NumberPart(begins="493012")]
    assert number_parts("+7 495", "RU") == [NumberPart(begins="7495")]
    assert number_parts("abc", "RU") == []


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-13-01", "from=2026-11-22&to=2026-11-01", "from=1900-01-01", "from=1990-01-01&to=2026-01-01",
        "period=ever", "queue=x", "queue=99999999999", "min_wait=-1", "min_talk=1e9", "direction=up", "outcome=<b>",
        "number=abc", "mark=%3Cb%3E", "manager=1%27--",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_nothing_is_read(alpha_staff: Staff, query: str) -> None:
    with pytest.raises(BadFilter):
        parse(QueryDict(query), zone="Europe/Moscow", now=NOW)
    answer = signed_in("alpha", alpha_staff.admin).get(f"/calls/?{query}")
    assert answer.status_code == 400
    assert "<b>" not in answer.text


def test_somebody_elses_queue_group_or_manager_is_as_if_it_were_not_there(
    alpha_staff: Staff, beta_staff: Staff
) -> None:
    head = signed_in("alpha", alpha_staff.supervisor)
    assert head.get(f"/calls/?group={alpha_staff.sales.pk}").status_code == 200
    assert head.get(f"/calls/?group={alpha_staff.support.pk}").status_code == 404
    assert head.get(f"/calls/?manager={alpha_staff.boris.pk}").status_code == 404
    assert head.get("/calls/?queue=999999").status_code == 404
    anna = signed_in("alpha", alpha_staff.anna.user)
    assert anna.get(f"/calls/?manager={alpha_staff.boris.pk}").status_code == 404
    assert anna.get(f"/calls/count/?queue={alpha_staff.queue.pk}").status_code == 404


def test_pages_both_ways_hold_every_call_once_in_one_order(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        for number in range(23):
            # In pairs of one moment, over eight weeks: several windows, and ties.
            make_call(f"c{number:02}", started=NOW - timedelta(days=5 * (number // 2)))
        wanted = parse(QueryDict("from=2026-01-01&to=2026-11-22"), zone="Europe/Moscow", now=NOW)
        whole = [call.pk for call in Call.objects.order_by("-started", "-pk")]
        down: list[int] = []
        after = None
        while True:
            page = journal.page(wanted, ALL, after=after, size=5)
            down += [call.pk for call in page.calls]
            if not page.older:
                break
            after = Place.of(page.calls[-1])
        assert down == whole
        up: list[int] = down[-1:]
        while True:
            page = journal.page(wanted, ALL, before=Place.of(Call.objects.get(pk=up[0])), size=5)
            up = [call.pk for call in page.calls] + up
            if not page.newer:
                break
        assert up == whole


def test_a_question_that_would_take_too_long_says_so(
    alpha_staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        journal, "_within", lambda found, *_rest: found.extra(where=["pg_sleep(0.2) IS NOT NULL"])
    )
    monkeypatch.setattr(journal, "PATIENCE", 50)
    with company_scope("alpha"):
        make_call("any")
    page = signed_in("alpha", alpha_staff.admin).get("/calls/?period=month")
    assert page.status_code == 200
    assert "hourglass" in page.text


def test_merged_calls_are_part_of_another_and_not_listed(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        make_call("whole")
        part = make_call("part", disposition="merged", merged_into="whole")
        assert found("") == {"whole"}
        whole = Call.objects.get(key="whole")
    client = signed_in("alpha", alpha_staff.admin)
    assert client.get(f"/calls/{part.pk}/").headers["Location"] == f"/calls/{whole.pk}/"


def test_a_hostile_caller_is_only_text(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        call = make_call(
            "evil", number=HOSTILE[:80], name=HOSTILE, line=HOSTILE[:80], manager=alpha_staff.anna
        )
    client = signed_in("alpha", alpha_staff.admin)
    for path in ("/calls/?period=month", f"/calls/{call.pk}/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


def test_junk_in_a_pages_place_is_the_first_page(alpha_staff: Staff) -> None:
    client = signed_in("alpha", alpha_staff.admin)
    for junk in ("x", "1-", "-1", "9" * 39 + "-1", "1-2-3", "\u0661-1"):
        assert client.get("/calls/", {"after": junk}).status_code == 200


def test_a_page_costs_the_same_queries_however_many_calls_it_has(
    alpha_staff: Staff, django_assert_max_num_queries: object
) -> None:
    with company_scope("alpha"):
        for number in range(60):
            make_call(f"q{number}", manager=alpha_staff.anna, queue=alpha_staff.queue)
    client = signed_in("alpha", alpha_staff.admin)
    client.get("/account/")  # how the company stands is asked once and kept in the process
    with django_assert_max_num_queries(40):  # type: ignore[operator] # pytest-django's fixture
        page = client.get("/calls/?period=month")
    assert page.text.count("journal-open") == 50


def test_filters_are_kept_by_name_shared_and_forgotten(alpha_staff: Staff, beta_staff: Staff) -> None:
    head, admin = signed_in("alpha", alpha_staff.supervisor), signed_in("alpha", alpha_staff.admin)
    kept = {"title": "Фильтр №7", "query": "outcome=abandoned&junk=1", "shared": "1"}
    assert head.post("/calls/filters/", kept).status_code == 302
    with company_scope("alpha"):
        row = SavedFilter.objects.get()
        assert (row.query, row.shared) == ("outcome=abandoned", True)
    assert "Фильтр №7" in admin.get("/calls/").text
    assert "Фильтр №7" not in signed_in("alpha", alpha_staff.anna.user).get("/calls/").text
    assert "Фильтр №7" not in signed_in("beta", beta_staff.admin).get("/calls/").text
    assert admin.post(f"/calls/filters/{row.pk}/forget/").status_code == 404
    head.post("/calls/filters/", kept)
    with company_scope("alpha"):
        assert SavedFilter.objects.count() == 1
    assert head.post(f"/calls/filters/{row.pk}/forget/").status_code == 302
    with company_scope("alpha"):
        assert not SavedFilter.objects.exists()

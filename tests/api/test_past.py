"""The API of the past: each person gets what the portal would show them, in pages; bad questions get clear answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.models import Call, LostCall
from tenants.scope import company_scope
from tests.api.conftest import Ask, Past

TODAY = {
    "from": (timezone.now() - timedelta(days=1)).date().isoformat(),
    "to": (timezone.now() + timedelta(days=1)).date().isoformat(),
}
PARTS = (
    ("/calls", "calls"), ("/lost", "lost"), ("/directory", "statistics"), ("/metrics", "statistics"),
    ("/statistics?metric=offered&from=2026-01-01&to=2026-01-02", "statistics"), ("/recordings", "recordings"),
)  # fmt: skip


def supervisor(staff: Any) -> Any:
    return staff.supervisor


def test_calls_come_newest_first_and_page_by_page(ask: Ask) -> None:
    first = ask("/calls", limit=2).json()
    assert [call["key"] for call in first["items"]] == ["1:2.1", "1:3.1"]
    assert first["items"][0]["wait"] == 40
    assert first["items"][0]["started"].endswith("Z")
    second = ask("/calls", limit=2, cursor=first["next"]).json()
    assert [call["key"] for call in second["items"]] == ["1:1.1"]
    assert second["next"] is None


def test_a_call_is_told_with_its_whole_route(ask: Ask, past: dict[str, Past]) -> None:
    whole = ask(f"/calls/{past['alpha'].answered}").json()
    assert [step["kind"] for step in whole["steps"]] == ["line", "talk"]
    assert (whole["legs"][0]["manager"], whole["legs"][0]["talk"]) == ("alpha_101", 60)
    assert (whole["visits"][0]["queue"], whole["visits"][0]["wait"]) == ("alpha_sales", 4)
    assert whole["name"] == "из alpha"


def test_a_supervisor_gets_the_calls_of_the_own_groups_alone(ask: Ask, past: dict[str, Past]) -> None:
    keys = [call["key"] for call in ask("/calls", who=supervisor).json()["items"]]
    assert sorted(keys) == ["1:1.1", "1:2.1"]
    with company_scope("alpha"):
        foreign = Call.objects.get(key="1:3.1").pk
    assert ask(f"/calls/{foreign}", who=supervisor).status_code == 404
    titles = [group["title"] for group in ask("/directory", who=supervisor).json()["groups"]]
    assert titles == ["Продажи"]


def test_figures_come_with_their_raw_counts_and_norms(ask: Ask, past: dict[str, Past]) -> None:
    queue = past["alpha"].staff.queue.pk
    answer = ask(
        "/statistics", metric="service_level,offered,asa", scope=f"queue:{queue}", bucket="total", **TODAY
    ).json()
    assert answer["total"]["values"] == {"service_level": 0.5, "offered": 2, "asa": 4}
    assert answer["total"]["counts"]["answered_within"] == 1
    assert answer["metrics"][0]["numerator"] == ["answered_within"]
    assert answer["norms"]["service_level"] == {"warning": 0.8, "alarm": 0.6}
    assert answer["zone"] == "Europe/Moscow"
    by_hour = ask("/statistics", metric="offered", bucket="hour", split="queue", **TODAY).json()
    assert sum(row["values"]["offered"] for row in by_hour["rows"]) == 2
    assert {row["key"] for row in by_hour["rows"]} == {str(queue)}


def test_a_supervisor_s_figures_count_the_own_groups_alone(ask: Ask, past: dict[str, Past]) -> None:
    asked = {"metric": "calls_in", "bucket": "total", **TODAY}
    assert ask("/statistics", **asked).json()["total"]["values"]["calls_in"] == 3
    assert ask("/statistics", who=supervisor, **asked).json()["total"]["values"]["calls_in"] == 2
    support = past["alpha"].staff.support.pk
    assert ask("/statistics", who=supervisor, scope=f"group:{support}", **asked).status_code == 404


def test_a_lost_call_is_listed_and_settled_once(ask: Ask) -> None:
    (row,) = ask("/lost", state="open").json()["items"]
    assert (row["call_key"], row["tries"], row["state"]) == ("1:2.1", 1, "open")
    closed = ask(f"/lost/{row['id']}/close", post={"reason": "written", "note": "почтой"}, who=supervisor)
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert ask(f"/lost/{row['id']}/close", post={"reason": "written"}).status_code == 409
    with company_scope("beta"):
        assert LostCall.objects.get().state == "open"


def test_a_token_opens_only_the_part_it_was_made_for(ask: Ask) -> None:
    for path, scope in PARTS:
        others = tuple(name for _path, name in PARTS if name != scope)
        assert ask(path, scopes=(scope,)).status_code == 200, path
        assert ask(path, scopes=others).status_code == 401, path


def test_another_company_s_token_and_ids_are_nothing_here(ask: Ask, past: dict[str, Past]) -> None:
    for path, _scope in PARTS:
        assert ask(path, slug="beta", host="alpha").status_code == 401
    with company_scope("beta"):
        twin = Call.objects.create(
            pk=99_000_001,
            key="1:77.1",
            pbx="1",
            direction="in",
            number="+79160000077",
            started=timezone.now(),
            disposition="answered",
            revision=1.0,
        )
        assert Call.objects.filter(pk=twin.pk).exists()
        foreign_queue = past["beta"].staff.queue.pk + 500
    for path in ("/calls/99000001", "/lost/99000001/close", "/recordings/99000001"):
        answer = ask(path, post={"reason": "spam"}) if path.endswith("close") else ask(path)
        assert answer.status_code == 404, path
        assert set(answer.json()) == {"detail"}
    asked = {"metric": "offered", **TODAY}
    for scope in (f"queue:{foreign_queue}", "group:77", "manager:77", "line:79990000000"):
        assert ask("/statistics", scope=scope, **asked).status_code == 404


def test_a_manager_reads_own_calls_by_session_and_no_figures(past: dict[str, Past]) -> None:
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        user = past["alpha"].staff.anna.user
        assert user is not None
        client.force_login(user)
    assert [call["key"] for call in client.get("/api/v1/calls").json()["items"]] == ["1:1.1"]
    assert client.get("/api/v1/statistics?metric=offered&from=2026-01-01&to=2026-01-02").status_code == 403
    assert client.get("/api/v1/directory").status_code == 403


@pytest.mark.parametrize(
    ("path", "parameters", "named"),
    [
        ("/calls", {"from": "1.1.2026"}, "from"),
        ("/calls", {"limit": 0}, "limit"),
        ("/calls", {"limit": 100_000}, "limit"),
        ("/calls", {"limit": "all"}, "limit"),
        ("/calls", {"cursor": "' OR 1=1"}, "cursor"),
        ("/calls", {"queue": "x"}, "queue"),
        ("/calls", {"direction": "up"}, "direction"),
        ("/lost", {"state": "found"}, "state"),
        ("/statistics", {"metric": "happiness", **TODAY}, "metric"),
        ("/statistics", {"metric": "waiting", **TODAY}, "metric"),
        ("/statistics", {"metric": "offered", "scope": "manager:1", **TODAY}, ""),
        ("/statistics", {"metric": "offered", "scope": "galaxy:1", **TODAY}, "scope"),
        ("/statistics", {"metric": "offered", "bucket": "eon", **TODAY}, "bucket"),
        ("/statistics", {"metric": "offered", "hours": "9-18", **TODAY}, "hours"),
        ("/statistics", {"metric": "offered", "weekdays": "0", **TODAY}, "weekdays"),
        ("/statistics", {"metric": "offered", "zone": "Mars/Base", **TODAY}, ""),
        ("/statistics", {"metric": "offered", "from": "1970-01-01", "to": "2026-01-01"}, ""),
        ("/statistics", {"metric": "offered", "from": "2026-02-01", "to": "2026-01-01"}, ""),
        ("/statistics", {"metric": "offered", "from": "2026-02-30", "to": "2026-03-01"}, "from"),
        ("/statistics", {"metric": "offered", "to": "2026-01-01"}, "from"),
    ],
)  # fmt: skip
def test_a_bad_question_is_a_clear_refusal(
    ask: Ask, path: str, parameters: dict[str, Any], named: str
) -> None:
    answer = ask(path, **parameters)
    assert answer.status_code in (400, 404), answer.content
    body = answer.json()
    assert body["detail"]
    assert not named or named in body.get("problems", {})
    assert "items" not in body
    assert "rows" not in body


@pytest.mark.parametrize("token", ["", "cc_", "cc_broken", "cc_" + "x" * 5000, "Bearer", "\x00"])
def test_a_broken_token_is_nobody(alpha_client: Client, past: dict[str, Past], token: str) -> None:
    for path, _scope in PARTS:
        answer = alpha_client.get(f"/api/v1{path}", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert set(answer.json()) == {"detail"}


def test_the_description_names_every_part(ask: Ask) -> None:
    described = ask("/openapi.json").json()
    paths = set(described["paths"])
    parts = {"board", "calls", "lost", "directory", "statistics", "metrics", "recordings"}
    assert {f"/api/v1/{part}" for part in parts} <= {path.rstrip("/") for path in paths}
    named = {p["name"] for p in described["paths"]["/api/v1/calls"]["get"]["parameters"]}
    assert {"from", "to", "number", "cursor", "limit"} <= named

"""The pages of profiles and norms over HTTP: each verb by each role of both companies, refused without a trace."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from monitoring.domain.watching import live_metrics
from monitoring.models import Norm, Profile
from monitoring.models.norms import NormScope
from monitoring.services import profiles
from tenants.scope import company_scope
from tests.profiles.conftest import House, fresh

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
ROLES = ("admin", "maker", "other", "manager")
VERBS = ("switch", "archive")


def browser(house: House, role: str) -> Client:
    client = Client(headers={"host": f"{house.slug}.localhost"})
    with company_scope(house.slug):
        client.force_login(fresh(house.person(role)), backend="tenants.people.backend.EmailBackend")
    return client


def state(house: House) -> object:
    with company_scope(house.slug):
        rows = Profile.objects.order_by("pk").values_list("pk", "title", "archived_at", "tiles", "columns")
        switches = house.mine.activity.values_list("pk", "ended")
        return list(rows), list(switches), list(Norm.objects.values_list("metric", "scope", "scope_id"))


def config_of(html: str) -> dict[str, object]:
    found = re.search(r'<script id="live-config" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    config: dict[str, object] = json.loads(found[1])
    return config


@pytest.mark.parametrize("role", ROLES)
def test_a_profile_is_not_there_for_whom_it_is_not_for(house: House, beta_house: House, role: str) -> None:
    address = f"/profiles/{house.mine.pk}/"
    may = role in ("admin", "maker")
    gone = 403 if role == "manager" else 404
    before = state(house)
    for page in ("", "live/", "wall/", "print/"):
        assert browser(house, role).get(address + page).status_code == (200 if may else gone), page
    with company_scope("beta"):
        Profile.objects.all().update(title="Бета")
    for page in ("", "live/", "wall/", "print/", "norms/"):
        number = house.mine.pk + 1_000_000
        assert browser(beta_house, role).get(f"/profiles/{number}/{page}").status_code == gone, page
    assert state(house) == before


@pytest.mark.parametrize("verb", [*VERBS, "copy", "norms", ""])
@pytest.mark.parametrize("role", ["other", "manager"])
def test_what_is_not_ones_own_is_not_changed_over_http(house: House, role: str, verb: str) -> None:
    with company_scope("alpha"):
        house.mine.people.add(house.other)
    before = state(house)
    answer = browser(house, role).post(
        f"/profiles/{house.mine.pk}/{verb}/".replace("//", "/"),
        {"title": "Моё", "tiles": ["lost"], "on": "0"},
    )
    if verb == "copy" and role == "other":
        assert answer.status_code == 302
        with company_scope("alpha"):
            assert Profile.objects.get(maker=house.other).title == "Продажи alpha (копия)"
    else:
        assert answer.status_code == 403
        assert state(house) == before


def test_a_supervisor_makes_changes_archives_and_brings_back_in_the_browser(house: House) -> None:
    client = browser(house, "maker")
    typed = {
        "title": "Утро",
        "groups": [house.staff.sales.pk],
        "tiles": ["lost", "waiting"],
        "columns": ["asa"],
    }
    assert client.post("/profiles/new/", typed).status_code == 302
    with company_scope("alpha"):
        made = Profile.objects.get(title="Утро")
        assert (made.tiles, made.columns) == (["lost", "waiting"], ["asa"]), "in the order they were sent"
    page = client.get(f"/profiles/{made.pk}/").text
    assert (
        page.index('value="lost" checked')
        < page.index('value="waiting" checked')
        < page.index('value="talking"')
    )
    row = client.post(f"/profiles/{made.pk}/archive/", headers={"HX-Request": "true"}).text
    assert f'/profiles/{made.pk}/restore/"' in row
    assert 'name="on" value="1"' in row, "undo switches it on again"
    assert client.get(f"/profiles/{made.pk}/live/").status_code == 404
    assert "Утро" in client.get("/profiles/?archived=1").text
    assert browser(house, "other").post(f"/profiles/{made.pk}/restore/", {"on": "1"}).status_code == 404
    client.post(f"/profiles/{made.pk}/restore/", {"on": "1"})
    assert client.get(f"/profiles/{made.pk}/live/").status_code == 200


@pytest.mark.parametrize(
    "typed",
    [
        {"title": "", "tiles": ["lost"]},
        {"title": "Без показателей"},
        {"title": "Нет такого", "tiles": ["aht"]},
        {"title": "Строка\nвторая", "tiles": ["lost"]},
        {"title": "x" * 81, "tiles": ["lost"]},
        {"title": "Чужая группа", "tiles": ["lost"], "groups": ["support"]},
    ],
)
def test_what_makes_no_profile_is_said_and_kept_out(house: House, typed: dict[str, object]) -> None:
    if "groups" in typed:
        typed = typed | {"groups": [house.staff.support.pk]}
    before = state(house)
    answer = browser(house, "maker").post("/profiles/new/", typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert state(house) == before


def test_the_list_names_nothing_its_reader_does_not_see(house: House) -> None:
    with company_scope("alpha"):
        Profile.objects.update(for_supervisors=True, title="Общий вид")
    page = browser(house, "other").get("/profiles/").text
    assert "Общий вид" in page
    assert "Продажи" not in page
    assert "чего вы не видите" in page


def test_a_profile_that_is_off_says_so_and_is_not_opened(house: House) -> None:
    with company_scope("alpha"):
        profiles.switch(actor=fresh(house.staff.supervisor), profile=house.mine, on=False)
    answer = browser(house, "maker").get(f"/profiles/{house.mine.pk}/live/", follow=True)
    assert answer.redirect_chain == [("/profiles/", 302)]
    assert "Профиль выключен" in answer.text


def test_the_page_is_told_of_a_profile_only_what_its_opener_sees(house: House) -> None:
    with company_scope("alpha"):
        house.mine.people.add(house.other)
        Norm.objects.create(metric="longest_wait", scope="queue", scope_id=house.staff.queue.pk, warning=1)
    own = config_of(browser(house, "maker").get(f"/profiles/{house.mine.pk}/live/").text)
    assert own["strip"] == ["waiting", "service_level"]
    assert own["profile"]["queues"] == ["alpha_sales"]  # type: ignore[index]  # JSON
    assert own["queueNorms"] == {"alpha_sales": {"longest_wait": {"warn": 1, "alarm": None}}}
    text = browser(house, "other").get(f"/profiles/{house.mine.pk}/live/").text
    shared = config_of(text)
    assert shared["profile"]["groups"] == shared["profile"]["queues"] == []  # type: ignore[index]  # JSON
    assert shared["queueNorms"] == {}
    assert "alpha_sales" not in text


@pytest.mark.parametrize("text", ["x", "-1", "9" * 40, "0", "1e3"])
def test_a_senseless_profile_number_is_not_found(house: House, text: str) -> None:
    assert browser(house, "admin").get(f"/live/?profile={text}").status_code == 404


# ---------------------------------------------------------------- norms


def test_an_admin_sets_a_queues_norm_and_gives_it_back(house: House) -> None:
    client = browser(house, "admin")
    address = f"/manage/norms/?of=queue:{house.staff.queue.pk}"
    assert (
        client.post(address, {"warning_waiting": 1, "alarm_waiting": 2, "hold_waiting": 30}).status_code
        == 302
    )
    with company_scope("alpha"):
        norm = Norm.objects.get(metric="waiting")
        assert (norm.scope, norm.scope_id, norm.warning, norm.hold) == ("queue", house.staff.queue.pk, 1, 30)
    page = client.get(address).text
    assert 'class="norm-own"' in page
    assert "Вернуть унаследованную" in page
    assert client.post(address, {"back": "waiting"}).status_code == 302
    with company_scope("alpha"):
        assert not Norm.objects.filter(metric="waiting").exists()


@pytest.mark.parametrize(
    "of", ["queue:999999", "group:x", "manager:1", "queue", "profile:0", "company:0", ":"]
)
def test_norms_of_nothing_are_not_found(house: House, beta_house: House, of: str) -> None:
    client = browser(house, "admin")
    assert client.get(f"/manage/norms/?of={of}").status_code == 404
    assert client.post(f"/manage/norms/?of={of}", {"warning_waiting": 1}).status_code == 404
    with company_scope("alpha"):
        assert not Norm.objects.exists()


@pytest.mark.parametrize(
    ("role", "may"), [("admin", True), ("maker", True), ("other", False), ("manager", False)]
)
def test_a_profiles_norms_are_its_makers(house: House, role: str, may: bool) -> None:
    with company_scope("alpha"):
        house.mine.people.add(house.other)
    client = browser(house, role)
    answer = client.post(f"/profiles/{house.mine.pk}/norms/", {"warning_waiting": 1, "alarm_waiting": 2})
    assert answer.status_code == (302 if may else 403)
    with company_scope("alpha"):
        assert Norm.objects.filter(scope=NormScope.PROFILE, scope_id=house.mine.pk).exists() == may
    assert client.post("/manage/norms/", {"warning_waiting": 1}).status_code == (
        302 if role == "admin" else 403
    )


def test_every_figure_of_the_live_panel_may_be_a_tile(house: House) -> None:
    keys = [metric.key for metric in live_metrics()]
    answer = browser(house, "admin").post("/profiles/new/", {"title": "Все", "tiles": keys, "columns": keys})
    assert answer.status_code == 302
    with company_scope("alpha"):
        made = Profile.objects.get(title="Все")
    config = config_of(browser(house, "admin").get(f"/profiles/{made.pk}/live/").text)
    assert config["strip"] == config["columns"] == keys
    texts = config["texts"]
    said = {f"count.{key}" for m in config["metrics"] for _sign, key in (*m["numerator"], *m["denominator"])}  # type: ignore[attr-defined]  # JSON
    assert said <= set(texts)  # type: ignore[call-overload]  # JSON

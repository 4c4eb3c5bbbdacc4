"""The live panel's page: who may open it, in which words, with whose norms."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

from ccenter.demo import translations
from monitoring.domain.metrics import METRICS
from monitoring.models.norms import Norm
from monitoring.views.live import STRIP, page_config
from monitoring.views.live_texts import catalogue
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.people import signed_in

BASE = Path(settings.BASE_DIR)
RUSSIAN = re.compile("[А-Яа-яЁё]")
WORDS = re.compile(r"(?<![np])gettext\(u?(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)")


def config_of(html: str) -> dict[str, object]:
    found = re.search(r'<script id="live-config" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    config: dict[str, object] = json.loads(found[1])
    return config


@pytest.mark.parametrize("company", ["alpha", "beta"])
@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMIN])
def test_supervisors_and_admins_of_every_company_open_the_panel(db: None, company: str, role: Role) -> None:
    client, _user = signed_in(company, role)
    answer = client.get("/live/")
    assert answer.status_code == 200
    config = config_of(answer.text)
    assert config["socket"] == "/ws/board/"
    assert [metric["key"] for metric in config["metrics"]] == list(STRIP)  # type: ignore[attr-defined]  # JSON


def test_a_manager_is_refused_and_a_stranger_is_sent_to_sign_in(db: None) -> None:
    client, _user = signed_in("alpha", Role.MANAGER)
    refused = client.get("/live/")
    assert refused.status_code == 403
    assert "live-config" not in refused.text
    client.logout()
    assert client.get("/live/").status_code == 302


def test_the_panel_is_only_read(db: None) -> None:
    client, _user = signed_in("alpha", Role.SUPERVISOR)
    assert client.post("/live/").status_code == 405


def test_a_companys_own_norm_stands_in_for_the_default_and_for_no_other_company(db: None) -> None:
    with company_scope("alpha"):
        Norm.objects.update_or_create(metric="waiting", defaults={"warning": 7, "alarm": None})
    norms = {}
    for company in ("alpha", "beta"):
        client, _user = signed_in(company, Role.SUPERVISOR)
        metrics = config_of(client.get("/live/").text)["metrics"]
        norms[company] = next(m["norm"] for m in metrics if m["key"] == "waiting")  # type: ignore[attr-defined]
    assert norms["alpha"] == {"warn": 7, "alarm": None}
    assert norms["beta"] != norms["alpha"]


def test_the_page_asks_for_no_script_or_style_that_the_content_policy_forbids(db: None) -> None:
    client, _user = signed_in("alpha", Role.SUPERVISOR)
    answer = client.get("/live/")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    html = answer.text
    assert not re.search(r"\sstyle=|\son\w+=|<style", html)
    inline = [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag]
    assert inline == ['<script id="live-config" type="application/json">']


# ------------------------------------------------------------------------------ words


def spoken(language: str) -> dict[str, str]:
    with translation.override(language):
        said = {}
        for key, text in catalogue().items():
            said |= {key: text} if isinstance(text, str) else {f"{key}#{form}": text[form] for form in text}
        for metric in page_config("UTC", {})["metrics"]:
            said |= {
                f"metric.{metric['key']}": metric["title"],
                f"meaning.{metric['key']}": metric["meaning"],
            }
            if metric["variant"]:
                said[f"variant.{metric['key']}"] = metric["variant"]
        return said


def test_every_text_of_the_panel_is_said_in_both_languages() -> None:
    russian, english = spoken("ru"), spoken("en")
    assert [key for key, text in russian.items() if not RUSSIAN.search(text)] == []
    assert [key for key, text in english.items() if RUSSIAN.search(text)] == []


def test_a_translation_keeps_the_places_of_what_is_put_in() -> None:
    places = re.compile(r"\{\w+\}")
    russian, english = spoken("ru"), spoken("en")
    for key in russian:
        assert sorted(places.findall(russian[key])) == sorted(places.findall(english[key])), key


def test_three_missed_in_a_row_is_right_in_russian() -> None:
    with translation.override("ru"):
        forms = catalogue()["flag.missing_calls"]
    assert isinstance(forms, dict)
    assert forms["one"] == "{n} пропущенный подряд"
    assert forms["few"] == forms["many"] == "{n} пропущенных подряд"


def script() -> str:
    return "".join(
        path.read_text() for path in (BASE / "static/js").rglob("*.js") if not path.name.endswith(".test.js")
    )


def test_the_script_asks_for_texts_that_exist_and_no_text_is_left_over() -> None:
    code, keys = script(), set(catalogue())
    literal = set(re.findall(r'"([a-z]+(?:\.[a-z_]+)*)"', code)) & keys
    asked = set(re.findall(r'\bt\("([^"]+)"', code))
    prefixes = tuple(set(re.findall(r"\bt\(`([a-z]+\.)\$\{", code)))
    assert asked - keys == set()
    assert all(any(key.startswith(prefix) for key in keys) for prefix in prefixes)
    assert {key for key in keys if key not in literal and not key.startswith(prefixes)} == set()


def in_templates() -> Iterator[str]:
    pages = [BASE / "templates/base.html", BASE / "templates/monitoring/live.html"]
    for page in [*pages, *(BASE / "templates/components").glob("*.html")]:
        for found in WORDS.finditer(templatize(page.read_text())):
            yield str(ast.literal_eval(found["text"]))


def test_every_word_of_the_frame_has_a_translation() -> None:
    entries = translations.catalogue(BASE / "ccenter/locale/ru/LC_MESSAGES")
    translated = {entry.msgid for entry in entries if entry.msgstr and not entry.fuzzy}
    assert set(in_templates()) - translated == set()


def test_every_metric_of_the_registry_has_a_russian_name_and_meaning() -> None:
    with translation.override("ru"):
        for metric in METRICS.values():
            assert RUSSIAN.search(translation.pgettext("metric", metric.title)), metric.key
            assert RUSSIAN.search(translation.gettext(metric.meaning)), metric.key

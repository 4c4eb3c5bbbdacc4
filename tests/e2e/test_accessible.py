"""axe looks at every page as every role sees it, light and dark: nothing that shuts somebody out may be on it.

The pages come from the views themselves with a row in every table, and are opened in Chromium with their own styles
and scripts; only the way between the two is short-circuited, so that all of them are seen in a minute.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, sync_playwright

from monitoring.models.calls import Call
from tenants.models import Pbx
from tenants.people.models import User
from tenants.scope import company_scope
from tests.e2e.panel_stage import CHROMIUM
from tests.factories.anything import Filler, company_models
from tests.factories.staff import Staff, make_staff
from tests.history.past import make_call
from tests.tenants.test_crawler import ALL

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "alpha")]

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DIST = ROOT / "static" / "dist"
ORIGIN = "http://alpha.localhost"
GRAVE = ("serious", "critical")
NUMBER = 7_000_001
STRANGERS = (
    "/api/",
    "/healthz",
    "/account/logout/",
)  # the first is a library's page, the last would sign out
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
LOOK = """async (rules) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const {violations} = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  return violations.map(({id, impact, nodes}) => [id, impact, nodes.slice(0, 3).map(({html}) => html.slice(0, 160))]);
}"""


@pytest.fixture
def staff() -> Staff:
    """A company with people, a few calls, and one row of everything else."""
    made = make_staff("alpha")
    with company_scope("alpha"):
        for number, talk in enumerate((30.0, 0.0, 600.0)):
            make_call(
                f"1:{number}", talk=talk, disposition="answered" if talk else "no_answer", manager=made.anna,
                queue=made.queue, groups=[made.sales.pk], name="Ольга",
            )  # fmt: skip
        given = {
            model: row for model in company_models() if (row := model._base_manager.order_by("pk").last())
        }
        filler = Filler(mark="Пример ", number=NUMBER, given={**given, Pbx: made.pbx, User: made.supervisor})
        for model in company_models():
            if model._meta.app_label != "mfa":  # a second factor of nonsense is none
                filler.row(model)
    return made


def pages(client: Client, numbers: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    """Every address that answers this person with a whole page, by its path."""
    seen = set()
    for address in ALL:
        for word in ("overview", "managers") if "statistics" in address.route else ("people", "queues"):
            path = address.at(number=numbers.get(address.route.split("/")[0], NUMBER), word=word)
            if path in seen or path.startswith(STRANGERS):
                continue
            seen.add(path)
            answer = client.get(path)
            if answer.status_code == 200 and not answer.streaming and b"<html" in answer.content:
                yield path, answer.content


def built() -> dict[str, bytes]:
    """Styles, scripts and icons by address, read at once: a build beside the test pulls nothing from under it."""
    found = {
        f"/static/dist/{file.relative_to(DIST)}": file.read_bytes()
        for file in DIST.rglob("*")
        if file.is_file()
    }
    assert "/static/dist/app.css" in found, "npm run build has not run"
    return found


def open_page(page: Page, path: str, content: bytes, files: dict[str, bytes]) -> None:
    def answer(route: Route) -> None:
        asked = urlsplit(route.request.url).path
        if asked in files:
            route.fulfill(body=files[asked], content_type=mimetypes.guess_type(asked)[0])
        elif route.request.is_navigation_request():
            route.fulfill(body=content, content_type="text/html; charset=utf-8")
        else:
            route.fulfill(status=204)

    page.unroute_all()
    page.route("**/*", answer)
    page.goto(ORIGIN + path, wait_until="load")
    page.add_style_tag(content="* { transition: none !important }")  # or a colour is measured on its way


def faults(page: Page, rules: dict[str, Any]) -> list[str]:
    return [
        f"{rule} ({impact}): {where}" for rule, impact, where in page.evaluate(LOOK, rules) if impact in GRAVE
    ]


@pytest.mark.parametrize(("role", "least"), [("admin", 35), ("supervisor", 18), ("manager", 4)])
def test_nobody_is_shut_out_of_any_page(staff: Staff, role: str, least: int) -> None:
    client = Client(headers={"host": "alpha.localhost"})
    user = {"admin": staff.admin, "supervisor": staff.supervisor, "manager": staff.anna.user}[role]
    assert user is not None
    with company_scope("alpha"):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
        numbers = {"calls": Call.objects.latest("pk").pk, "team": staff.anna.pk}
    made = list(
        pages(client, numbers)
    )  # all of them before a browser runs: a query cannot meet its event loop
    assert len(made) >= least, f"only {len(made)} pages were seen"
    found: list[str] = []
    files = built()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", bypass_csp=True
        )
        context.add_init_script(path=AXE)
        page = context.new_page()
        for path, content in made:
            page.emulate_media(color_scheme="light")
            open_page(page, path, content, files)
            found += [f"{path} light: {fault}" for fault in faults(page, RULES)]
            if role != "supervisor":  # whose pages the admin sees too
                page.emulate_media(color_scheme="dark")
                found += [f"{path} dark: {fault}" for fault in faults(page, COLOURS)]
        browser.close()
    assert not found, "\n".join(found)

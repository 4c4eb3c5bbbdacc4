"""The live panel opened as a profile, in a real browser before a real Daphne: what is shown, and what is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect, sync_playwright

from monitoring.models.norms import NormScope
from monitoring.services import norms
from tenants.models import Company
from tenants.people.models import User
from tenants.scope import company_scope
from tests.e2e.panel_stage import CHROMIUM
from tests.live.site import Site, serve, sign_in
from tests.profiles.board import TODAY, tell
from tests.profiles.conftest import House, fresh, make_house

pytestmark = pytest.mark.django_db(transaction=True)
PATIENT_MS = 20_000


class Eyes:
    """Somebody's browser, and every frame the socket brought to it."""

    def __init__(self, page: Page, site: Site, slug: str) -> None:
        self.page, self.site, self.slug = page, site, slug
        self.frames: list[str] = []
        self.faults: list[str] = []
        page.set_default_timeout(PATIENT_MS)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "websocket", lambda socket: socket.on("framereceived", lambda text: self.frames.append(str(text)))
        )

    def open(self, path: str, *, panes: bool = True) -> Page:
        self.page.goto(f"{self.site.origin(self.slug)}{path}")
        if panes:
            expect(self.page.locator(".panes")).to_have_attribute("aria-busy", "false", timeout=PATIENT_MS)
        return self.page


@pytest.fixture
def told(redis_url: str, alpha: Company, beta: Company) -> tuple[House, House]:
    houses = make_house("alpha"), make_house("beta")
    with company_scope("alpha"):
        norms.save(
            actor=fresh(houses[0].staff.supervisor), norms={"waiting": (1, 2)}, scope=NormScope.PROFILE,
            number=houses[0].mine.pk,
        )  # fmt: skip
    for house in houses:
        tell(redis_url, house, waiting=2, waited=5, now=time.time(), today=TODAY | {"offered": 40})
    return houses


@contextmanager
def browser(redis_url: str, house: House, role: str, log: Path) -> Iterator[Eyes]:
    session = sign_in(house.slug, fresh_in(house, role))
    with serve(redis_url, log) as site, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="ru-RU")
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site.origin(house.slug)}]
        )
        eyes = Eyes(context.new_page(), site, house.slug)
        yield eyes
        chromium.close()
        assert eyes.faults == []


def fresh_in(house: House, role: str) -> User:
    with company_scope(house.slug):
        return fresh(house.person(role))


def test_the_panel_opens_as_a_profile_with_its_figures_norms_and_rows(
    redis_url: str, told: tuple[House, House], tmp_path: Path
) -> None:
    house, _beta = told
    address = f"/profiles/{house.mine.pk}/live/"
    with browser(redis_url, house, "admin", tmp_path / "log") as eyes:
        page = eyes.open(f"/live/?profile={house.mine.pk}")
        assert page.url.endswith(address)
        expect(page.locator(".tile")).to_have_count(2)
        expect(page.locator("[data-metric=waiting] .tile-value")).to_contain_text("2")
        expect(page.locator("[data-metric=waiting]")).to_have_attribute("data-grade", "alarm")
        expect(page.locator(".pane-waiting .wait")).to_have_count(2)
        expect(page.locator(".person")).to_have_count(1)
        expect(page.locator(".live-queues tbody tr")).to_have_count(1)
        expect(page.locator(".live-queues")).to_contain_text("40")
        page.locator(".live-tools summary", has_text="Продажи alpha").click()
        page.get_by_role("link", name="Вся панель").click()
        expect(page.locator(".person")).to_have_count(2)
        expect(page.locator(".tile")).to_have_count(11)
        wall = eyes.open(f"/profiles/{house.mine.pk}/wall/", panes=False)
        expect(wall.locator(".tile")).to_have_count(2)
        expect(wall.locator(".topbar")).to_be_hidden()
        expect(wall.locator(".live-tools")).to_have_count(0)
        expect(wall.locator("h1")).to_have_text("Продажи alpha")


def test_a_shared_profile_shows_nothing_of_groups_its_opener_does_not_head(
    redis_url: str, told: tuple[House, House], tmp_path: Path
) -> None:
    house, _beta = told
    with company_scope("alpha"):
        house.mine.people.add(house.other)
    with browser(redis_url, house, "other", tmp_path / "log") as eyes:
        page = eyes.open(f"/profiles/{house.mine.pk}/live/")
        expect(page.locator("[data-metric=waiting] .tile-value")).to_have_text("0")
        expect(page.locator(".wait, .person, .live-queues tbody tr")).to_have_count(0)
        config = page.locator("#live-config").inner_text() or page.content()
        assert "alpha_sales" not in config
        frames = "".join(eyes.frames)
        assert '"t":"snapshot"' in frames
        for foreign in ("alpha_sales", "alpha_101", "+79160000000"):
            assert foreign not in frames
        printed = eyes.open(f"/profiles/{house.mine.pk}/print/", panes=False).content()
        for foreign in ("alpha_sales", "alpha_101", "Имя alpha_101"):
            assert foreign not in printed.split("<main")[1]

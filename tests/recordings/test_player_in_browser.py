"""The player in a real browser, served by Daphne: it draws, plays, seeks by ranges, renews its link, tells."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from monitoring.models import AuditEntry
from monitoring.models.recordings import Recording
from monitoring.services import audio
from tenants.people.models import User
from tenants.scope import company_scope
from tests.e2e.panel_stage import CHROMIUM
from tests.factories.staff import Staff
from tests.live.site import Site, serve, sign_in
from tests.recordings.conftest import NOON, Recorded, Shelf
from tests.recordings.sounds import stereo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MINUTES = 6


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, audio.Sound]:
    """Six minutes in which each side speaks every other second."""
    place = tmp_path_factory.mktemp("sound")
    here, there = (
        array("h", stereo(place / "x.raw", left, right, seconds=1).read_bytes())
        for left, right in ((440, 0), (0, 600))
    )
    (place / "long.raw").write_bytes((here + there).tobytes() * (30 * MINUTES))
    made = audio.convert(place / "long.raw", place / "long.mp3")
    return (place / "long.mp3").read_bytes(), made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in this thread, and nothing else does: no query can meet another one here.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        yield browser
        browser.close()


@dataclass
class Room:
    """A page of somebody signed in, and what it must never do."""

    page: Page
    faults: list[str] = field(default_factory=list)
    ranges: list[tuple[str, int]] = field(default_factory=list)

    def at(self) -> float:
        return float(self.page.evaluate("document.querySelector('[data-player]').player.at"))

    def until(self, least: float, seconds: float = 15) -> float:
        deadline = time.monotonic() + seconds
        while (now := self.at()) < least:
            assert time.monotonic() < deadline, f"it stands at {now} s, {least} s were waited for"
            time.sleep(0.05)
        return now


@pytest.fixture
def recording(
    chromium: Browser, recorded: Recorded, alpha_staff: Staff, sound: tuple[bytes, audio.Sound]
) -> Recording:
    content, made = sound
    row = recorded("alpha", alpha_staff, sound=content, seconds=60.0 * MINUTES)
    with company_scope("alpha"):
        Recording.objects.filter(pk=row.pk).update(
            seconds=made.seconds, peaks=made.peaks, sha256=made.sha256, size=made.size
        )
        assert row.call is not None
        for place, (kind, what, second) in enumerate(
            (
                ("queue", "alpha_sales", 0), ("talk", "alpha_101", 12), ("hold", "alpha_101", 90),
                ("talk", "alpha_101", 125),
            )
        ):  # fmt: skip
            began, ended = (NOON + offset for offset in (second, second + 10))
            row.call.steps.create(
                position=place, kind=kind, what=what, at=_moment(began), until=_moment(ended)
            )
        row.refresh_from_db()
    return row


def _moment(epoch: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch, UTC)


@pytest.fixture
def site(
    shelf: Shelf, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None
) -> Iterator[Site]:
    monkeypatch.setenv("RECORDINGS_DIR", str(shelf.kept))
    with serve(redis_url, tmp_path / "daphne.log") as site:
        yield site


def enter(chromium: Browser, site: Site, user: User | None, path: str, **options: Any) -> Room:
    assert user is not None
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="ru-RU", **options)
    name, key = django_settings.SESSION_COOKIE_NAME, sign_in("alpha", user)
    context.add_cookies([{"name": name, "value": key, "url": site.origin("alpha")}])
    room = Room(context.new_page())
    room.page.on("pageerror", lambda error: room.faults.append(str(error)))
    room.page.on(
        "console", lambda said: room.faults.append(said.text) if "Content Security" in said.text else None
    )
    room.page.on(
        "response",
        lambda answer: (
            room.ranges.append((answer.request.headers.get("range", ""), answer.status))
            if "/recordings/sound/" in answer.url
            else None
        ),
    )
    room.page.goto(site.origin("alpha") + path)
    return room


def test_it_draws_plays_seeks_and_tells(
    chromium: Browser, site: Site, recording: Recording, alpha_staff: Staff
) -> None:
    room = enter(chromium, site, alpha_staff.supervisor, f"/recordings/{recording.pk}/")
    page = room.page
    player = page.locator("[data-player]")
    drawn = int(player.get_attribute("data-drawn") or 0)
    assert drawn > 200  # bars of both sides
    assert room.ranges == []  # nobody has pressed anything
    page.get_by_role("button", name="Слушать").click()
    room.until(1.0)
    expect(page.get_by_role("button", name="Пауза")).to_be_visible()
    page.locator("[data-do=speed]").select_option("2")
    page.locator(".player-mark", has_text="Разговор").nth(1).click()
    assert 124 <= room.until(125.5) < 132
    slider = page.get_by_role("slider", name="Место в записи")
    slider.focus()
    slider.press("End")
    slider.press("PageDown")
    page.keyboard.press("k")
    stopped = room.at()
    assert stopped > 250
    page.keyboard.press("j")
    assert room.at() == pytest.approx(stopped - 10, abs=0.6)
    assert "6:00" in (slider.get_attribute("aria-valuetext") or "")
    assert room.ranges
    assert {status for _asked, status in room.ranges} == {206}
    page.wait_for_timeout(600)
    with company_scope("alpha"):
        (entry,) = AuditEntry.objects.filter(kind="recording")
    spans = entry.details["spans"]
    assert spans[0][0] == pytest.approx(0, abs=0.5)
    assert any(124 <= begin <= 126 for begin, _end in spans)
    assert sum(end - begin for begin, end in spans) < 30  # what was skipped was not heard
    assert room.faults == []
    page.context.close()


def test_an_ended_link_is_renewed_where_it_stood(
    chromium: Browser, site: Site, recording: Recording, alpha_staff: Staff
) -> None:
    room = enter(chromium, site, alpha_staff.admin, f"/recordings/{recording.pk}/")
    refused: list[str] = []

    def once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=404)

    room.page.route("**/recordings/sound/**", once)
    room.page.locator(".player-mark", has_text="Удержание").click()
    assert 89 <= room.until(91.0) < 100
    assert len(refused) == 1
    expect(room.page.locator(".player-trouble")).to_be_hidden()
    assert room.faults == []
    room.page.context.close()


def test_a_right_that_ended_is_said_in_words(
    chromium: Browser, site: Site, recording: Recording, alpha_staff: Staff
) -> None:
    room = enter(chromium, site, alpha_staff.supervisor, f"/recordings/{recording.pk}/")
    with company_scope("alpha"):
        alpha_staff.supervisor.supervisor.groups.clear()
    room.page.get_by_role("button", name="Слушать").click()
    expect(room.page.get_by_role("alert")).to_contain_text("больше нельзя слушать")
    with company_scope("alpha"):
        assert not AuditEntry.objects.filter(kind="recording").exists()
    room.page.context.close()


def test_a_remark_takes_the_second_the_hand_stands_at(
    chromium: Browser, site: Site, recording: Recording, alpha_staff: Staff
) -> None:
    room = enter(chromium, site, alpha_staff.supervisor, f"/recordings/{recording.pk}/", color_scheme="dark")
    page = room.page
    page.get_by_role("button", name="Оценить разговор").click()
    page.wait_for_url("**/reviews/*/")
    page.locator("[data-player] input[type=range]").evaluate(
        "slider => { slider.value = 71; slider.dispatchEvent(new Event('input')); }"
    )
    page.get_by_label("Комментарий к моменту").fill("Не представился")
    page.get_by_role("button", name="Добавить комментарий").click()
    expect(page.locator("[data-goto]")).to_have_text("1:11")
    page.locator(".review-answers label", has_text="Да").first.click()
    expect(page.locator("#review-total")).to_contain_text("100 %")
    assert room.faults == []
    page.context.close()

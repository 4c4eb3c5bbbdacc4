"""A live call's whole way in a real Chromium: opened by a click, Enter or a touch, ticking, while the board goes on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e.panel_stage import CHROMIUM
from tests.e2e.test_panel_behaviour import HOSTILE, panel, quiet_stage

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        yield running
        await running.close()


def talking(key: str, *, manager: str, number: str = "79161234567", name: str = "") -> list[Any]:
    """A call that went through a menu and a queue, rang two phones and is talked since a quarter of a minute."""
    now = time.time()
    steps = [
        {"kind": "line", "what": "74951234567", "at": now - 60, "until": now - 60},
        {"kind": "ivr", "what": "main", "at": now - 59, "until": now - 50, "note": "1"},
        {"kind": "queue", "what": "romashka_q0", "at": now - 50, "until": now - 15, "note": "answered"},
        {"kind": "ring", "what": "somebody", "at": now - 45, "until": now - 30, "note": "missed"},
        {"kind": "ring", "what": manager, "at": now - 28, "until": now - 15, "note": "answered"},
        {"kind": "talk", "what": manager, "at": now - 15, "until": None},
    ]
    call = {
        "key": key, "direction": "in", "number": number, "name": name, "line": "74951234567", "state": "talking",
        "since": now - 15, "started": now - 60, "answered": now - 15, "queue": None, "joined": None,
        "position": None, "managers": [{"manager": manager, "state": "talking", "since": now - 15}],
        "steps": steps, "listeners": [], "groups": [1],
    }  # fmt: skip
    return ["call", key, call]


@pytest.mark.parametrize("how", ["click", "enter", "touch"])
async def test_the_whole_way_opens_ticks_and_closes(browser: Browser, how: str) -> None:
    stage = quiet_stage()
    async with panel(browser, stage, width=390 if how == "touch" else 1440) as page:
        manager = next(iter(stage.scene.board["manager"]))
        await stage.publish([talking("1:1.1", manager=manager), talking("1:2.2", manager=manager)])
        if how == "touch":
            await page.get_by_role("tab").nth(1).click()
        card = page.locator('[data-call="1:1.1"].call')
        await expect(card).to_be_visible()
        before = await card.bounding_box()
        if how == "enter":
            await card.focus()
            await page.keyboard.press("Enter")
        else:
            await card.click(position={"x": 40, "y": 14})
        dialog = page.locator("dialog.route-dialog")
        await expect(dialog).to_be_visible()
        await expect(dialog.locator(".timeline-span[data-kind=talk][data-open]")).to_have_count(1)
        await expect(dialog.locator(".timeline-span[data-kind=ring]")).to_have_count(2)
        await expect(dialog.locator(".call-stops li")).to_have_count(6)
        clock = dialog.locator("[data-route-clock]")
        first = await clock.inner_text()
        await expect(clock).not_to_have_text(first, timeout=4_000)
        assert await card.bounding_box() == before, "nothing on the board may move"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # The call ends: it leaves the board, its way stays until one closes it, and its clock stands.
        await stage.publish([["call", "1:1.1", None]])
        await expect(dialog.locator(".chip")).to_have_attribute("data-tone", "away")
        stands = await clock.inner_text()
        await page.wait_for_timeout(1_300)
        assert await clock.inner_text() == stands
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)


async def test_a_hostile_callers_way_is_only_text(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        for place, evil in enumerate(HOSTILE):
            key = f"1:{place}"
            await stage.publish([talking(key, manager=evil, number=evil, name=evil)])
            await page.locator(f'[data-call="{key}"].call').click(position={"x": 40, "y": 14})
            dialog = page.locator("dialog.route-dialog")
            await expect(dialog.locator(".timeline-grid")).to_be_visible()
            assert await dialog.locator("img, script").count() == 0
            assert len(await dialog.inner_text()) < 3_000
            await page.keyboard.press("Escape")
            await stage.publish([["call", key, None]])

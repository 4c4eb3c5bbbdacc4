"""The panel in a real Chromium, under the real content policy: hostile callers, a still list, gaps, lost servers.

The stage plays the server's part of the protocol, so that each trouble can be made on purpose.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.panel_stage import CHROMIUM, Scene, Stage

pytestmark = pytest.mark.browser

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "\u202egnp.exe\r\nSet-Cookie: a=b\x00",
    "Я" * 10_000,
    "{n} ${alert(1)} {{7*7}}",
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        yield running
        await running.close()


@asynccontextmanager
async def panel(
    browser: Browser, stage: Stage, *, width: int = 1440, height: int = 900, query: str = ""
) -> AsyncIterator[Page]:
    server, port = await stage.serve()
    page = await browser.new_page(viewport={"width": width, "height": height})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None
    )
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    await page.goto(f"http://127.0.0.1:{port}/live/{query}")
    await expect(page.locator(".strip .tile")).to_have_count(11)
    yield page
    await page.close()
    server.close()
    assert faults == []


def waiting(key: str, *, joined: float, **fields: Any) -> list[Any]:
    call = {
        "key": key, "direction": "in", "number": "79161234567", "name": "", "line": "74951234567",
        "state": "waiting", "since": joined, "started": joined, "answered": None, "queue": "romashka_q0",
        "joined": joined, "position": 1, "managers": [], "steps": [], "listeners": [], "groups": [1],
    }  # fmt: skip
    return ["call", key, {**call, **fields}]


def quiet_stage() -> Stage:
    return Stage(Scene(managers=12, calls=0), rate=0)


async def test_a_hostile_caller_is_shown_harmlessly(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage, width=390) as page:
        now = time.time()
        steps = [{"kind": "ivr", "what": HOSTILE[0], "at": now, "until": None}]
        for number, name in enumerate(HOSTILE):
            fields = {"name": name, "number": name, "steps": steps, "queue": name, "line": name}
            await stage.publish([waiting(f"1:{number}", joined=now + number, **fields)])
        cards = page.locator(".wait")
        await expect(cards).to_have_count(len(HOSTILE))
        await expect(cards.nth(0).locator(".call-number")).to_have_text(HOSTILE[0])
        assert await page.locator("#live img, #live script").count() == 0
        assert "\u202e" not in await page.locator("#live").inner_text()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_nothing_moves_under_the_pointer(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        now = time.time()
        await stage.publish([waiting(f"1:{n}", joined=now + n, number=f"7916000000{n}") for n in range(3)])
        await page.locator(".wait").nth(1).hover()
        before = await page.locator(".wait").nth(2).bounding_box()
        await stage.publish([["call", "1:0", None], waiting("1:9", joined=now - 60, number="79160000009")])
        await expect(page.locator(".ghost")).to_have_count(1)
        numbers = await page.locator(".pane-waiting .call-number").all_inner_texts()
        assert [number[-1] for number in numbers] == ["0", "1", "2", "9"]
        assert await page.locator(".wait").nth(2).bounding_box() == before
        await page.mouse.move(1200, 700)
        await expect(page.locator(".ghost")).to_have_count(0)
        numbers = await page.locator(".pane-waiting .call-number").all_inner_texts()
        assert [number[-1] for number in numbers] == ["9", "1", "2"]


async def test_a_gap_heals_by_a_snapshot(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        key, fields = "1:1", waiting("1:1", joined=time.time())[2]
        stage.scene.board["call"][key] = fields
        stage.seq += 1  # this frame is lost on the way
        await stage.publish([["manager", "romashka_101", {"missed_in_row": 1}]])
        await expect(page.locator(".wait")).to_have_count(1)
        assert [frame["t"] for frame in stage.heard].count("resync") == 1


async def test_a_lost_server_is_said_in_words_and_forgotten_when_it_is_back(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        await expect(page.locator(".band")).to_have_count(0)
        await asyncio.gather(*(socket.close() for socket in list(stage.sockets)))
        await expect(page.locator("[data-notice=lost]")).to_contain_text("Нет связи с сервером с")
        await expect(page.locator("[data-notice=lost]")).to_have_count(0, timeout=10_000)
        assert [frame["t"] for frame in stage.heard].count("hello") == 2
        again = [frame for frame in stage.heard if frame["t"] == "hello"][-1]
        assert again["have"] == {"epoch": "stage", "seq": stage.seq}


async def test_a_broken_norm_calls_from_the_tab_and_falls_silent_when_it_heals(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        await stage.publish([waiting("1:1", joined=time.time() - 75)])
        card = page.locator(".wait")
        await expect(card).to_have_attribute("data-level", "alarm")
        await expect(card.locator(".level .icon")).to_have_attribute("aria-label", "Ждёт слишком долго")
        await expect(page).to_have_title(re.compile("^‼ 1 ждёт 1:"))
        await stage.publish([["call", "1:1", None]])
        await expect(page).to_have_title(re.compile("^(?!.*ждёт)"))


async def test_the_bell_rings_for_a_broken_norm_and_never_for_what_ended(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        await page.evaluate(
            """() => {
                window.rung = 0;
                const make = AudioContext.prototype.createOscillator;
                AudioContext.prototype.createOscillator = function () { window.rung += 1; return make.call(this); };
            }"""
        )
        await page.mouse.click(2, 400)  # a browser lets nothing sound before the first gesture; nothing is there
        late = time.time() - 75
        await stage.publish([waiting("1:1", joined=late), ["call", "1:1", None]])
        await asyncio.sleep(2.2)
        assert await page.evaluate("window.rung") == 0
        await stage.publish([waiting("1:2", joined=late)])
        await expect(page).to_have_title(re.compile("^‼"))
        await asyncio.sleep(1.1)
        assert await page.evaluate("window.rung") == 2, "one ring of two tones"


async def test_a_hidden_tab_that_comes_back_asks_for_a_snapshot(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        hide = """hidden => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
        await page.evaluate(hide, True)
        await stage.publish([waiting("1:1", joined=time.time() - 75)])
        await expect(page).to_have_title(re.compile("^‼"))  # it calls although nobody looks
        await asyncio.sleep(5.2)
        await page.evaluate(hide, False)
        await expect(page.locator(".wait")).to_have_count(0)  # the stage's board never had that call
        assert [frame["t"] for frame in stage.heard].count("resync") == 1


async def test_a_figure_tells_how_it_was_counted(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        tile = page.locator("[data-metric=service_level]")
        await tile.focus()
        await page.keyboard.press("Enter")
        counts = [queue["today"] for queue in stage.scene.board["queue"].values()]
        total = sum(count["answered_within"] for count in counts)
        await expect(page.locator("dialog[open] .formula")).to_contain_text(f"{total} принято в срок")
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await expect(tile).to_be_focused()


async def test_the_keyboard_alone_is_enough(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage) as page:
        await page.keyboard.press("3")
        await page.keyboard.press("j")
        people = page.locator(".person")
        await expect(people.nth(1)).to_be_focused()
        await page.keyboard.press("ArrowUp")
        await expect(people.nth(0)).to_be_focused()
        await page.keyboard.press("/")
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.type("103")
        await expect(people).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(people).to_have_count(12)


async def test_filters_are_in_the_address_and_come_back_with_it(browser: Browser) -> None:
    stage = quiet_stage()
    async with panel(browser, stage, query="?group=2&q=10") as page:
        titles = await page.locator(".group-fold bdi").all_inner_texts()
        assert titles == ["Поддержка"]
        assert await page.locator("#search").input_value() == "10"
        await page.locator(".live-tools > .btn", has_text="Сбросить").click()
        await expect(page.locator(".person")).to_have_count(12)
        assert "?" not in page.url


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_the_page_fits_every_width(browser: Browser, language: str) -> None:
    stage = Stage(Scene(managers=24, calls=14), rate=0)
    async with panel(browser, stage, query=f"?lang={language}") as page:
        await expect(page.locator(".pane-waiting .badge").first).not_to_have_text("0")
        for width in (390, 768, 1024, 1280, 1440, 1920):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            cut = await page.evaluate(
                """() => [...document.querySelectorAll('.call, .person')].filter(row =>
                    [...row.querySelectorAll('.timer')].some(timer =>
                        timer.getBoundingClientRect().right > row.getBoundingClientRect().right)).length"""
            )
            assert cut == 0, width


def test_the_stage_says_what_the_protocol_says() -> None:
    stage = quiet_stage()
    frame = json.loads(stage.snapshot())
    assert set(frame) == {"t", "epoch", "seq", "now", "board"}

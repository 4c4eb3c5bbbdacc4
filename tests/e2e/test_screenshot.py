"""The README's pictures: the supervisor's panel at a lively moment and a month's statistics, taken from the real thing.

A picture in docs/ is written when it is missing or CCENTER_SCREENSHOT=1 asks for a new one; else only the moment
is tried, so that a run of the tests leaves the tree as it was.
"""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ccenter.lab.sipp import Phone
from tests.e2e.fixtures import MENU, SALES, SUPPORT, VIP, Exchange, Panel, Watch
from tests.e2e.stack import ROOT, Stack

pytestmark = [pytest.mark.real, pytest.mark.browser]

PICTURE = ROOT / "docs" / "live-panel.png"
STATISTICS = ROOT / "docs" / "statistics.png"
TALKING = (
    (SALES, "79161204518", "Ольга Бондаренко"),
    (SALES, "74957771290", "ООО «Лютик»"),
    (VIP, "79031112233", "Сергей Ким"),
    (SALES, "79257704410", ""),
    (SALES, "78127003344", "Аптека 36"),
    (VIP, "79859152077", "АО «Вымпел»"),
)
WAITING = (
    (SUPPORT, "79096614023", "Екатерина Седых"),
    (SUPPORT, "79778120935", ""),
    (SUPPORT, "79605550184", "Михаил Черных"),
)


def test_the_panel_at_a_lively_moment(stack: Stack, exchange: Exchange, watch: Watch, tmp_path: Path) -> None:
    talk = Phone(ring=0.5, talk=300)
    exchange.phones(romashka_101=talk, romashka_102=talk, romashka_103=talk, others=talk)
    panel = watch("romashka", "head")
    for line, number, name in TALKING:
        exchange.call(line, number, name, stay=300)
        time.sleep(0.8)
    for _line, number, _name in TALKING:
        expect(panel.going(number[-2:])).not_to_have_count(0)
    exchange.call(MENU, "73432001717", "Стройдвор", stay=300)
    time.sleep(
        4.5
    )  # this one hears the menu first, and the others must not have waited too long when it is through
    for line, number, name in WAITING:
        exchange.call(line, number, name, stay=300)
        time.sleep(0.4)
    expect(panel.page.locator(".pane-waiting .wait:not(.ghost)").nth(3)).to_be_visible()
    expect(panel.person("113")).to_have_attribute("data-tone", "ringing")
    keep(panel, PICTURE, tmp_path)


def test_a_months_statistics(stack: Stack, watch: Watch, tmp_path: Path) -> None:
    stack.tell("tests.e2e.past", "61")
    panel = watch("romashka", "head", "/statistics/?period=days30")
    expect(panel.page.locator(".stats-figure").nth(11)).to_be_visible()
    expect(panel.page.locator(".stats-chart[data-drawn]").first).to_be_visible()
    keep(panel, STATISTICS, tmp_path)


def keep(panel: Panel, picture: Path, tmp_path: Path) -> None:
    wanted = os.environ.get("CCENTER_SCREENSHOT") == "1" or not picture.exists()
    place = picture if wanted else tmp_path / picture.name
    panel.page.mouse.move(0, 0)
    panel.page.screenshot(path=place)
    assert struct.unpack(">II", place.read_bytes()[16:24]) == (1440, 900)

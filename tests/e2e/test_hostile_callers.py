"""Callers who write markup, line breaks and direction marks into name and number, on the real page."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from ccenter.lab.scenarios.hostile import NAMES, NUMBERS
from tests.e2e.fixtures import SALES, Exchange, Watch
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.real, pytest.mark.browser]


def test_whatever_callers_write_is_shown_as_text_and_to_their_own_company(
    stack: Stack, exchange: Exchange, watch: Watch
) -> None:
    exchange.phones()
    panel, other = watch("romashka", "head"), watch("vektor", "head")
    exchange.call(SALES, "79160003099", "Ы" * 5_000, stay=60)  # 10 kB: Asterisk's SIP lets no such message in
    for place, name in enumerate(NAMES):
        exchange.call(SALES, f"7916000300{place}", name, stay=60)
    for number in NUMBERS:
        exchange.call(SALES, quote(number, safe=""), "Hostile", stay=60)
    cards = panel.page.locator(".pane-waiting .wait:not(.ghost)")
    expect(cards).to_have_count(len(NAMES) + len(NUMBERS))
    shown = panel.page.locator("#live")
    expect(shown).to_contain_text("<script>alert(1)</script>")
    text = shown.inner_text()
    assert not set("\u202e\u2066\u200f") & set(text)
    assert panel.page.locator("#live img, #live script").count() == 0
    assert panel.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert stack.link()["state"] == "connected"
    assert other.page.locator(".call:not(.ghost)").count() == 0
    assert stack.board("vektor")["call"] == {}
    exchange.hang_up()
    expect(cards).to_have_count(0)
    stack.check_history()
    assert (
        stack.rows("vektor", "SELECT 1 FROM monitoring_call WHERE number LIKE '79%%' AND name = 'Hostile'")
        == []
    )

"""Real SIP calls in a real Asterisk, seen by a supervisor in a real browser, and stored."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import WebSocket, expect

from ccenter.lab.sipp import Phone, Refer
from tests.e2e.fixtures import MAIN, SALES, Exchange, Panel, Watch
from tests.e2e.stack import Stack, until
from tests.figures import Figure

pytestmark = [pytest.mark.real, pytest.mark.browser]


def stored(stack: Stack, company: str, number: str) -> dict[str, Any]:
    """The one ended call of this caller with its legs and visits, when it is there."""
    until(lambda: ended(stack, company, number), 8, what=f"call of {number} is stored")
    rows = ended(stack, company, number)
    assert len(rows) == 1
    key, disposition = rows[0]
    legs = stack.rows(
        company,
        "SELECT l.manager_name, l.outcome, round(l.talk_seconds)"
        "  FROM monitoring_leg l JOIN monitoring_call c ON c.id = l.call_id"
        " WHERE c.key = %s ORDER BY l.rang, l.uniqueid",
        key,
    )
    visits = stack.rows(
        company,
        "SELECT queue_name, outcome, manager_name FROM monitoring_queuevisit WHERE call_key = %s ORDER BY joined",
        key,
    )
    return {"disposition": disposition, "legs": legs, "visits": visits}


def ended(stack: Stack, company: str, number: str) -> list[tuple[Any, ...]]:
    return stack.rows(
        company,
        "SELECT key, disposition FROM monitoring_call WHERE number = %s AND ended IS NOT NULL AND merged_into = ''",
        number,
    )


def test_a_call_waits_is_talked_to_and_ends_before_the_supervisors_eyes(
    stack: Stack, exchange: Exchange, watch: Watch, figure: Figure
) -> None:
    exchange.phones(romashka_101=Phone(ring=2.0, talk=3.0))
    panel = watch("romashka", "head")
    answered = panel.tile("answered")
    began = time.monotonic()
    exchange.call(SALES, "79160001001", "Анна Каренина", stay=20)
    card = panel.waiting("916 000-10-01")
    expect(card).to_contain_text("Анна Каренина")
    shown = time.monotonic() - began
    expect(card).to_contain_text("Продажи")
    talk = panel.going("916 000-10-01")
    expect(talk.locator(".chip").first).to_have_attribute("data-tone", "talking")
    expect(talk).to_contain_text("Анна Смирнова")
    expect(panel.person("101")).to_have_attribute("data-tone", "talking")
    expect(panel.person("101")).to_contain_text("916 000-10-01")
    expect(panel.waiting("916 000-10-01")).to_have_count(0)
    expect(panel.going("916 000-10-01")).to_have_count(0)
    expect(panel.person("101")).to_have_attribute("data-tone", "free")
    expect(panel.page.locator("[data-metric=answered] .tile-value")).to_have_text(str(answered + 1))
    assert stored(stack, "romashka", "79160001001") == {
        "disposition": "answered",
        "legs": [("romashka_101", "answered", 3)],
        "visits": [("romashka_sales", "answered", "romashka_101")],
    }
    figure("SIP call → its card in Chromium (with SIPp's start)", f"{shown:.2f} s", "")


def test_a_caller_who_gives_up_is_lost(stack: Stack, exchange: Exchange, watch: Watch) -> None:
    exchange.phones()
    panel = watch("romashka", "head")
    lost = panel.tile("lost")
    exchange.call(SALES, "79160001002", stay=5.5)
    expect(panel.waiting("916 000-10-02")).to_have_count(1)
    expect(panel.waiting("916 000-10-02")).to_have_count(0)
    expect(panel.page.locator("[data-metric=lost] .tile-value")).to_have_text(str(lost + 1))
    call = stored(stack, "romashka", "79160001002")
    assert (call["disposition"], call["visits"]) == ("abandoned", [("romashka_sales", "abandoned", "")])
    assert {outcome for _, outcome, _ in call["legs"]} <= {"missed", "cancelled"}


def test_a_phone_that_is_not_answered_hands_the_caller_on(
    stack: Stack, exchange: Exchange, watch: Watch
) -> None:
    exchange.phones(romashka_102=Phone(ring=0.5, talk=2.0))
    panel = watch("romashka", "head")
    exchange.call(SALES, "79160001003", stay=20)
    expect(panel.person("101")).to_have_attribute("data-tone", "ringing")
    expect(panel.going("916 000-10-03")).to_contain_text("Иван Кузнецов")
    expect(panel.person("101")).to_have_attribute("data-tone", "free")
    expect(panel.going("916 000-10-03")).to_have_count(0)
    call = stored(stack, "romashka", "79160001003")
    assert [leg[:2] for leg in call["legs"]] == [("romashka_101", "missed"), ("romashka_102", "answered")]
    assert call["visits"] == [("romashka_sales", "answered", "romashka_102")]


def test_a_blind_transfer_stays_one_call_and_shows_who_has_it_now(
    stack: Stack, exchange: Exchange, watch: Watch
) -> None:
    exchange.phones(
        romashka_101=Phone(ring=0.3, acts=(Refer("102", 2.0),)), romashka_102=Phone(ring=1.0, talk=2.0)
    )
    panel = watch("romashka", "head")
    exchange.call(SALES, "79160001004", stay=40)
    card = panel.going("916 000-10-04")
    expect(card).to_contain_text("Анна Смирнова")
    expect(card.locator(".call-who")).to_contain_text("Иван Кузнецов")
    expect(panel.person("101")).to_have_attribute("data-tone", "free")
    expect(panel.person("102")).to_have_attribute("data-tone", "talking")
    expect(card).to_have_count(0)
    call = stored(stack, "romashka", "79160001004")
    assert [leg[:2] for leg in call["legs"]] == [("romashka_101", "answered"), ("romashka_102", "answered")]
    assert call["visits"] == [("romashka_sales", "answered", "romashka_101")]


def listen(panel: Panel) -> list[str]:
    """Every frame the page's sockets receive from now on."""
    frames: list[str] = []

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: frames.append(str(data)))

    panel.page.on("websocket", opened)
    return frames


def test_two_companies_at_once_and_neither_sees_the_other(
    stack: Stack, exchange: Exchange, watch: Watch
) -> None:
    exchange.phones(romashka_101=Phone(ring=0.5, talk=30), vektor_101=Phone(ring=0.5, talk=30))
    panels = {"romashka": watch("romashka", "head"), "vektor": watch("vektor", "head")}
    heard: dict[str, list[str]] = {}
    for company, panel in panels.items():
        heard[company] = listen(panel)
        panel.page.reload()
        expect(panel.page.locator(".panes")).to_have_attribute("aria-busy", "false")
    exchange.call(SALES, "79160001005", "Тайна Ромашки", stay=30)
    exchange.call(MAIN, "79160001006", "Тайна Вектора", stay=30)
    own = {"romashka": "916 000-10-05", "vektor": "916 000-10-06"}
    for company, panel in panels.items():
        expect(panel.going(own[company]).locator(".chip").first).to_have_attribute("data-tone", "talking")
        expect(panel.page.locator(".pane-calls .call:not(.ghost)")).to_have_count(1)
    exchange.hang_up()
    for panel in panels.values():
        expect(panel.page.locator(".call:not(.ghost)")).to_have_count(0)
    for company, other, foreign in (
        ("romashka", "vektor", "79160001006"), ("vektor", "romashka", "79160001005"),
    ):  # fmt: skip
        assert heard[company]
        assert not [frame for frame in heard[company] if other in frame or foreign in frame]
        assert stack.rows(company, "SELECT 1 FROM monitoring_call WHERE number = %s", foreign) == []
        page = panels[company].page.content()
        assert other not in page
        assert foreign[1:] not in page

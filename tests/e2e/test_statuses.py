"""A status set on the manager's page pauses the phone in Asterisk; a pause made there comes back as a status."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ccenter.lab.sipp import Phone
from tests.e2e.fixtures import SALES, Exchange, Panel, Watch
from tests.e2e.stack import Stack, until

pytestmark = [pytest.mark.real, pytest.mark.browser]


def member(stack: Stack, queue: str, name: str) -> str:
    """Asterisk's own line about a queue member."""
    lines = stack.instance.command(f"queue show {queue}").splitlines()
    return next(line for line in lines if name in line)


def press(page: Panel, label: str) -> None:
    page.page.locator(".day-choice", has_text=label).click()
    expect(page.page.locator("#day-now")).to_have_text(label)


def test_a_status_set_on_the_managers_page_is_a_pause_in_every_queue(
    stack: Stack, exchange: Exchange, watch: Watch
) -> None:
    exchange.phones(romashka_102=Phone(ring=0.5, talk=1.0))
    panel, other = watch("romashka", "head"), watch("vektor", "head")
    own = watch("romashka", "101", "/me/")
    press(own, "Обед")
    for queue in ("romashka_sales", "romashka_vip"):
        line = member(stack, queue, "101")
        assert "paused:Обед" in line or ("paused" in line and "Обед" in line)
    expect(panel.person("101")).to_have_attribute("data-tone", "break")
    expect(panel.person("101")).to_contain_text("Обед")
    expect(other.person("101")).to_have_attribute("data-tone", "free")
    exchange.call(SALES, "79160002001", stay=10)
    expect(panel.going("916 000-20-01")).to_contain_text("Иван Кузнецов")
    expect(panel.going("916 000-20-01")).to_have_count(0)
    press(own, "Доступен")
    expect(panel.person("101")).to_have_attribute("data-tone", "free")
    assert "paused" not in member(stack, "romashka_sales", "101")
    rang = (
        "SELECT manager_name FROM monitoring_leg JOIN monitoring_call c ON c.id = call_id WHERE c.number = %s"
    )
    until(
        lambda: stack.rows("romashka", rang, "79160002001") == [("romashka_102",)],
        5,
        what="101 was left alone",
    )


def test_a_pause_made_on_the_phone_comes_back_as_a_status(
    stack: Stack, exchange: Exchange, watch: Watch
) -> None:
    panel, own = watch("romashka", "head"), watch("romashka", "103", "/me/")
    exchange.order("QueuePause", Interface="PJSIP/romashka_103", Paused="true", Reason="Обед")
    expect(panel.person("103")).to_have_attribute("data-tone", "break")
    expect(panel.person("103")).to_contain_text("Обед")
    own.page.reload()
    expect(own.page.locator("#day-now")).to_have_text("Обед")
    exchange.order("QueuePause", Interface="PJSIP/romashka_103", Paused="false")
    expect(panel.person("103")).to_have_attribute("data-tone", "free")
    asked = (
        "SELECT s.label, i.source FROM monitoring_statusinterval i JOIN monitoring_status s ON s.id = i.status_id"
        " JOIN monitoring_manager m ON m.id = i.manager_id WHERE m.pbx_name = %s ORDER BY i.started"
    )
    assert stack.rows("romashka", asked, "romashka_103")[-2:] == [("Обед", "phone"), ("Доступен", "phone")]
    assert ("Обед", "phone") not in stack.rows("vektor", asked, "vektor_103")

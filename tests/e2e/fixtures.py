"""Fixtures of the tests on the whole portal: one boot for all of them, phones and callers, eyes on the panel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, expect, sync_playwright

from ccenter.lab.ami import AmiError, Connection, channels
from ccenter.lab.plan import AmiAccount
from ccenter.lab.ports import PBX_HOST
from ccenter.lab.sipp import Caller, Phone, Stage
from tests.e2e.panel_stage import CHROMIUM
from tests.e2e.stack import DIRECTED, Stack, running, until

SALES, SUPPORT, MENU, VIP, MAIN = "74951230001", "74951230002", "74951230003", "88001230000", "78123330001"
PATIENT_MS = 12_000


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole portal, booted when the first test asks for it."""
    with running() as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> Iterator[None]:
    """Does the background tasks by their timetable."""
    with stack.working():
        yield


@dataclass
class Exchange:
    """Phones and callers of one test. A phone nobody directs rings and is never answered."""

    stack: Stack
    stage: Stage
    line: Connection | None = None

    def phones(self, **behaviour: Phone) -> None:
        port = self.stack.instance.ports.phones
        for name, host in {**DIRECTED, "others": PBX_HOST}.items():
            self.stage.phones(behaviour.get(name, Phone(deaf=1.0)), port, host)
        time.sleep(0.3)

    def call(self, line: str, number: str, name: str = "", **more: Any) -> Popen[bytes]:
        return self.stage.call(Caller(dials=line, number=number, name=name, **more))

    def account(self) -> AmiAccount:
        return max(self.stack.plan.accounts, key=lambda account: len(account.write))

    def control(self) -> Connection:
        """An AMI connection with every right; a new one when Asterisk was restarted."""
        if self.line is None or self.line.gone.is_set():
            self.close()
            self.line = Connection(self.stack.instance.ports.ami, self.account(), events=False)
        return self.line

    def close(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None

    def live(self) -> list[dict[str, str]]:
        """The channels Asterisk has now."""
        return channels(self.control())

    def bridged(self, channels: int) -> None:
        """Wait until so many channels talk."""
        until(
            lambda: len([c for c in self.live() if c.get("BridgeId")]) >= channels,
            15,
            what="the calls get through",
        )

    def hang_up(self) -> None:
        """Until nothing is left: a queue rings the next member meanwhile."""
        for _ in range(30):
            live = self.live()
            for channel in live:
                with suppress(AmiError):  # it went by itself
                    self.order("Hangup", Channel=channel["Channel"])
            if not live:
                return
            time.sleep(0.2)

    def order(self, action: str, **fields: str) -> None:
        """What a phone's feature code would make Asterisk do."""
        self.control().act({"Action": action, **fields})


@pytest.fixture
def exchange(stack: Stack) -> Iterator[Exchange]:
    with Stage(stack.instance.ports.sip, logs=False) as stage:
        exchange = Exchange(stack, stage)
        yield exchange
        exchange.hang_up()
        exchange.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        yield browser
        browser.close()


class Panel:
    """A page of the portal somebody looks at, and what it must never do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", self._asked)
        page.on("console", self._said)

    def _asked(self, dialog: Dialog) -> None:
        self.faults.append(dialog.message)
        dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            self.faults.append(message.text)

    def waiting(self, number: str) -> Locator:
        return self.page.locator(".pane-waiting .wait:not(.ghost)", has_text=number)

    def going(self, number: str) -> Locator:
        return self.page.locator(".pane-calls .call:not(.ghost)", has_text=number)

    def person(self, extension: str) -> Locator:
        return self.page.locator(".person", has=self.page.locator(".person-ext", has_text=extension)).first

    def band(self, notice: str) -> Locator:
        return self.page.locator(f"[data-notice={notice}]")

    def tile(self, metric: str) -> int:
        text = self.page.locator(f"[data-metric={metric}] .tile-value").inner_text()
        return int(text.strip() or 0)


Watch = Callable[..., Panel]


@pytest.fixture
def watch(stack: Stack, chromium: Browser) -> Iterator[Watch]:
    """``watch("romashka", "head")``: that person opens the live panel (or another page)."""
    opened: list[tuple[Any, Panel]] = []

    def open_page(company: str, account: str, path: str = "/live/", *, height: int = 900) -> Panel:
        context = chromium.new_context(
            viewport={"width": 1440, "height": height}, color_scheme="light", locale="ru-RU"
        )
        context.add_cookies(stack.visitor(company, account).cookies())
        panel = Panel(context.new_page())
        panel.page.set_default_timeout(PATIENT_MS)
        host = f"{company}.localhost" if company else "localhost"
        panel.page.goto(f"http://{host}:{stack.web_port}{path}")
        if path == "/live/":
            expect(panel.page.locator(".panes")).to_have_attribute("aria-busy", "false", timeout=PATIENT_MS)
        opened.append((context, panel))
        return panel

    expect.set_options(timeout=PATIENT_MS)
    yield open_page
    for context, _panel in opened:
        context.close()
    assert [fault for _context, panel in opened for fault in panel.faults] == []

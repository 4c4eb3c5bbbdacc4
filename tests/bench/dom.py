"""How old a change is when a real Chromium has painted it: the whole way, from the collector's write to the page.

One Chromium and 99 plain sockets before one Daphne; beside them a program that asks the API every five seconds.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import threading
import time
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.bench.collector import collecting
from tests.bench.portal import Portal, portal
from tests.bench.sockets import Sockets, middle_and_late, request
from tests.bench.table import Row

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
COMPANY = "alpha"
RATE = 240
OTHERS = 99
SIZES = {"a small board": (60, 24), "200 live calls, 500 managers": (200, 500)}
WINDOWS, SECONDS = 3, 6.0
POLL = 5.0
LATE_MS = 250.0
# A change says when it happened in the name on its card. Its age is taken when the frame that shows it is painted:
# a message posted while the page is changed arrives after the painting.
WATCH = """
window.ages = [];
const stamp = /@(\\d+\\.\\d+)@/;
let fresh = [];
const painted = new MessageChannel();
painted.port1.onmessage = () => {
  const now = Date.now() / 1000;
  for (const at of fresh) window.ages.push(now - at);
  fresh = [];
};
new MutationObserver((records) => {
  const before = fresh.length;
  for (const { type, target, addedNodes } of records) {
    for (const node of type === "characterData" ? [target] : addedNodes) {
      const found = stamp.exec(node.textContent);
      if (found) fresh.push(Number(found[1]));
    }
  }
  if (!before && fresh.length) painted.port2.postMessage(0);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


def rows() -> list[Row]:
    found: list[Row] = []
    with portal(people=OTHERS) as made:
        for size, (calls, managers) in SIZES.items():
            found += _watched(made, size, calls, managers)
    return found


def _watched(made: Portal, size: str, calls: int, managers: int) -> list[Row]:
    groups = {COMPANY: made.groups[COMPANY]}
    with collecting(made.redis_url, groups, rate=RATE, calls=calls, managers=managers):
        host = made.host(COMPANY)
        requests = [
            request("/ws/board/", host=host, cookie=f"sessionid={key}") for key in made.sessions[COMPANY]
        ]
        crowd = Crowd(Sockets(made.port, requests, watched=9, hello=True))
        poll = Poll(made, period=calls / RATE)
        crowd.start()
        poll.start()
        try:
            windows, shown, faults = asyncio.run(_in_chromium(made, calls, managers))
        finally:
            crowd.end()
            poll.end()
    assert not faults, faults
    seen = [middle_and_late(window) for window in windows]
    middle, late = (statistics.median(each) * 1000 for each in zip(*seen, strict=True))
    polled, _ = middle_and_late(poll.ages)
    at_socket, late_at_socket = middle_and_late(crowd.sockets.ages)
    what = f"age in Chromium's page, {RATE} events/s, 100 browsers, {size}"
    runs = ", ".join(f"{m * 1000:.0f} / {x * 1000:.0f}" for m, x in seen)
    return [
        Row(
            what=f"{what}, p50 (baseline: asking every {POLL:g} s)",
            unit="ms",
            baseline=polled * 1000,
            ours=middle,
            ratio=polled * 1000 / middle,
            least_ratio=30.0,
            note=f"p50 / p99 of each window: {runs} ms; {sum(map(len, windows)):,} changes seen on {shown} cards; "
            f"at the plain sockets beside it {at_socket * 1000:.0f} / {late_at_socket * 1000:.0f} ms",
        ),
        Row(what=f"{what}, p99", unit="ms", ours=late, most=LATE_MS),
    ]


async def _in_chromium(made: Portal, calls: int, managers: int) -> tuple[list[list[float]], int, list[str]]:
    """The ages seen in each window, how many calls' cards were on the page, what went wrong there."""
    host = made.host(COMPANY)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        context = await browser.new_context(viewport={"width": 1920, "height": 1080}, locale="ru-RU")
        await context.add_cookies(
            [{"name": "sessionid", "value": made.admins[COMPANY], "url": f"http://{host}/"}]
        )
        page = await context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.add_init_script(WATCH)
        await page.goto(f"http://{host}/live/")
        await page.locator(".pane-calls .call").first.wait_for()
        await page.locator(".pane-calls .badge", has_text=str(calls)).first.wait_for()
        await page.locator(".pane-people .badge", has_text=str(managers)).first.wait_for()
        await asyncio.sleep(2)
        windows = [await _window(page) for _ in range(WINDOWS)]
        shown = await page.locator(".pane-calls .call").count()
        await browser.close()
    return windows, shown, faults


async def _window(page: Page) -> list[float]:
    await page.evaluate("window.ages = []")
    await asyncio.sleep(SECONDS)
    ages: list[float] = await page.evaluate("window.ages")
    return ages


class Crowd(threading.Thread):
    """Reads the other browsers' sockets until it is ended."""

    def __init__(self, sockets: Sockets) -> None:
        super().__init__(daemon=True)
        self.sockets = sockets
        self._over = threading.Event()

    def run(self) -> None:
        self.sockets.read_for(2.0)
        self.sockets.ages.clear()
        while not self._over.is_set():
            self.sockets.read(0.05)

    def end(self) -> None:
        self._over.set()
        self.join()
        self.sockets.close()


class Poll(threading.Thread):
    """Asks the API for the board every five seconds. Every event since the last answer is news, also one that a
    later event of the same call hides: its viewer learns of both now.
    """

    def __init__(self, made: Portal, *, period: float) -> None:
        super().__init__(daemon=True)
        self.ages: list[float] = []
        self._made = made
        self._period = period
        self._over = threading.Event()

    def run(self) -> None:
        known: dict[str, float] = {}
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += POLL
            board = self._ask()
            now = time.time()
            for key, call in board["call"].items():
                if not call["name"].startswith("@"):
                    continue
                latest = float(call["name"].strip("@"))
                before = known.get(key)
                known[key] = latest
                if before is not None:
                    events = round((latest - before) / self._period)
                    self.ages += [now - latest + n * self._period for n in range(events)]

    def _ask(self) -> dict[str, Any]:
        link = http.client.HTTPConnection("127.0.0.1", self._made.port, timeout=30)
        cookie = f"sessionid={self._made.admins[COMPANY]}"
        link.request("GET", "/api/v1/board", headers={"Host": self._made.host(COMPANY), "Cookie": cookie})
        answer = link.getresponse()
        text = answer.read()
        link.close()
        assert answer.status == 200, text[:500]
        board: dict[str, Any] = json.loads(text)["board"]
        return board

    def end(self) -> None:
        self._over.set()
        self.join()

"""A collector without a PBX, in a process of its own: it writes boards and changes at a steady rate, as ours does.

First change at once, then one write a tick; every change says when it happened, so that its age can be told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.bus import BoardWriter, Lease, Leases, LinkStatus
from monitoring.domain.wire import Op
from monitoring.pbx.garbage import look_seldom
from tests.bench import boards

ROOT = Path(__file__).resolve().parents[2]
TICK = 0.05  # as monitoring.pbx.publisher


@dataclass(frozen=True)
class Said:
    """Changes as the switchboard hands them over."""

    at: float
    ops: list[Op]
    entities: dict[tuple[str, str], dict[str, Any] | None]


@contextmanager
def collecting(
    redis_url: str, groups: dict[str, list[int]], *, rate: float, calls: int, managers: int
) -> Iterator[float]:
    """Runs until the block ends; gives the epoch seconds of its first event.

    Event k of a company happens at ``first + k / rate`` to call ``k % calls``.
    """
    order = {"redis": redis_url, "groups": groups, "rate": rate, "calls": calls, "managers": managers}
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.bench.collector", json.dumps(order)],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        with process.stdout as said:
            yield float(said.readline())
    finally:
        process.terminate()
        process.wait(10)


async def collect(order: dict[str, Any]) -> None:
    """Until it is terminated; the lease is given back then."""
    leases, writer = Leases(order["redis"], "bench:1"), BoardWriter(order["redis"])
    lease = await leases.acquire("1")
    assert lease is not None
    writer.hold(lease)
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    look_seldom()  # as in a collector
    try:
        await write(order, leases, lease, writer)
    except asyncio.CancelledError:
        await leases.release(lease)


async def write(order: dict[str, Any], leases: Leases, lease: Lease, writer: BoardWriter) -> None:
    for company, groups in order["groups"].items():
        whole: Any = boards.board(company, groups, calls=order["calls"], managers=order["managers"])
        await writer.reset(company, "1", "bench", whole)
    first = time.time()
    print(first, flush=True)
    calls, managers = order["calls"], order["managers"]
    told, beat_at = 0, 0.0
    while True:
        now = time.time()
        if now >= beat_at:
            beat_at = now + 1.0
            await leases.renew(lease)
            await writer.heartbeat("1", LinkStatus(owner="bench:1", state="connected", since=first))
        due = int((now - first) * order["rate"])
        happened = [(k % calls, first + k / order["rate"]) for k in range(told, due)]
        told = due
        if not happened:
            await asyncio.sleep(1 / order["rate"] if order["rate"] else TICK)
            continue
        for company, groups in order["groups"].items():
            ops: list[Op] = [
                ("call", boards.call_key(n), boards.change(company, n, groups, managers, at))
                for n, at in happened
            ]
            kept: dict[tuple[str, str], dict[str, Any] | None] = {
                ("call", boards.call_key(n)): {
                    **boards.call(company, n, groups, at, managers),
                    "name": f"@{at:.4f}@",
                }
                for n, at in happened
            }
            await writer.publish(company, "1", Said(now, ops, kept))
        await asyncio.sleep(max(0.0, TICK - (time.time() - now)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("order", type=json.loads)
    asyncio.run(collect(parser.parse_args().order))

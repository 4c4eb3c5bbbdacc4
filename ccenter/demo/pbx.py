"""Holds the demo's Asterisk (or the simulator) as a child of the demo: when this program ends, the PBX ends.

Asterisk itself would survive the death of whoever started it, and keep the ports.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
from zlib import crc32

from ccenter.lab.asterisk import AsteriskError, Instance
from ccenter.lab.plan import PbxPlan
from ccenter.lab.root import NoAsteriskError, runtime
from ccenter.lab.simulator.server import Simulator
from ccenter.settings.base import BASE_DIR, STATE_DIR

# Two demos with state folders of their own may share one Asterisk root (the tests do).
INSTANCE = "demo" if STATE_DIR == BASE_DIR / ".state" else f"demo-{crc32(bytes(STATE_DIR)):08x}"
SIMULATED_PLAN = STATE_DIR / "simulator.json"
LOOK_EVERY = 0.5  # seconds
LIVED_BEFORE = 120.0  # seconds the simulated PBX has lived already, so that nobody meets an empty one


def demo_instance() -> Instance:
    """The lab's instance of the demo; raises NoAsteriskError where no real Asterisk can be had."""
    return Instance(runtime(STATE_DIR, say=lambda text: print(text, flush=True)), INSTANCE)


async def simulate(port: int) -> None:
    """Play a PBX on the port until a signal comes."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    simulator = Simulator(PbxPlan.from_json(SIMULATED_PLAN.read_text(encoding="utf-8")), port=port)
    simulator.warm_up(LIVED_BEFORE)
    await simulator.start()
    print(f"The simulator is up: AMI on 127.0.0.1:{port}", flush=True)
    await over.wait()
    await simulator.stop()


def run_asterisk() -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    try:
        instance = demo_instance()
        instance.start()  # with the files `prepare` wrote
    except (NoAsteriskError, AsteriskError, OSError) as trouble:
        print(f"ERROR {trouble}", flush=True)
        return 1
    print(f"Asterisk is up: AMI on 127.0.0.1:{instance.ports.ami}, SIP on {instance.ports.sip}", flush=True)
    try:
        while not over.wait(LOOK_EVERY):
            if not instance.pid():
                print("ERROR Asterisk died", flush=True)
                return 1
    finally:
        instance.stop()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ccenter.demo.pbx", description="The demo's PBX.")
    parser.add_argument("--simulated", type=int, metavar="PORT", help="a simulator on that port, no Asterisk")
    asked = parser.parse_args()
    if asked.simulated is None:
        return run_asterisk()
    asyncio.run(simulate(asked.simulated))
    return 0


if __name__ == "__main__":
    sys.exit(main())

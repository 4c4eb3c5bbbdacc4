"""Holds the demo's Asterisk as a child of the demo: when this program ends, Asterisk ends.

Asterisk itself would survive the death of whoever started it, and keep the ports.
"""

from __future__ import annotations

import signal
import sys
import threading
from zlib import crc32

from ccenter.lab.asterisk import AsteriskError, Instance
from ccenter.lab.root import NoAsteriskError, runtime
from ccenter.settings.base import BASE_DIR, STATE_DIR

# Two demos with state folders of their own may share one Asterisk root (the tests do).
INSTANCE = "demo" if STATE_DIR == BASE_DIR / ".state" else f"demo-{crc32(bytes(STATE_DIR)):08x}"
LOOK_EVERY = 0.5  # seconds


def demo_instance() -> Instance:
    """The lab's instance of the demo; raises NoAsteriskError where no real Asterisk can be had."""
    return Instance(runtime(STATE_DIR, say=lambda text: print(text, flush=True)), INSTANCE)


def main() -> int:
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


if __name__ == "__main__":
    sys.exit(main())

"""What a web process does once, when all its code is loaded: it holds thousands of sockets and must not pause.

A pause to look for cyclic garbage through the whole program would be seen on every panel it serves.
"""

from __future__ import annotations

import gc
import resource
from importlib import import_module

from django.conf import settings

# Collections of new, middle and all objects. Python's own 700 looks a hundred times a second while panels move;
# what is cyclic here (a closed socket, a finished request) can wait for the next look.
THRESHOLDS = (20_000, 20, 20)


def settle() -> None:
    """Load the addresses' code too, then set all of it aside."""
    for addresses in (settings.PUBLIC_URLCONF, settings.COMPANY_URLCONF):
        import_module(addresses)
    allow_sockets()
    set_code_aside()


def set_code_aside() -> None:
    """What is loaded by now is never looked at again, and the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def allow_sockets() -> None:
    """As many open files as the system lets us have: the usual 1,024 is fewer than the browsers of one company."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

"""How often a collector looks for cyclic garbage: seldom, because it makes next to none and keeps a great deal.

With Python's own thresholds a sixth of the time from bytes to board goes into walking live calls again and again.
"""

from __future__ import annotations

import gc
from typing import Final

THRESHOLDS: Final = (50_000, 20, 50)


def look_seldom() -> None:
    """For this whole process, once it has loaded what it needs; code and settings are never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

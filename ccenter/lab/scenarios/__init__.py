"""Single call shapes, each driven on the real Asterisk and described by hand: what was done, what must be true.

A scenario is a function (Rig) → Story; its docstring is the shape in one sentence.
"""

from __future__ import annotations

from ccenter.lab.scenarios import controls, hostile, outward, queues, transfers
from ccenter.lab.scenarios.rig import Scenario

ALL: dict[str, Scenario] = {
    **queues.SCENARIOS,
    **outward.SCENARIOS,
    **transfers.SCENARIOS,
    **controls.SCENARIOS,
    **hostile.SCENARIOS,
}

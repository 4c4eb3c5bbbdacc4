"""A fixed list of calls of every shape, played once: what was placed, and what Asterisk's own books say of it.

The end-to-end test compares the portal's numbers with these books; the benchmarks replay the recorded bytes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from ccenter.lab import witness
from ccenter.lab.ami import Connection, channels
from ccenter.lab.asterisk import Instance
from ccenter.lab.customers import Planned, next_call
from ccenter.lab.plan import AmiAccount, PbxPlan
from ccenter.lab.ports import CITY_HOST, PBX_HOST
from ccenter.lab.sipp import Maybe, Phone, Refer, Stage
from ccenter.lab.witness import Stay, Visit

MANAGERS = Phone(
    ring=0.8, slow=0.25, ring_slow=3.0, busy=0.05, deaf=0.08, talk=4.0, talks_long=0.4, talk_long=9.0,
    acts=(Maybe(0.08, (Refer("601", 2.0),)), Maybe(0.06, (Refer("102", 2.0),))),
)  # fmt: skip
CITY = Phone(host=CITY_HOST, ring=0.8, busy=0.15, deaf=0.15, talk=3.0, talks_long=0.5, talk_long=7.0)
PACE = 0.12
QUIET_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class MixedRun:
    """``placed``: (seconds after ``began``, the call). ``visits``: queue_log. ``stays``: who was bridged when (CEL)."""

    began: float
    placed: tuple[tuple[float, Planned], ...]
    visits: tuple[Visit, ...]
    stays: tuple[Stay, ...]
    calls_seen: int

    def of_company(self, slug: str) -> list[Visit]:
        return [visit for visit in self.visits if visit.queue.startswith(f"{slug}_")]


def schedule(plan: PbxPlan, *, calls: int, every: float, seed: int) -> list[tuple[float, Planned]]:
    """The same list for the same arguments; a manager never dials twice within the time a call takes."""
    dice, at = Random(seed), 0.0
    listed: list[tuple[float, Planned]] = []
    dialled: dict[str, float] = {}
    while len(listed) < calls:
        call = next_call(plan, dice, pace=PACE)
        if call.manager and at - dialled.get(call.manager, -60) < 30:
            continue
        dialled[call.manager] = at
        listed.append((at, call))
        at += dice.expovariate(1 / every)
    return listed


def play(
    instance: Instance,
    plan: PbxPlan,
    *,
    calls: int = 60,
    every: float = 0.6,
    seed: int = 60,
    voices: Sequence[Path] = (),
    answers: Path | None = None,
) -> MixedRun:
    """Plays the list on a running instance and waits until the last channel is gone (TimeoutError otherwise).

    ``voices``: what each caller of the list says, ``answers``: what everybody called says; nothing without.
    """
    listed = schedule(plan, calls=calls, every=every, seed=seed)
    if voices:
        listed = [
            (at, replace(call, caller=replace(call.caller, speech=voice)))
            for (at, call), voice in zip(listed, voices, strict=True)
        ]
    account = max(plan.accounts, key=lambda a: len(a.write))
    with Stage(instance.ports.sip, logs=False) as stage:
        stage.phones(replace(MANAGERS, speech=answers), instance.ports.phones)
        stage.phones(replace(CITY, speech=answers), instance.ports.city)
        for company in plan.companies:
            for manager in company.managers:
                if not manager.contact:
                    name = company.endpoint(manager.name)
                    contact = f"sip:{name}@{PBX_HOST}:{instance.ports.phones}"
                    stage.register(name, manager.secret, contact)
        time.sleep(0.3)
        began = time.time()
        for at, call in listed:
            time.sleep(max(0.0, began + at - time.time()))
            stage.call(call.caller)
        time.sleep(1.0)
        await_quiet(instance, account)
    rows = witness.cel(instance.witness)
    opened = {r["linkedid"] for r in rows if r["event"] == "CHAN_START" and float(r["at"]) >= began}
    return MixedRun(
        began=began,
        placed=tuple(listed),
        visits=tuple(witness.visits(witness.queue_log(instance.queue_log, since=int(began)))),
        stays=tuple(witness.bridge_stays(rows, since=began)),
        calls_seen=len(opened),
    )


def await_quiet(instance: Instance, account: AmiAccount) -> None:
    control = Connection(instance.ports.ami, account, events=False)
    deadline = time.monotonic() + QUIET_SECONDS
    try:
        while live := channels(control):
            if time.monotonic() > deadline:
                raise TimeoutError(f"channels that do not end: {[c['Channel'] for c in live][:5]}")
            time.sleep(0.3)
    finally:
        control.close()
    time.sleep(0.5)

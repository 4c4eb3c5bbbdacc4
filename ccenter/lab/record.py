"""Drives scenarios on a real Asterisk and keeps the raw AMI bytes with what was true, side by side.

``<name>.ami`` is what an account with every class receives, ``<name>.filtered.ami`` what the portal's account
receives, ``<name>.truth.json`` what the scenario did by its own list, what queue_log says and who was bridged.
``<name>.cel.csv``, on demand: the call event log of the very calls the portal's account heard.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ccenter.lab import mixed, sample, witness
from ccenter.lab.ami import Connection
from ccenter.lab.asterisk import Instance
from ccenter.lab.root import Runtime, Say
from ccenter.lab.scenarios import ALL
from ccenter.lab.scenarios.rig import Rig, Scenario, Story, Tape, plan
from ccenter.lab.sipp import Stage


def truth(instance: Instance, scenario: Scenario, story: Story, since: float) -> dict[str, object]:
    stays = witness.bridge_stays(witness.cel(instance.witness), since=since)
    rows = witness.queue_log(instance.queue_log, since=int(since))
    return {
        "what": (scenario.__doc__ or "").strip(),
        **story,
        "queue_log": witness.visits_as_json(witness.visits(rows)),
        "bridged": witness.talk_by_endpoint(stays),
    }


def play(instance: Instance, name: str, scenario: Scenario, folder: Path, *, cel: bool = False) -> None:
    """One scenario on its own freshly started Asterisk, so that channels and queue orders never leak over.

    ``cel``: the portal's stream and the call event log, and nothing else.
    """
    recipe = replace(plan(instance.ports.phones), guarded=name.startswith("guarded"))
    instance.start(recipe, fresh_logs=True)
    since = time.time()
    tape = Tape(instance)
    with Stage(instance.ports.sip) as stage:
        control = Connection(instance.ports.ami, sample.RECORDER, events=False)
        if not name.startswith("late"):
            tape.begin()
        rig = Rig(instance, recipe, stage, control, tape)
        story = scenario(rig)
        tape.end()
        rig.control.close()
    full, filtered = tape.full, tape.filtered
    instance.stop()
    facts = truth(instance, scenario, story, since)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.filtered.ami").write_bytes(filtered)
    if cel:
        (folder / f"{name}.cel.csv").write_bytes(instance.witness.read_bytes())
        return
    (folder / f"{name}.ami").write_bytes(full)
    (folder / f"{name}.truth.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")


def mixed_stream(runtime: Runtime, folder: Path, say: Say = print) -> None:
    """``mixed.full.ami.gz`` and ``mixed.filtered.ami.gz``: sixty calls of the demo's plan, for benchmarks."""
    instance = Instance(runtime, f"mixed-{os.getpid()}")
    recipe = replace(sample.plan(phones_port=instance.ports.phones), guarded=False)
    try:
        instance.start(recipe, fresh_logs=True)
        tape = Tape(instance)
        tape.begin()
        run = mixed.play(instance, recipe)
        tape.end()
    finally:
        instance.remove()
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("full", tape.full), ("filtered", tape.filtered)):
        (folder / f"mixed.{name}.ami.gz").write_bytes(gzip.compress(data, mtime=0))
    facts = {
        "what": "Sixty calls of every shape in two companies, on the demo's plan.",
        "placed": [
            {"at": round(at, 2), "shape": call.shape, "company": call.company, "dials": call.caller.dials,
             "from": call.caller.number}
            for at, call in run.placed
        ],
        "calls_seen": run.calls_seen,
        "queue_log": witness.visits_as_json(run.visits),
        "bridged": witness.talk_by_endpoint(run.stays),
    }  # fmt: skip
    (folder / "mixed.truth.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    say(f"mixed {len(run.placed)} calls, {len(run.visits)} queue visits, {len(tape.full) / 1024:.0f} kB")


def record(
    runtime: Runtime, names: Iterable[str], folder: Path, say: Say = print, *, cel: bool = False
) -> list[str]:
    """Plays the named scenarios (all when none is named); returns the names of those that failed."""
    instance = Instance(runtime, f"record-{os.getpid()}")
    failed = []
    try:
        for name in names or ALL:
            began = time.monotonic()
            try:
                play(instance, name, ALL[name], folder, cel=cel)
            except (OSError, RuntimeError, ValueError) as trouble:
                instance.kill()
                failed.append(name)
                say(f"{name:28} FAILED: {trouble}")
                continue
            size = (folder / f"{name}.filtered.ami").stat().st_size
            say(f"{name:28} {time.monotonic() - began:5.1f} s {size / 1024:7.1f} kB")
    finally:
        instance.remove()
    return failed

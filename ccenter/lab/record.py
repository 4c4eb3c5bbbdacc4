"""Drives scenarios on a real Asterisk and keeps the raw AMI bytes with what was true, side by side.

``<name>.ami`` is what an account with every class receives, ``<name>.filtered.ami`` what the portal's account
receives, ``<name>.truth.json`` what the scenario did by its own list, what queue_log says and who was bridged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

from ccenter.lab import witness
from ccenter.lab.ami import Connection
from ccenter.lab.asterisk import Instance
from ccenter.lab.ports import PBX_HOST
from ccenter.lab.root import Runtime, Say
from ccenter.lab.sample import PORTAL, RECORDER
from ccenter.lab.scenarios import ALL
from ccenter.lab.scenarios.rig import Rig, Scenario, Story, plan
from ccenter.lab.sipp import Stage


class Tape:
    """Both recordings of one run; can be begun late and goes on over a restart of the PBX."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.open: list[Connection] = []
        self.kept = [b"", b""]

    def begin(self) -> None:
        self.open = [Connection(self.instance.ports.ami, account) for account in (RECORDER, PORTAL)]

    def end(self) -> tuple[bytes, bytes]:
        for side, connection in enumerate(self.open):
            self.kept[side] += connection.close()
        self.open = []
        return self.kept[0], self.kept[1]

    def begin_again(self) -> None:
        """After the PBX went down: what came before stays on the tape, as it does in a captured file."""
        self.end()
        self.begin()


def truth(instance: Instance, scenario: Scenario, story: Story, since: float) -> dict[str, object]:
    stays = witness.bridge_stays(witness.cel(instance.witness), since=since)
    rows = witness.queue_log(instance.queue_log, since=int(since))
    return {
        "what": (scenario.__doc__ or "").strip(),
        **story,
        "queue_log": witness.visits_as_json(witness.visits(rows)),
        "bridged": witness.talk_by_endpoint(stays),
    }


def play(instance: Instance, name: str, scenario: Scenario, folder: Path) -> None:
    """One scenario on its own freshly started Asterisk, so that channels and queue orders never leak over."""
    recipe = plan(instance.ports.phones)
    instance.stop()
    instance.start(recipe, fresh_logs=True)
    since = time.time()
    tape = Tape(instance)
    late = "late" in name
    with Stage(instance.ports.sip) as stage:
        control = Connection(instance.ports.ami, RECORDER, events=False)
        if not late:
            tape.begin()
        rig = Rig(instance, recipe, stage, control, tape.begin_again if not late else tape.begin)
        story = scenario(rig)
        full, filtered = tape.end()
        rig.control.close()
    instance.command("logger reload")
    facts = truth(instance, scenario, story, since)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ami").write_bytes(full)
    (folder / f"{name}.filtered.ami").write_bytes(filtered)
    (folder / f"{name}.truth.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")


def record(runtime: Runtime, names: Iterable[str], folder: Path, say: Say = print) -> list[str]:
    """Plays the named scenarios (all when none is named); returns the names of those that failed."""
    instance = Instance(runtime, f"record-{PBX_HOST.replace('.', '-')}")
    failed = []
    try:
        for name in names or ALL:
            began = time.monotonic()
            try:
                play(instance, name, ALL[name], folder)
            except (OSError, RuntimeError) as trouble:
                failed.append(name)
                say(f"{name:28} FAILED: {trouble}")
                continue
            size = (folder / f"{name}.ami").stat().st_size
            say(f"{name:28} {time.monotonic() - began:5.1f} s {size / 1024:7.1f} kB")
    finally:
        instance.remove()
    return failed

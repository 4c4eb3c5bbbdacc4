"""The server counts the board as the panel's script does: one board, both languages, the same figures."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from monitoring.domain.watching import Sight, counts, live_metrics
from tests.live.boards import call
from tests.profiles.board import NOW, TODAY, manager

SCRIPT = """
import { countRaw, valueOf } from "ROOT/static/js/live/figures.js";
import { narrowing } from "ROOT/static/js/live/narrow.js";
let text = "";
for await (const part of process.stdin) text += part;
const told = JSON.parse(text).map(({ board, profile, now, metrics }) => {
  const maps = Object.fromEntries(Object.entries(board).map(([kind, rows]) => [kind, new Map(Object.entries(rows))]));
  const raw = countRaw(maps, { inSight: narrowing(profile), now });
  return { raw, values: Object.fromEntries(metrics.map((metric) => [metric.key, valueOf(metric, raw)])) };
});
console.log(JSON.stringify(told));
"""
NODE = shutil.which("node") or str(Path(settings.BASE_DIR) / ".state" / "venv" / "bin" / "node")


def some(pick: random.Random, of: list[Any]) -> list[Any]:
    return pick.sample(of, pick.randint(0, len(of)))


def board(pick: random.Random) -> dict[str, dict[str, Any]]:
    groups, queues, people = [1, 2, 3], ["q1", "q2", "q3"], ["m1", "m2", "m3", "m4"]
    statuses = {
        "1": {"id": 1, "kind": "available"}, "2": {"id": 2, "kind": "break"}, "3": {"id": 3, "kind": "away"},
    }  # fmt: skip
    calls = {
        str(n): call(
            str(n), groups=some(pick, groups), line=pick.choice(["100", "200"]),
            queue=pick.choice([*queues, None]), joined=pick.choice([None, NOW - pick.randint(0, 300)]),
            state=pick.choice(["waiting", "ringing", "talking", "ivr", "ended"]),
            managers=[{"manager": key, "state": "talking", "since": NOW} for key in some(pick, people)],
            steps=[{"kind": "queue", "what": key, "at": NOW, "until": NOW} for key in some(pick, queues)],
        )
        for n in range(pick.randint(0, 8))
    }  # fmt: skip
    managers = {
        key: manager(
            key, some(pick, groups), queues=some(pick, queues), status=pick.choice([None, 1, 2, 3, 9]),
            paused=pick.random() < 0.3, registration=pick.choice(["registered", "unregistered", "unknown"]),
            activity=pick.choice(["free", "ringing", "talking", "held", "unavailable", "unknown"]),
            calls=some(pick, ["1", "2"]), wrap_until=pick.choice([None, NOW - 5, NOW + 5]),
        )
        for key in people
    }  # fmt: skip
    rows = {
        key: {"key": key, "title": key, "groups": some(pick, groups),
              "today": {name: pick.randint(0, 40) for name in TODAY}}
        for key in queues
    }  # fmt: skip
    return {"call": calls, "manager": managers, "queue": rows, "status": statuses}


def narrowed(pick: random.Random) -> dict[str, list[Any] | None]:
    of: dict[str, list[Any]] = {
        "groups": [1, 2, 3], "queues": ["q1", "q2"], "lines": ["100"], "managers": ["m1", "m2"],
    }  # fmt: skip
    return {name: some(pick, values) if pick.random() < 0.4 else None for name, values in of.items()}


@pytest.mark.skipif(not Path(NODE).exists(), reason="needs node, which make test brings")
def test_the_panels_script_and_the_server_count_the_same() -> None:
    pick = random.Random(20261122)
    cases = [(board(pick), narrowed(pick)) for _ in range(400)]
    metrics = [{"key": m.key, "numerator": m.numerator, "denominator": m.denominator} for m in live_metrics()]
    asked = [{"board": b, "profile": p, "now": NOW, "metrics": metrics} for b, p in cases]
    script = SCRIPT.replace("ROOT", str(settings.BASE_DIR))
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script],
        input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    for (rows, profile), told in zip(cases, json.loads(done.stdout), strict=True):
        sight = Sight(**{k: None if v is None else frozenset(v) for k, v in profile.items()})
        entities = {(kind, key): row for kind, of in rows.items() for key, row in of.items()}
        raw = counts(entities, sight, NOW)
        assert {key: told["raw"][key] for key in raw} == raw
        for metric in live_metrics():
            value = metric.value(raw)
            if metric.key == "longest_wait" and not raw["now.waiting"]:
                value = None
            assert told["values"][metric.key] == pytest.approx(value), metric.key

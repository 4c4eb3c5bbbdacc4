"""What Asterisk itself says of a run: queue_log and CEL, read into plain facts for comparison with our numbers.

Neither goes through AMI or our reducer. queue_log knows queue visits; CEL knows who was in which bridge and when.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROW = re.compile(r"\d{9,11}\|[^|]*\|[^|]*\|[^|]*\|[A-Z]+\|")
ENDS = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "flow-out",
    "EXITWITHKEY": "flow-out",
    "EXITEMPTY": "flow-out",
    "JOINEMPTY": "flow-out",
    "JOINUNAVAIL": "flow-out",
    "FULL": "flow-out",
}


@dataclass(frozen=True, slots=True)
class QueueLogRow:
    at: float
    call: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]


@dataclass(slots=True)
class Visit:
    """One stay in one queue as queue_log tells it; ``wait`` in whole seconds, as queue_log counts."""

    call: str
    queue: str
    number: str
    joined: float
    outcome: str = "open"
    reason: str = ""
    manager: str = ""
    wait: int = 0
    rang_without_answer: int = 0


@dataclass(frozen=True, slots=True)
class Stay:
    """One party's stay in one bridge with somebody else in it. Epoch seconds."""

    channel: str
    uniqueid: str
    bridge: str
    entered: float
    left: float


def queue_log(path: Path, *, since: float = 0.0) -> list[QueueLogRow]:
    if not path.exists():
        return []
    rows = []
    # A caller's number with line breaks tears a line of queue_log in two (Asterisk 22): such rests are no rows.
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not ROW.match(line):
            continue
        at, call, queue, agent, event, *data = line.split("|")
        if float(at) >= since and event != "QUEUESTART":
            rows.append(QueueLogRow(float(at), call, queue, agent, event, tuple(data)))
    return rows


def visits(rows: Iterable[QueueLogRow]) -> list[Visit]:
    """Queue visits in order of joining. An unended one stays ``open``."""
    done: list[Visit] = []
    current: dict[tuple[str, str], Visit] = {}
    for row in rows:
        key = (row.call, row.queue)
        if row.event == "ENTERQUEUE":
            current[key] = Visit(call=row.call, queue=row.queue, number=row.data[1], joined=row.at)
            done.append(current[key])
            continue
        visit = current.get(key)
        if visit is None or visit.outcome != "open":
            continue
        if row.event == "RINGNOANSWER":
            visit.rang_without_answer += 1
        elif row.event == "CONNECT":
            visit.outcome, visit.manager, visit.wait = "answered", row.agent, int(row.data[0])
        elif row.event in ENDS:
            visit.outcome, visit.reason, visit.wait = ENDS[row.event], row.event, round(row.at - visit.joined)
    return done


def cel(path: Path) -> list[dict[str, str]]:
    names = ("event", "at", "channel", "uniqueid", "linkedid", "number", "exten", "app", "extra")
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return [dict(zip(names, row, strict=False)) for row in csv.reader(file)]


def bridge_stays(rows: Iterable[dict[str, str]], *, since: float = 0.0) -> list[Stay]:
    """Stays in bridges, cut to the time in which at least two parties were there."""
    inside: dict[str, dict[str, tuple[str, float]]] = defaultdict(dict)
    stays: list[Stay] = []
    for row in rows:
        at = float(row["at"] or 0)
        if at < since or row["event"] not in {"BRIDGE_ENTER", "BRIDGE_EXIT"}:
            continue
        bridge = json.loads(row["extra"] or "{}").get("bridge_id", "")
        members = inside[bridge]
        if row["event"] == "BRIDGE_ENTER":
            members[row["uniqueid"]] = (row["channel"], at)
            if len(members) == 2:
                members.update({u: (name, at) for u, (name, _) in members.items()})
            continue
        if row["uniqueid"] not in members:
            continue
        if len(members) == 2:
            stays += [Stay(name, u, bridge, begin, at) for u, (name, begin) in members.items()]
        elif len(members) > 2:
            name, begin = members[row["uniqueid"]]
            stays.append(Stay(name, row["uniqueid"], bridge, begin, at))
        del members[row["uniqueid"]]
    return stays


def talk_by_endpoint(stays: Iterable[Stay]) -> dict[str, float]:
    """Endpoint (``romashka_101``, ``trunk``) → seconds in bridges with company; hold is inside, it is no exit."""
    seconds: dict[str, float] = defaultdict(float)
    for stay in stays:
        if stay.channel.startswith("PJSIP/") and stay.left > stay.entered:
            seconds[stay.channel[6:].rpartition("-")[0]] += stay.left - stay.entered
    return {endpoint: round(total, 3) for endpoint, total in sorted(seconds.items())}


def visits_as_json(found: Iterable[Visit]) -> list[dict[str, object]]:
    return [asdict(visit) for visit in found]

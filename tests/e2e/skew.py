"""How far Asterisk's own two stories are apart: AMI says when it told an event, its call log when the event was.

On a busy machine the thread that tells waits; nobody who listens can know better. Who compares the two allows for it.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque

TOLD = {
    b"Newchannel": "CHAN_START",
    b"Hangup": "HANGUP",
    b"BridgeEnter": "BRIDGE_ENTER",
    b"BridgeLeave": "BRIDGE_EXIT",
}
MOST = 2.0  # seconds; beyond it a comparison would prove nothing


def skew_of(ami: bytes, cel: list[dict[str, str]], *, since: float) -> float:
    """Seconds by which both differ at most about one moment: a channel's begin and end, into and out of a bridge."""
    moments: dict[tuple[str, str, str], deque[float]] = defaultdict(deque)
    for row in cel:
        if row["event"] in TOLD.values() and float(row["at"]) >= since:
            bridge = json.loads(row["extra"] or "{}").get("bridge_id", "") if "BRIDGE" in row["event"] else ""
            moments[row["event"], row["uniqueid"], bridge].append(float(row["at"]))
    worst = 0.0
    for block in ami.split(b"\r\n\r\n"):
        fields = dict(line.split(b": ", 1) for line in block.split(b"\r\n") if b": " in line)
        event = TOLD.get(fields.get(b"Event", b""))
        if event is None:
            continue
        bridge = fields.get(b"BridgeUniqueid", b"").decode() if "BRIDGE" in event else ""
        known = moments[event, fields.get(b"Uniqueid", b"").decode(), bridge]
        if known:
            worst = max(worst, abs(known.popleft() - float(fields[b"Timestamp"])))
    return worst

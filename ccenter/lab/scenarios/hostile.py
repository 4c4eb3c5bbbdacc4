"""Callers who attack: through their name, and through their number, which SIP lets them write with %0D%0A in it.

Measured with Asterisk 22.10: such a number reaches AMI with its line breaks, so that a stranger's INVITE can add
headers to an event (another Uniqueid, another Tenantid) and whole events between two real ones.
"""

from __future__ import annotations

import time
from urllib.parse import quote

from ccenter.lab.scenarios.rig import ANNA, SALES, Rig, Scenario, Story

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe\u2066\u200f",
    "=cmd|' /C calc'!A0",
    "Ж" * 600,
    "A" * 1800,
    "Пётр 📞 {{7*7}} %s ${jndi}",
)
# Asterisk cuts a number after 79 bytes: enough for both.
ADDED_HEADERS = "791\r\nEvent: Hangup\r\nUniqueid: 666.1\r\nTenantid: vektor"
ADDED_EVENT = "792\r\n\r\nEvent: Hangup\r\nUniqueid: 666.2\r\nTenantid: vektor\r\n\r\nNote: x"

NUMBERS = (ADDED_HEADERS, ADDED_EVENT, "<b>7999</b>", "anonymous", "7" * 200)


def call_all(rig: Rig) -> None:
    rig.phones()
    for name in NAMES:
        rig.call(SALES, ANNA, name, stay=1.0)
        time.sleep(0.4)
    for number in NUMBERS:
        rig.call(SALES, quote(number, safe=""), "Hostile", stay=1.0)
        time.sleep(0.4)
    time.sleep(1.0)
    rig.quiet()


def hostile_callers(rig: Rig) -> Story:
    """An ordinary trunk: twelve short abandons in romashka's sales; vektor has no call, 666.1 and 666.2 are lies."""
    call_all(rig)
    return {
        "calls": [],
        "not_calls": ["666.1", "666.2", "anything of vektor"],
        "note": "names and numbers are data, never markup; what a caller wrote into his number is no header",
    }


def guarded_callers(rig: Rig) -> Story:
    """The same twelve callers at a managed PBX: its trunk believes no From header before it is filtered."""
    call_all(rig)
    return {"calls": [], "not_calls": ["666.1", "666.2", "anything of vektor"]}


SCENARIOS: dict[str, Scenario] = {s.__name__: s for s in (hostile_callers, guarded_callers)}

"""Calls managers make, and calls that reach a manager without any queue."""

from __future__ import annotations

import time

from ccenter.lab.scenarios.rig import ANNA, DIRECT, Rig, Scenario, Story
from ccenter.lab.sipp import Phone

CITY = "79269998877"


def outgoing_answered(rig: Rig) -> Story:
    """101 calls a customer in the city, who answers after 1 s; 101 hangs up after 3 s of talk."""
    rig.phones()
    rig.city(Phone(ring=1.0, talk=20.0, host="127.0.0.2"))
    rig.dial("romashka_101", CITY, stay=3)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": "romashka_101", "company": "romashka", "direction": "out", "dialled": CITY,
             "outcome": "answered", "answered_by": [], "queues": []}
        ]
    }  # fmt: skip


def outgoing_busy(rig: Rig) -> Story:
    """101 calls a customer who is busy."""
    rig.phones()
    rig.city(Phone(busy=1.0, host="127.0.0.2"))
    rig.dial("romashka_101", CITY)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": "romashka_101", "company": "romashka", "direction": "out", "dialled": CITY,
             "outcome": "busy", "answered_by": [], "queues": []}
        ]
    }  # fmt: skip


def outgoing_no_answer(rig: Rig) -> Story:
    """101 calls a customer who does not answer, and gives up after 3 s."""
    rig.phones()
    rig.city(Phone(deaf=1.0, host="127.0.0.2"))
    rig.dial("romashka_101", CITY, patience=3)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": "romashka_101", "company": "romashka", "direction": "out", "dialled": CITY,
             "outcome": "no_answer", "answered_by": [], "queues": []}
        ]
    }  # fmt: skip


def internal_answered(rig: Rig) -> Story:
    """101 calls colleague 102, who answers after 1 s and hangs up after 2 s."""
    rig.phones(romashka_102=Phone(ring=1.0, talk=2.0))
    rig.dial("romashka_101", "102", stay=20)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": "romashka_101", "company": "romashka", "direction": "internal", "dialled": "102",
             "outcome": "answered", "answered_by": ["romashka_102"], "queues": []}
        ]
    }  # fmt: skip


def direct_answered(rig: Rig) -> Story:
    """Anna calls the direct number of 101, who answers after 1 s; Anna hangs up after 2 s."""
    rig.phones(romashka_101=Phone(ring=1.0, talk=20.0))
    rig.call(DIRECT, ANNA, stay=2)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": DIRECT, "outcome": "answered",
             "answered_by": ["romashka_101"], "queues": []}
        ]
    }  # fmt: skip


def direct_no_answer(rig: Rig) -> Story:
    """Anna calls the direct number of 101 and gives up after 3 s of ringing."""
    rig.phones()
    rig.call(DIRECT, ANNA, patience=3)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": DIRECT, "outcome": "abandoned",
             "answered_by": [], "rang_without_answer": ["romashka_101"], "queues": []}
        ]
    }  # fmt: skip


def direct_away(rig: Rig) -> Story:
    """101 is away (the portal has set the global variable): Anna's direct call is refused as busy, no phone rings."""
    rig.phones(romashka_101=Phone(ring=0.5))
    rig.order("Setvar", Variable="AWAY_romashka_101", Value="1")
    rig.call(DIRECT, ANNA, patience=6)
    time.sleep(1.5)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": DIRECT, "outcome": "abandoned",
             "answered_by": [], "rang_without_answer": [], "queues": []}
        ]
    }  # fmt: skip


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        outgoing_answered, outgoing_busy, outgoing_no_answer, internal_answered, direct_answered,
        direct_no_answer, direct_away,
    )
}  # fmt: skip

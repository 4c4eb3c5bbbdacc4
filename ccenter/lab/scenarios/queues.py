"""Calls through queues: answered, lost, passed on, in every way a queue knows."""

from __future__ import annotations

import time

from ccenter.lab.scenarios.rig import ANNA, IVAN, MENU, SALES, SUPPORT, VEKTOR_MAIN, VIP, Rig, Scenario, Story
from ccenter.lab.sipp import Key, Phone, keys


def queue_answered(rig: Rig) -> Story:
    """Anna calls sales, waits a second of ringing, talks 3 s with 101, who hangs up."""
    rig.phones(romashka_101=Phone(ring=1.0, talk=3.0))
    rig.call(SALES, ANNA, "Анна Каренина", stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_101"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_101"}]}
        ]
    }  # fmt: skip


def queue_abandoned(rig: Rig) -> Story:
    """Anna waits 7 s in sales while phones ring and nobody answers, then hangs up."""
    rig.phones()
    rig.call(SALES, ANNA, stay=7)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "abandoned",
             "answered_by": [], "queues": [{"queue": "romashka_sales", "outcome": "abandoned"}]}
        ]
    }  # fmt: skip


def queue_short_abandon(rig: Rig) -> Story:
    """Anna hangs up after 1.2 s in sales: a short abandon by the default threshold of 5 s."""
    rig.phones()
    rig.call(SALES, ANNA, stay=1.2)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "abandoned",
             "answered_by": [], "queues": [{"queue": "romashka_sales", "outcome": "abandoned", "short": True}]}
        ]
    }  # fmt: skip


def ring_no_answer(rig: Rig) -> Story:
    """101 does not answer for 3 s, 102 refuses as busy, then 103 answers and Anna hangs up after 2 s of talk or so."""
    rig.phones(
        romashka_101=Phone(deaf=1.0), romashka_102=Phone(busy=1.0), romashka_103=Phone(ring=0.8, talk=20.0)
    )
    rig.call(SALES, ANNA, stay=8)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_103"], "rang_without_answer": ["romashka_101"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_103"}]}
        ]
    }  # fmt: skip


def ringall_many_legs(rig: Rig) -> Story:
    """Support rings six phones at once; 105 is first after 1.5 s; the five others were called and taken away."""
    rig.phones(romashka_105=Phone(ring=1.5, talk=2.5))
    rig.call(SUPPORT, IVAN, "Ivan", stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": IVAN, "company": "romashka", "direction": "in", "dialled": SUPPORT, "outcome": "answered",
             "answered_by": ["romashka_105"],
             "queues": [{"queue": "romashka_support", "outcome": "answered", "manager": "romashka_105"}]}
        ]
    }  # fmt: skip


def queue_timeout(rig: Rig) -> Story:
    """Nobody answers in sales; after 9 s the queue gives the caller back and he hears the voicemail's text."""
    rig.phones()
    rig.call(SALES, ANNA, stay=14)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "abandoned",
             "answered_by": [], "note": "flowed out to voicemail; no manager ever spoke",
             "queues": [{"queue": "romashka_sales", "outcome": "flow-out", "reason": "TIMEOUT"}]}
        ]
    }  # fmt: skip


def queue_exit_key(rig: Rig) -> Story:
    """Anna leaves the queue by pressing 0 after 2 s and hears the voicemail's text."""
    rig.phones()
    rig.call(SALES, ANNA, stay=3, acts=(Key("0", 2.0),))
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "abandoned",
             "answered_by": [], "note": "left by key to voicemail",
             "queues": [{"queue": "romashka_sales", "outcome": "flow-out", "reason": "KEY"}]}
        ]
    }  # fmt: skip


def ivr_then_queue(rig: Rig) -> Story:
    """Anna presses 1 in the menu after a second, lands in sales and talks with 102 (101 is busy)."""
    rig.phones(romashka_101=Phone(busy=1.0), romashka_102=Phone(ring=0.5, talk=2.0))
    rig.call(MENU, ANNA, stay=20, acts=keys("1", before=1.0))
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": MENU, "outcome": "answered",
             "answered_by": ["romashka_102"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_102"}]}
        ]
    }  # fmt: skip


def ivr_abandoned(rig: Rig) -> Story:
    """Ivan hangs up in the menu after 1.5 s: no queue ever saw him."""
    rig.phones()
    rig.call(MENU, IVAN, stay=1.5)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": IVAN, "company": "romashka", "direction": "in", "dialled": MENU, "outcome": "abandoned",
             "answered_by": [], "queues": []}
        ]
    }  # fmt: skip


def local_member(rig: Rig) -> Story:
    """VIP rings 101 through a Local channel; talk of 3 s; the pair of Local halves is nobody's call."""
    rig.phones(romashka_101=Phone(ring=0.8, talk=3.0))
    rig.call(VIP, ANNA, stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": VIP, "outcome": "answered",
             "answered_by": ["romashka_101"],
             "queues": [{"queue": "romashka_vip", "outcome": "answered", "manager": "romashka_101"}]}
        ]
    }  # fmt: skip


def local_member_no_answer(rig: Rig) -> Story:
    """VIP rings 101 through Local in vain for 4 s, then 104 answers."""
    rig.phones(romashka_104=Phone(ring=0.7, talk=2.0))
    rig.call(VIP, ANNA, stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": VIP, "outcome": "answered",
             "answered_by": ["romashka_104"], "rang_without_answer": ["romashka_101"],
             "queues": [{"queue": "romashka_vip", "outcome": "answered", "manager": "romashka_104"}]}
        ]
    }  # fmt: skip


def two_queues_one_manager(rig: Rig) -> Story:
    """103 sits in sales and support: talks for sales, then takes a call of support; Ivan waits for it meanwhile."""
    rig.phones(
        romashka_101=Phone(busy=1.0), romashka_102=Phone(busy=1.0), romashka_103=Phone(ring=0.5, talk=3.0)
    )
    rig.call(SALES, ANNA, stay=25)
    time.sleep(2.0)
    rig.call(SUPPORT, IVAN, stay=25)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_103"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_103"}]},
            {"caller": IVAN, "company": "romashka", "direction": "in", "dialled": SUPPORT, "outcome": "answered",
             "answered_by": ["romashka_103"],
             "queues": [{"queue": "romashka_support", "outcome": "answered", "manager": "romashka_103"}]},
        ]
    }  # fmt: skip


def two_companies(rig: Rig) -> Story:
    """Calls of both companies at the same moment, with the same extension 101 answering in each."""
    rig.phones(romashka_101=Phone(ring=0.7, talk=3.0), vektor_101=Phone(ring=0.7, talk=3.0))
    rig.call(SALES, ANNA, stay=20)
    rig.call(VEKTOR_MAIN, IVAN, stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_101"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_101"}]},
            {"caller": IVAN, "company": "vektor", "direction": "in", "dialled": VEKTOR_MAIN, "outcome": "answered",
             "answered_by": ["vektor_101"],
             "queues": [{"queue": "vektor_main", "outcome": "answered", "manager": "vektor_101"}]},
        ]
    }  # fmt: skip


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        queue_answered, queue_abandoned, queue_short_abandon, ring_no_answer, ringall_many_legs, queue_timeout,
        queue_exit_key, ivr_then_queue, ivr_abandoned, local_member, local_member_no_answer,
        two_queues_one_manager, two_companies,
    )
}  # fmt: skip

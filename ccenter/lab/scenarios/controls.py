"""What happens around a talk: hold, pickup, parking, listening; and what happens to the watcher itself."""

from __future__ import annotations

import time

from ccenter.lab.ami import channel_of
from ccenter.lab.scenarios.rig import ANNA, DIRECT, IVAN, SALES, SUPPORT, Rig, Scenario, Story
from ccenter.lab.sipp import Hold, Phone, Refer

ANSWERED_101: Story = {
    "calls": [
        {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
         "answered_by": ["romashka_101"],
         "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_101"}]}
    ]
}  # fmt: skip


def hold(rig: Rig) -> Story:
    """101 puts Anna on hold 1.5 s into the talk, for 2.5 s, then talks on for 2 s."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=2.0, acts=(Hold(1.5), Hold(2.5, "sendrecv"))))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return {**ANSWERED_101, "note": "hold lasts 2.5 s"}


def hold_abandoned(rig: Rig) -> Story:
    """101 puts Anna on hold and she hangs up while held."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=40, acts=(Hold(1.0),)))
    rig.call(SALES, ANNA, stay=5)
    time.sleep(2.0)
    rig.quiet()
    return ANSWERED_101


def pickup(rig: Rig) -> Story:
    """Anna's direct call rings at 101; colleague 102 takes it with *8 and talks until Anna hangs up."""
    rig.phones()
    rig.call(DIRECT, ANNA, stay=3)
    time.sleep(1.5)
    rig.dial("romashka_102", "*8", stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": DIRECT, "outcome": "answered",
             "answered_by": ["romashka_102"], "queues": [], "note": "101's phone rang, 102 picked up"}
        ]
    }  # fmt: skip


def pickup_queue(rig: Rig) -> Story:
    """A queue call rings at 101; 105, no member of the queue, takes it with *8."""
    rig.phones()
    rig.call(SALES, ANNA, stay=6)
    time.sleep(2.0)
    rig.dial("romashka_105", "*8", stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_105"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_105"}],
             "note": "queue_log names 101, whose phone rang; the bridge names 105"}
        ]
    }  # fmt: skip


def park_and_retrieve(rig: Rig) -> Story:
    """101 parks Anna by REFER to 700; 102 dials 701 after 3 s and talks with her until she hangs up."""
    rig.phones(romashka_101=Phone(ring=0.5, acts=(Refer("700", 1.5),)))
    rig.call(SALES, ANNA, stay=11)
    time.sleep(6.5)
    rig.dial("romashka_102", "701", stay=20)
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_101", "romashka_102"],
             "queues": [{"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_101"}]}
        ]
    }  # fmt: skip


def park_given_up(rig: Rig) -> Story:
    """101 parks Anna; nobody takes her, she hangs up after 3 s in the park."""
    rig.phones(romashka_101=Phone(ring=0.5, acts=(Refer("700", 1.5),)))
    rig.call(SALES, ANNA, stay=6)
    time.sleep(2.0)
    rig.quiet()
    return ANSWERED_101


def spy(rig: Rig, options: str) -> Story:
    rig.phones(romashka_101=Phone(ring=0.5, talk=7.0), romashka_108=Phone(ring=0.3, talk=40))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(3.0)
    watched = channel_of(rig.control, "romashka_101")["Uniqueid"]
    rig.order(
        "Originate",
        Channel="PJSIP/romashka_108",
        Application="ChanSpy",
        Data=f"{watched},{options}",
        Async="true",
    )
    time.sleep(1.0)
    rig.quiet()
    return {**ANSWERED_101, "not_calls": ["the leg of 108, who listens, is no call and no talk of 108"]}


def listen(rig: Rig) -> Story:
    """Supervisor 108 listens to 101's talk with Anna (ChanSpy), from 3 s on until the call ends."""
    return spy(rig, "quE")


def whisper(rig: Rig) -> Story:
    """Supervisor 108 whispers to 101; Anna does not hear it."""
    return spy(rig, "quEw")


def join(rig: Rig) -> Story:
    """Supervisor 108 joins the talk of 101 and Anna (barge)."""
    return spy(rig, "quEB")


def pause_on_phone(rig: Rig) -> Story:
    """101 is paused with a reason in every queue, 103 in one, then both come back; no call happens."""
    rig.phones()
    rig.order("QueuePause", Interface="PJSIP/romashka_101", Paused="true", Reason="Обед")
    rig.order(
        "QueuePause", Interface="PJSIP/romashka_103", Paused="true", Queue="romashka_sales", Reason="Учёба"
    )
    time.sleep(1.5)
    rig.order("QueuePause", Interface="PJSIP/romashka_101", Paused="true", Reason="Перерыв")
    time.sleep(1.0)
    rig.order("QueuePause", Interface="PJSIP/romashka_101", Paused="false")
    rig.order("QueuePause", Interface="PJSIP/romashka_103", Paused="false", Queue="romashka_sales")
    time.sleep(0.5)
    return {
        "calls": [],
        "note": "romashka_101 sits in vip as Local/101@romashka-members/n: a pause by PJSIP interface misses it there",
    }


def registration(rig: Rig) -> Story:
    """101's phone signs on, gets a call there, and signs off."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=2.0))
    manager = rig.plan.company("romashka").managers[0]
    rig.stage.register("romashka_101", manager.secret, manager.contact)
    time.sleep(0.5)
    rig.call(SALES, ANNA, stay=20)
    time.sleep(1.0)
    rig.quiet()
    rig.stage.register("romashka_101", manager.secret, manager.contact, expires=0)
    time.sleep(1.0)
    return ANSWERED_101


def late_start(rig: Rig) -> Story:
    """The recording begins in the middle: Anna already talks with 101, Ivan already waits in support; both end."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=7.0))
    rig.call(SALES, ANNA, stay=40)
    rig.call(SUPPORT, IVAN, stay=8)
    time.sleep(4.0)
    rig.tape.begin()
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            *ANSWERED_101["calls"],
            {"caller": IVAN, "company": "romashka", "direction": "in", "dialled": SUPPORT, "outcome": "abandoned",
             "answered_by": [], "queues": [{"queue": "romashka_support", "outcome": "abandoned"}]},
        ],
        "note": "what the calls did before the recording is not in the stream",
    }  # fmt: skip


def late_snapshot(rig: Rig) -> Story:
    """Like late_start, and the first thing asked is what there is: channels, queues, devices, parked calls."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=9.0))
    rig.call(SALES, ANNA, stay=40)
    rig.call(SUPPORT, IVAN, stay=9)
    time.sleep(4.0)
    rig.tape.begin()
    for action in ("CoreStatus", "CoreShowChannels", "QueueStatus", "DeviceStateList"):
        rig.tape.ask(action)
        time.sleep(0.4)
    rig.quiet()
    return late_start_story()


def late_start_story() -> Story:
    return {
        "calls": [
            *ANSWERED_101["calls"],
            {"caller": IVAN, "company": "romashka", "direction": "in", "dialled": SUPPORT, "outcome": "abandoned",
             "answered_by": [], "queues": [{"queue": "romashka_support", "outcome": "abandoned"}]},
        ],
        "note": "the stream holds the answers to CoreStatus, CoreShowChannels, QueueStatus and DeviceStateList",
    }  # fmt: skip


def restart_mid_call(rig: Rig) -> Story:
    """Asterisk is killed while Anna talks with 101 and Ivan waits; it comes back and Anna calls again."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=4.0))
    rig.call(SALES, ANNA, stay=40)
    rig.call(SUPPORT, IVAN, stay=40)
    time.sleep(3.5)
    rig.restart_pbx()
    time.sleep(2.0)
    rig.call(SALES, ANNA, stay=20)
    time.sleep(2.0)
    rig.quiet()
    first = ANSWERED_101["calls"][0]
    return {
        "calls": [
            {**first, "outcome": "interrupted"},
            {"caller": IVAN, "company": "romashka", "direction": "in", "dialled": SUPPORT,
             "outcome": "interrupted", "answered_by": [],
             "queues": [{"queue": "romashka_support", "outcome": "interrupted"}]},
            first,
        ]
    }  # fmt: skip


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        hold, hold_abandoned, pickup, pickup_queue, park_and_retrieve, park_given_up, listen, whisper, join,
        pause_on_phone, registration, late_start, late_snapshot, restart_mid_call,
    )
}  # fmt: skip

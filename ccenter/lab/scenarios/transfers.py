"""Transfers of every sort: by the phone (REFER, with Replaces, by feature keys) and by AMI."""

from __future__ import annotations

import time

from ccenter.lab.scenarios.replaces import transfer_by_replaces
from ccenter.lab.scenarios.rig import ANNA, SALES, VIP, Rig, Scenario, Story
from ccenter.lab.sipp import Phone, Refer, keys


def two_managers(
    outcome: str = "answered", *, second_queue: str = "", answered: tuple[str, ...] = ()
) -> Story:
    """Anna called sales, 101 answered from the queue and passed her on: one call, one route."""
    queues: list[dict[str, str]] = [
        {"queue": "romashka_sales", "outcome": "answered", "manager": "romashka_101"}
    ]
    if second_queue:
        queues.append({"queue": second_queue, "outcome": "answered", "manager": answered[-1]})
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": outcome,
             "answered_by": list(answered or ("romashka_101", "romashka_102")), "queues": queues}
        ]
    }  # fmt: skip


def blind_refer_extension(rig: Rig) -> Story:
    """101 answers from sales, after 2 s sends Anna to 102 by REFER; 102 answers after 1 s and talks 3 s."""
    rig.phones(
        romashka_101=Phone(ring=0.5, acts=(Refer("102", 2.0),)), romashka_102=Phone(ring=1.0, talk=3.0)
    )
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return two_managers()


def blind_refer_queue(rig: Rig) -> Story:
    """101 sends Anna on to the support queue (ringall) by REFER; 104 answers there."""
    rig.phones(
        romashka_101=Phone(ring=0.5, acts=(Refer("602", 2.0),)), romashka_104=Phone(ring=1.0, talk=3.0)
    )
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return two_managers(second_queue="romashka_support", answered=("romashka_101", "romashka_104"))


def blind_refer_no_answer(rig: Rig) -> Story:
    """101 sends Anna to 102, who does not answer; Anna hangs up after 4 s of ringing."""
    rig.phones(romashka_101=Phone(ring=0.5, acts=(Refer("102", 1.5),)))
    rig.call(SALES, ANNA, stay=7)
    time.sleep(2.0)
    rig.quiet()
    return two_managers(answered=("romashka_101",))


def blind_keys(rig: Rig) -> Story:
    """101 presses ## 102 in the talk (Asterisk's own blind transfer); 102 answers."""
    rig.phones(
        romashka_101=Phone(ring=0.5, acts=(*keys("##", before=1.5, between=0.2), *keys("102", before=1.6))),
        romashka_102=Phone(ring=0.8, talk=3.0),
    )
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return two_managers()


def blind_ami(rig: Rig) -> Story:
    """The portal orders BlindTransfer of 101's call to 102 over AMI; 102 answers."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=30), romashka_102=Phone(ring=0.8, talk=3.0))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(3.5)
    rig.order("BlindTransfer", Channel=rig.channel("romashka_101"), Context="romashka", Exten="102")
    time.sleep(1.0)
    rig.quiet()
    return two_managers()


def redirect_ami(rig: Rig) -> Story:
    """The portal redirects Anna's channel itself to 102 over AMI while she talks with 101."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=30), romashka_102=Phone(ring=0.8, talk=3.0))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(3.5)
    rig.order("Redirect", Channel=rig.channel("trunk"), Context="romashka", Exten="102", Priority="1")
    time.sleep(1.0)
    rig.quiet()
    return two_managers()


def redirect_waiting(rig: Rig) -> Story:
    """Anna waits in sales, nobody answers; the portal redirects her straight to 105."""
    rig.phones(romashka_105=Phone(ring=0.8, talk=2.0))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(3.0)
    rig.order("Redirect", Channel=rig.channel("trunk"), Context="romashka", Exten="105", Priority="1")
    time.sleep(1.0)
    rig.quiet()
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": SALES, "outcome": "answered",
             "answered_by": ["romashka_105"],
             "queues": [{"queue": "romashka_sales", "outcome": "flow-out", "reason": "redirected"}],
             "note": "queue_log calls this ABANDON, which is wrong: she was taken out of the queue"}
        ]
    }  # fmt: skip


def attended_keys(rig: Rig) -> Story:
    """101 presses *2 102, talks with 102 for 2 s while Anna hears music, hangs up: Anna talks with 102."""
    rig.phones(
        romashka_101=Phone(
            ring=0.5, talk=3.5, acts=(*keys("*2", before=1.5, between=0.2), *keys("102", before=1.6))
        ),
        romashka_102=Phone(ring=0.8, talk=7.0),
    )
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return two_managers()


def attended_keys_returned(rig: Rig) -> Story:
    """101 presses *2 102; 102 refuses; 101 is back with Anna and they talk on for 3 s."""
    rig.phones(
        romashka_101=Phone(
            ring=0.5, talk=6.0, acts=(*keys("*2", before=1.5, between=0.2), *keys("102", before=1.6))
        ),
        romashka_102=Phone(busy=1.0),
    )
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return two_managers(answered=("romashka_101",))


def attended_ami(rig: Rig) -> Story:
    """The portal orders Atxfer of 101's call to 102 over AMI; 101 hangs up 3 s later, the transfer is done."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=7.0), romashka_102=Phone(ring=0.8, talk=6.0))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(3.0)
    rig.order("Atxfer", Channel=rig.channel("romashka_101"), Context="romashka", Exten="102")
    time.sleep(1.0)
    rig.quiet()
    return two_managers()


def attended_replaces(rig: Rig) -> Story:
    """101 calls 102 on a second line and joins Anna with 102 by REFER with Replaces, as desk phones do."""
    rig.phones(romashka_101=Phone(ring=0.5, talk=30), romashka_102=Phone(ring=0.6, talk=6.0))
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.5)
    consultation = rig.dial("romashka_101", "102", stay=30)
    time.sleep(2.5)
    transfer_by_replaces(rig, consultation, target="102")
    time.sleep(1.0)
    rig.quiet()
    return two_managers()


def transfer_back(rig: Rig) -> Story:
    """101 sends Anna to 102, who talks 2 s and sends her back to 101: two legs of 101 in one call."""
    rig.phones(
        romashka_101=Phone(ring=0.5, talk=3.0), romashka_102=Phone(ring=0.8, acts=(Refer("101", 2.0),))
    )
    rig.call(SALES, ANNA, stay=40)
    time.sleep(2.5)
    rig.order("BlindTransfer", Channel=rig.channel("romashka_101"), Context="romashka", Exten="102")
    time.sleep(1.0)
    rig.quiet()
    return two_managers(answered=("romashka_101", "romashka_102", "romashka_101"))


def vip(*answered: str, second_queue: str = "") -> Story:
    """Anna called VIP, whose members are rung through Local channels."""
    queues: list[dict[str, str]] = [
        {"queue": "romashka_vip", "outcome": "answered", "manager": "romashka_101"}
    ]
    if second_queue:
        queues.append({"queue": second_queue, "outcome": "answered", "manager": answered[-1]})
    return {
        "calls": [
            {"caller": ANNA, "company": "romashka", "direction": "in", "dialled": VIP, "outcome": "answered",
             "answered_by": list(answered), "queues": queues,
             "note": "queue_log credits 101 with the whole time: the Local channel stays; the bridges know better"}
        ]
    }  # fmt: skip


def local_refer_extension(rig: Rig) -> Story:
    """101 answers from VIP through a Local channel and sends Anna to 102 by REFER; 102 talks 3 s."""
    rig.phones(
        romashka_101=Phone(ring=0.5, acts=(Refer("102", 2.0),)), romashka_102=Phone(ring=0.8, talk=3.0)
    )
    rig.call(VIP, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return vip("romashka_101", "romashka_102")


def local_refer_queue(rig: Rig) -> Story:
    """101 answers from VIP through a Local channel and sends Anna to support by REFER; 104 answers there."""
    rig.phones(
        romashka_101=Phone(ring=0.5, acts=(Refer("602", 2.0),)), romashka_104=Phone(ring=0.8, talk=3.0)
    )
    rig.call(VIP, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return vip("romashka_101", "romashka_104", second_queue="romashka_support")


def local_attended_keys(rig: Rig) -> Story:
    """101 answers from VIP through a Local channel, presses *2 102, talks with 102, hangs up: 102 has Anna."""
    rig.phones(
        romashka_101=Phone(
            ring=0.5, talk=3.5, acts=(*keys("*2", before=1.5, between=0.2), *keys("102", before=1.6))
        ),
        romashka_102=Phone(ring=0.8, talk=6.0),
    )
    rig.call(VIP, ANNA, stay=40)
    time.sleep(2.0)
    rig.quiet()
    return vip("romashka_101", "romashka_102")


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        blind_refer_extension, blind_refer_queue, blind_refer_no_answer, blind_keys, blind_ami, redirect_ami,
        redirect_waiting, attended_keys, attended_keys_returned, attended_ami, attended_replaces, transfer_back,
        local_refer_extension, local_refer_queue, local_attended_keys,
    )
}  # fmt: skip

"""The recorded streams stand beside what was true, and Asterisk's own books are read right."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ccenter.lab import sample, witness
from ccenter.lab.customers import MIX, burst, next_call
from ccenter.lab.mixed import schedule
from ccenter.lab.scenarios import ALL
from ccenter.lab.scenarios.rig import plan as rig_plan
from ccenter.lab.sipp import Caller, Hold, Key, Maybe, Phone, Refer
from ccenter.lab.witness import Visit

STREAMS = Path(__file__).parents[1] / "ami"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_scenario_is_recorded_with_its_truth(name: str) -> None:
    assert ALL[name].__doc__
    for account in ("", ".filtered"):
        data = (STREAMS / f"{name}{account}.ami").read_bytes()
        assert data.startswith(b"Asterisk Call Manager/")
        assert data.count(b"Response: Success") >= 1
    assert truth_of(name)["what"]


def truth_of(name: str) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((STREAMS / f"{name}.truth.json").read_text())
    return truth


# queue_log calls a redirected caller's visit abandoned, and a killed Asterisk writes no end at all.
QUEUE_LOG_IS_WRONG = {"redirect_waiting", "restart_mid_call"}
COMPARABLE = sorted(
    name
    for name in set(ALL) - QUEUE_LOG_IS_WRONG
    if any(call.get("queues") for call in truth_of(name)["calls"])
)


@pytest.mark.parametrize("name", COMPARABLE)
def test_what_a_scenario_tells_agrees_with_queue_log(name: str) -> None:
    truth = truth_of(name)
    told = [visit for call in truth["calls"] for visit in call.get("queues", [])]
    expected = sorted((v["queue"], v["outcome"]) for v in told)
    assert sorted((v["queue"], v["outcome"]) for v in truth["queue_log"]) == expected


def test_a_hostile_caller_really_wrote_headers_into_the_stream() -> None:
    data = (STREAMS / "hostile_callers.ami").read_bytes()
    assert b"CallerIDNum: 791\r\nEvent: Hangup\r\nUniqueid: 666.1\r\n" in data
    assert b"CallerIDNum: 792\r\n\r\nEvent: Hangup\r\nUniqueid: 666.2\r\n" in data


def test_a_guarded_trunk_lets_no_header_through() -> None:
    data = (STREAMS / "guarded_callers.ami").read_bytes()
    assert b"Uniqueid: 666" not in data
    assert b"\r\nTenantid: vektor" not in data
    assert b"CallerIDName: <script>alert(1)</script>" in data


def test_queue_log_becomes_visits(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_text(
        "1795319500|NONE|NONE|NONE|QUEUESTART|\n"
        "1795319545|1.0|romashka_sales|NONE|ENTERQUEUE||7916|2\n"
        "1795319546|1.1|vektor_main|NONE|ENTERQUEUE||791\n"
        "Event: Hangup|x\n"
        "1795319549|1.0|romashka_sales|romashka_101|RINGNOANSWER|3000\n"
        "1795319551|1.0|romashka_sales|romashka_102|CONNECT|6|1.2|1\n"
        "1795319555|1.0|romashka_sales|romashka_102|COMPLETECALLER|6|4|1\n"
        "1795319560|1.1|vektor_main|NONE|ABANDON|1|1|14\n"
    )
    first, second = witness.visits(witness.queue_log(file))
    assert (first.outcome, first.manager, first.wait, first.rang_without_answer) == (
        "answered",
        "romashka_102",
        6,
        1,
    )
    assert (second.queue, second.outcome, second.wait) == ("vektor_main", "abandoned", 14)
    assert witness.visits(witness.queue_log(file, since=1795319546)) == [
        Visit("1.1", "vektor_main", "791", 1795319546.0, "abandoned", "ABANDON", "", 14, 0)
    ]


def test_talk_counts_only_while_two_are_in_the_bridge() -> None:
    def row(event: str, at: float, channel: str, uniqueid: str) -> dict[str, str]:
        return {
            "event": event, "at": f"{at:.6f}", "channel": channel, "uniqueid": uniqueid, "extra": '{"bridge_id":"b"}'
        }  # fmt: skip

    stays = witness.bridge_stays(
        [
            row("BRIDGE_ENTER", 10, "PJSIP/romashka_101-1", "1"),
            row("BRIDGE_ENTER", 12, "PJSIP/trunk-2", "2"),
            row("BRIDGE_EXIT", 15, "PJSIP/trunk-2", "2"),
            row("BRIDGE_EXIT", 19, "PJSIP/romashka_101-1", "1"),
        ]
    )
    assert witness.talk_by_endpoint(stays) == {"romashka_101": 3.0, "trunk": 3.0}


def test_sipp_scenarios_have_no_placeholder_left() -> None:
    acts = (Key("1"), Refer("601"), Hold(), Maybe(0.5, (Hold(), Hold(way="sendrecv"))))
    caller = Caller(dials="601", number="romashka_101", secret="x-secret", acts=acts[:1])
    for xml in (caller.xml(), Phone(acts=acts).xml()):
        body = xml.replace("@[local_ip]", "").replace("@[remote_ip]", "").replace("@127.0.0", "")
        assert "@" not in body


def test_a_callers_name_cannot_leave_its_quotes_in_sip() -> None:
    xml = Caller(dials="1", number="7916", name='a" <sip:evil@x>; [call_id] ]]>').xml()
    line = next(x for x in xml.splitlines() if x.strip().startswith("From:"))
    assert line.strip().startswith('From: "a\\" <sip:evil@x>; (call_id] " <sip:7916@')


def test_the_same_seed_makes_the_same_calls_of_every_shape() -> None:
    plan = sample.plan(phones_port=5070)
    one, two = Random(7), Random(7)
    first = [next_call(plan, one) for _ in range(300)]
    assert first == [next_call(plan, two) for _ in range(300)]
    assert len({call.shape for call in first}) == len(MIX)
    assert {call.company for call in first} == {"romashka", "vektor"}


def test_a_burst_is_one_companys() -> None:
    calls = burst(sample.plan(phones_port=5070), Random(3), 8)
    assert len(calls) == 8
    assert len({call.company for call in calls}) == 1


def test_a_mixed_run_is_a_fixed_list() -> None:
    plan = sample.plan(phones_port=5070)
    listed = schedule(plan, calls=60, every=0.6, seed=60)
    assert listed == schedule(plan, calls=60, every=0.6, seed=60)
    assert len(listed) == 60
    dialling = [(at, call.manager) for at, call in listed if call.manager]
    for at, manager in dialling:
        assert not any(m == manager and 0 < at - earlier < 30 for earlier, m in dialling)


def test_the_rigs_phones_have_addresses_of_their_own() -> None:
    contacts = [m.contact for c in rig_plan(5070).companies for m in c.managers]
    assert len(contacts) == len(set(contacts))

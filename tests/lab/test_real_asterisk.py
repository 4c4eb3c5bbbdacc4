"""A real Asterisk from the lab: it boots, knows its accounts, takes calls, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from ccenter.lab import sample, witness
from ccenter.lab.ami import AmiError, Connection, channels
from ccenter.lab.asterisk import AsteriskError, Instance
from ccenter.lab.plan import PbxPlan
from ccenter.lab.root import Runtime, runtime
from ccenter.lab.sipp import Caller, Phone, Stage
from ccenter.lab.traffic import Traffic

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def asterisk() -> Runtime:
    return runtime(Path(settings.STATE_DIR))


@pytest.fixture(scope="module")
def pbx(asterisk: Runtime) -> Iterator[Instance]:
    made = Instance(asterisk, f"test-{os.getpid()}")
    made.start(plan_for(made))
    yield made
    made.remove()


def plan_for(instance: Instance) -> PbxPlan:
    return sample.plan(phones_port=instance.ports.phones)


def mounts(top: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(top) in line]


def test_both_accounts_sign_in_and_the_portal_may_not_run_commands(pbx: Instance) -> None:
    for account in (sample.PORTAL, sample.RECORDER):
        connection = Connection(pbx.ports.ami, account)
        assert connection.wait("FullyBooted")["Status"] == "Fully Booted"
        connection.close()
    portal = Connection(pbx.ports.ami, sample.PORTAL, events=False)
    for action in (
        {"Action": "Command", "Command": "core show version"},
        {
            "Action": "Originate",
            "Channel": "Local/101@romashka",
            "Application": "System",
            "Data": "touch /tmp/x",
        },
        {"Action": "PJSIPShowEndpoints"},
    ):
        with pytest.raises(AmiError):
            portal.act(action)
    portal.close()
    control = Connection(pbx.ports.ami, sample.RECORDER, events=False)
    assert channels(control) == []
    control.close()


def test_a_wrong_secret_and_a_wrong_port_say_so(pbx: Instance) -> None:
    with pytest.raises(AmiError, match="Authentication failed"):
        Connection(pbx.ports.ami, replace(sample.PORTAL, secret="wrong-secret"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        Connection(closed, sample.PORTAL)


def test_a_real_call_reaches_a_manager_and_both_books_know_it(pbx: Instance) -> None:
    since = time.time()
    control = Connection(pbx.ports.ami, sample.RECORDER, events=False)
    with Stage(pbx.ports.sip, logs=False) as stage:
        stage.phones(Phone(ring=0.3, talk=1.5), pbx.ports.phones)
        time.sleep(0.3)
        customer = stage.call(Caller(dials="78123330001", number="79161234567", name="Анна", stay=20))
        time.sleep(1.5)
        assert {c["Tenantid"] for c in channels(control)} == {"vektor"}
        assert customer.wait(15) == 0
    time.sleep(0.3)
    assert channels(control) == []
    control.close()
    visits = witness.visits(witness.queue_log(pbx.queue_log, since=int(since)))
    assert [(v.queue, v.outcome, v.number) for v in visits] == [("vektor_main", "answered", "79161234567")]
    assert visits[0].manager.startswith("vektor_")
    talk = witness.talk_by_endpoint(witness.bridge_stays(witness.cel(pbx.witness), since=since))
    assert talk[visits[0].manager] == pytest.approx(1.5, abs=0.4)


def test_phones_register_only_with_their_own_password(pbx: Instance) -> None:
    contact = f"sip:romashka_123@127.0.0.1:{pbx.ports.phones}"
    with Stage(pbx.ports.sip, logs=False) as stage:
        assert not stage.register("romashka_123", "not-the-password", contact)
        assert "romashka_123/" not in pbx.command("pjsip show contacts")
        assert stage.register("romashka_123", "romashka-123-secret", contact)
        assert "romashka_123/" in pbx.command("pjsip show contacts")
        assert stage.register("romashka_123", "romashka-123-secret", contact, expires=0)
    assert "romashka_123/" not in pbx.command("pjsip show contacts")


def test_two_live_side_by_side_and_a_killed_one_leaves_nothing(pbx: Instance, asterisk: Runtime) -> None:
    other = Instance(asterisk, f"other-{os.getpid()}")
    try:
        other.start(plan_for(other))
        assert set(other.ports.as_dict().values()).isdisjoint(pbx.ports.as_dict().values())
        process = psutil.Process(other.pid())
        other.kill()
        assert not process.is_running()
        assert other.pid() == 0
        other.start()
        assert other.pid() not in (0, process.pid)
    finally:
        other.remove()
    assert pbx.pid()
    assert not other.home.exists()
    assert mounts(asterisk.top) == [] or asterisk.top == Path("/")


def test_a_busy_port_is_a_sentence(asterisk: Runtime, pbx: Instance) -> None:
    late = Instance(asterisk, f"late-{os.getpid()}", ports=pbx.ports)
    with pytest.raises(AsteriskError, match=f"port {pbx.ports.ami} is busy"):
        late.start(plan_for(late))
    late.remove()
    assert pbx.pid()


def test_traffic_goes_on_until_told_and_leaves_no_call(pbx: Instance) -> None:
    control = Connection(pbx.ports.ami, sample.RECORDER, events=False)
    traffic = Traffic(pbx, pbx.plan(), every=0.4, most=8, pace=0.1, seed=4, say=lambda _: None)
    worker = threading.Thread(target=traffic.run)
    worker.start()
    most, deadline = 0, time.monotonic() + 15
    while time.monotonic() < deadline and (traffic.placed < 8 or most < 4):
        most = max(most, len(channels(control)))
        time.sleep(0.2)
    traffic.over.set()
    worker.join(15)
    assert not worker.is_alive()
    assert traffic.placed >= 8
    assert most >= 4
    assert channels(control) == []
    assert not [
        p for p in psutil.Process().children(recursive=True) if p.name() == "sipp" and p.status() != "zombie"
    ]
    control.close()


def test_phones_die_with_their_stage(pbx: Instance) -> None:
    stage = Stage(pbx.ports.sip, logs=False)
    phone = stage.phones(Phone(), pbx.ports.phones)
    time.sleep(0.3)
    assert phone.poll() is None
    stage.close()
    assert phone.returncode == -signal.SIGKILL
    assert not stage.folder.exists()

"""Recordings of the real Asterisk: everybody speaks in a tone of their own, so each file says who was heard when.

Five calls of two companies live at once: a blind transfer, an attended one, one from queue to queue, an outgoing one
passed on, and another company's. All go through the portal's own way: AMI bytes → facts → rows → collected recordings.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from ccenter.lab import sample, speech
from ccenter.lab.ami import Connection
from ccenter.lab.asterisk import Instance
from ccenter.lab.plan import CompanyPlan, LinePlan, PbxPlan, QueuePlan
from ccenter.lab.root import runtime
from ccenter.lab.scenarios.rig import Rig, Tape, people
from ccenter.lab.sipp import Phone, Refer, Stage, keys
from monitoring.domain.directory import Directory
from monitoring.domain.facts import Fact
from monitoring.domain.switchboard import Switchboard
from monitoring.models import Call
from monitoring.models.recordings import Recording, State
from monitoring.pbx.replay import blocks_of, events_of
from monitoring.services import ingest, recording_inbox
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.figures import Figure
from tests.recordings.conftest import Shelf
from tests.recordings.sounds import decoded, heard, rms, strength, until_quiet

pytestmark = [pytest.mark.real, pytest.mark.django_db]

BLIND, ATTENDED, QUEUES, CITY, BETA = (
    "79160000001",
    "79160000002",
    "79160000003",
    "79160000004",
    "79160000005",
)
VOICES = {
    BLIND: 350.0, ATTENDED: 430.0, QUEUES: 510.0, "city": 590.0, BETA: 1500.0, "beta_101": 1650.0,
    **{f"alpha_{101 + n}": 700.0 + 100 * n for n in range(8)},
}  # fmt: skip
AT_ONCE = ("alpha_106", "alpha_108")


def plan(port: int) -> PbxPlan:
    served = {"sales": "101", "support": "103", "vip": "105", "second": "106"}
    alpha = CompanyPlan(
        slug="alpha", title="Альфа", managers=people("alpha", "127.0.11", ("Менеджер",) * 8, port),
        queues=tuple(
            QueuePlan(name, name, str(601 + n), (member,), "linear", ring_timeout=6, max_wait=20)
            for n, (name, member) in enumerate(served.items())
        ),
        lines=tuple(LinePlan(f"7495123000{n}", name, name) for n, name in enumerate(served)),
    )  # fmt: skip
    beta = CompanyPlan(
        slug="beta", title="Бета", managers=people("beta", "127.0.12", ("Менеджер",), port),
        queues=(QueuePlan("main", "main", "601", ("101",), "linear", max_wait=20),),
        lines=(LinePlan("78123330001", "main", "main"),),
    )  # fmt: skip
    return PbxPlan(companies=(alpha, beta), accounts=(sample.PORTAL, sample.RECORDER))


@dataclass
class Day:
    """What the run left: the PBX's folder of recordings and the bytes the portal heard."""

    spool: Path
    ami: bytes
    seconds: float


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    tones = tmp_path_factory.mktemp("tones")
    voice = {name: speech.tone(tones / f"{n}.al", hertz) for n, (name, hertz) in enumerate(VOICES.items())}
    pbx = Instance(runtime(Path(settings.STATE_DIR)), f"recordings-{os.getpid()}")
    began = time.monotonic()
    try:
        recipe = plan(pbx.ports.phones)
        pbx.start(recipe, fresh_logs=True)
        tape = Tape(pbx)
        with Stage(pbx.ports.sip, logs=False) as stage:
            control = Connection(pbx.ports.ami, sample.RECORDER, events=False)
            tape.begin()
            rig = Rig(pbx, recipe, stage, control, tape)
            # Some answer at once, as a phone in a browser may: no ringing stands between the two talks.
            answers = {
                name: Phone(ring=0.001 if name in AT_ONCE else 0.6, talk=4.0, speech=tone)
                for name, tone in voice.items()
                if "_" in name
            }
            rig.phones(
                **answers
                | {
                    "alpha_101": Phone(ring=0.5, acts=(Refer("102", 2.5),), speech=voice["alpha_101"]),
                    "alpha_103": Phone(
                        ring=0.5, talk=3.5, speech=voice["alpha_103"],
                        acts=(*keys("*2", before=1.5, between=0.2), *keys("104", before=1.6)),
                    ),
                    "alpha_104": Phone(ring=0.8, talk=8.0, speech=voice["alpha_104"]),
                    "alpha_105": Phone(ring=0.5, acts=(Refer("604", 2.5),), speech=voice["alpha_105"]),
                }
            )  # fmt: skip
            rig.city(Phone(ring=0.5, talk=30, speech=voice["city"], host="127.0.0.2"))
            for line, number in (("74951230000", BLIND), ("74951230001", ATTENDED), ("74951230002", QUEUES)):
                rig.call(line, number, stay=40, speech=voice[number])
            rig.call("78123330001", BETA, stay=40, speech=voice[BETA])
            rig.dial("alpha_107", CITY, stay=4, acts=(Refer("108", 2.5),), speech=voice["alpha_107"])
            time.sleep(3.0)
            rig.quiet()
            # Recording is switched off: from now on nobody of alpha's is recorded, beta's still are.
            rig.order("Setvar", Variable="RECORD_alpha", Value="0")
            rig.call("74951230003", "79160000006", stay=40, speech=voice[BLIND])
            time.sleep(2.0)
            rig.quiet()
            tape.end()
            control.close()
        until_quiet([pbx.home / "spool/writing"])
        kept = tmp_path_factory.mktemp("spool") / "spool"
        (pbx.home / "spool").rename(kept)
        yield Day(kept, tape.filtered, time.monotonic() - began)
    finally:
        pbx.remove()


def told(data: bytes, pbx: str) -> dict[str, list[Fact]]:
    """The facts a collector would have stored."""
    companies = ("alpha", "beta")
    board = Switchboard(pbx, {name: Directory(name) for name in companies}, sole=None)
    for event in events_of(blocks_of(data)):
        board.feed(event)
    board.finish()
    facts: dict[str, list[Fact]] = {name: [] for name in companies}
    for changes in board.drain():
        facts[changes.company] += changes.facts
    return facts


@pytest.fixture
def collected(day: Day, shelf: Shelf, alpha_staff: Staff, beta_staff: Staff) -> dict[str, Recording]:
    """Every recording of both companies by the customer's number."""
    beta_staff.pbx.companies.clear()
    alpha_staff.pbx.companies.add(*type(alpha_staff.pbx.companies.get()).objects.filter(schema_name="beta"))
    key = str(alpha_staff.pbx.pk)
    shelf.inbox.mkdir()
    (shelf.inbox / key).symlink_to(copied(day.spool, shelf.inbox.parent / "spool"), target_is_directory=True)
    rows: dict[str, Recording] = {}
    for company, facts in told(day.ami, key).items():
        with company_scope(company):
            ingest.store(key, facts)
            recording_inbox.collect()
            assert set(Recording.objects.values_list("state", flat=True)) == {State.STORED}
            for row in Recording.objects.select_related("call"):
                assert row.call is not None
                rows[f"{company} {row.call.customer}"] = row
    return rows


def copied(spool: Path, target: Path) -> Path:
    for file in spool.rglob("*.*"):
        place = target / file.relative_to(spool)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
        os.utime(place, (file.stat().st_mtime, file.stat().st_mtime))
    return target


@pytest.mark.parametrize(
    ("call", "left", "right"),
    [
        (f"alpha {BLIND}", [BLIND], ["alpha_101", "alpha_102"]),
        (f"alpha {ATTENDED}", [ATTENDED], ["alpha_103", "alpha_104"]),
        (f"alpha {QUEUES}", [QUEUES], ["alpha_105", "alpha_106"]),
        (f"alpha {CITY}", ["city"], ["alpha_107", "alpha_108"]),
        (f"beta {BETA}", [BETA], ["beta_101"]),
    ],
)
def test_a_recording_is_of_its_call_through_every_transfer(
    collected: dict[str, Recording],
    shelf: Shelf,
    call: str,
    left: list[str],
    right: list[str],
    figure: Figure,
) -> None:
    row = collected[call]
    customer, managers = decoded(shelf.kept / row.file)
    assert heard(customer, VOICES) == left
    assert heard(managers, VOICES) == right
    assert rms(customer) > 2000
    assert rms(managers) > 2000
    assert row.call is not None
    assert row.call.ended is not None
    length = (row.call.ended - row.call.started).total_seconds()
    assert row.seconds == pytest.approx(length, abs=1.5)
    figure(
        f"Recording of {call}: loudness left / right", f"{rms(customer):.0f} / {rms(managers):.0f} of 32768", "> 2000"
    )  # fmt: skip


def test_only_the_companys_talks_are_there_and_the_calls_say_so(
    collected: dict[str, Recording], day: Day
) -> None:
    assert sorted(collected) == [f"alpha {n}" for n in (BLIND, ATTENDED, QUEUES, CITY)] + [f"beta {BETA}"]
    with company_scope("alpha"):
        answered = Call.objects.filter(talk_seconds__gt=0, merged_into="").exclude(direction="internal")
        assert {c.customer: c.recorded for c in answered} == {
            BLIND: True, ATTENDED: True, QUEUES: True, CITY: True, "79160000006": False,
        }  # fmt: skip
    assert not list((day.spool / "writing").rglob("*.*"))


@pytest.mark.parametrize(
    ("number", "second"),
    [(BLIND, "alpha_102"), (ATTENDED, "alpha_104"), (QUEUES, "alpha_106"), (CITY, "alpha_108")],
)
def test_the_second_manager_is_heard_from_the_moment_the_route_says_to_the_end(
    collected: dict[str, Recording], shelf: Shelf, number: str, second: str, figure: Figure
) -> None:
    """An Asterisk that takes the second manager's packets for late ones of the first would leave silence here."""
    row = collected[f"alpha {number}"]
    assert row.call is not None
    with company_scope("alpha"):
        leg = row.call.legs.get(manager_name=second)
    # Whoever is asked first, before the customer is put through, is not heard by the customer yet.
    begin, end = leg.talk[-1]
    begins, ends = (moment - row.started.timestamp() for moment in (begin, end))
    assert ends - begins > 3
    _customer, managers = decoded(shelf.kept / row.file)
    assert second not in heard(managers[: int((begins - 0.6) * 8000)], VOICES)
    step, after = 800, managers[int((begins + 0.6) * 8000) : int((ends - 0.6) * 8000)]
    tenths = [strength(after[at : at + step], VOICES[second]) for at in range(0, len(after) - step, step)]
    said = sum(level > 4000 for level in tenths) / len(tenths)
    assert said > 0.9
    figure(f"Second manager's talk in the recording of alpha {number}", f"{said:.0%} of it", "> 90 %")

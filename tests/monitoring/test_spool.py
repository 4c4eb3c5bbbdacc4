"""No fact is lost while PostgreSQL is away, and none blocks the others."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connections

from ccenter.demo import embedded
from monitoring.domain.facts import PauseFact
from monitoring.models import Call, StatusInterval
from monitoring.services import ingest
from monitoring.services.spool import FactSink
from tenants.scope import company_scope
from tests.factories.staff import make_staff
from tests.factories.told import NOON, call, leg, visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[FactSink]:
    made = FactSink(tmp_path, "1")
    yield made
    made.close()


def keys(slug: str) -> set[str]:
    with company_scope(slug):
        return set(Call.objects.values_list("key", flat=True))


def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def away(*_: object) -> list[object]:
    raise OperationalError("connection refused")


def test_facts_reach_their_own_company(sink: FactSink) -> None:
    for number in range(50):
        sink.put("alpha", [call(f"1:a{number}"), visit(f"1:a{number}", "alpha_sales")])
        sink.put("beta", [call(f"1:b{number}")])
    assert sink.flush(60)
    assert keys("alpha") == {f"1:a{number}" for number in range(50)}
    assert keys("beta") == {f"1:b{number}" for number in range(50)}
    assert (sink.status().stored, sink.status().dropped, sink.status().error) == (150, 0, "")


def test_postgresql_really_stopped_loses_nothing(
    sink: FactSink, servers_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The one server of this test run is stopped alone: stop(servers_dir) would take Redis with it.
    server = embedded._postgres(servers_dir, throwaway=True)
    sink.put("alpha", [call("1:before")])
    assert sink.flush(60)
    connections.close_all()
    server.stop()
    try:
        for number in range(400):
            sink.put("alpha" if number % 2 else "beta", [call(f"1:{number}", legs=(leg("alpha_101"),))])
            time.sleep(0.002)
        until(lambda: sink.status().queued == 0)
        outage = sink.status()
        assert outage.spooled_bytes > 0
        assert outage.error
    finally:
        server.start()
    back = time.monotonic()
    assert sink.flush(90)
    with capsys.disabled():
        sys.stdout.write(
            f"\n  PostgreSQL away: {outage.spooled_bytes} bytes spooled, "
            f"all stored {time.monotonic() - back:.1f} s after its return\n"
        )
    assert keys("alpha") == {"1:before", *(f"1:{number}" for number in range(1, 400, 2))}
    assert keys("beta") == {f"1:{number}" for number in range(0, 400, 2)}
    after = sink.status()
    assert (after.spooled_bytes, after.dropped, after.refused, after.error) == (0, 0, 0, "")


CRASHING = """
import os, sys, time, django
django.setup()
from pathlib import Path
from monitoring.services.spool import FactSink
from tests.factories.told import call
sink = FactSink(Path(sys.argv[1]), "1")
for number in range(100):
    sink.put("alpha", [call(f"1:{number}")])
while sink.status().queued:
    time.sleep(0.01)
print("spooled", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_its_facts_for_the_next(tmp_path: Path) -> None:
    # The child has the test settings' address, where no server listens: PostgreSQL is away for it.
    child = subprocess.Popen(
        [sys.executable, "-c", CRASHING, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "ccenter.settings.test"},
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    try:
        with child.stdout as out:
            assert out.readline() == b"spooled\n"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    (segment, *_rest) = sorted((tmp_path / "spool" / "1").glob("*.jsonl"))
    with segment.open("ab") as torn:
        torn.write(b'{"company": "alpha", "facts": [{"kind": "ca')
    sink = FactSink(tmp_path, "1")
    try:
        assert sink.flush(60)
        assert keys("alpha") == {f"1:{number}" for number in range(100)}
        assert sink.status().torn == 1
        assert keys("beta") == set()
    finally:
        sink.close()


def test_newer_facts_wait_behind_older_ones_on_disk(sink: FactSink, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    real = ingest.store
    monkeypatch.setattr(ingest, "store", away)
    sink.put("alpha", [call("1:a", revision=1, talk=None)])
    until(lambda: sink.status().spooled_bytes > 0)

    def noting(pbx: str, facts: list[object]) -> list[object]:
        told.extend(getattr(fact, "key", "?") for fact in facts)
        return real(pbx, facts)  # type: ignore[arg-type,return-value]  # a test double for any fact

    monkeypatch.setattr(ingest, "store", noting)
    for name in "bcd":
        sink.put("alpha", [call(f"1:{name}")])
    assert sink.flush(60)
    assert told == ["1:a", "1:b", "1:c", "1:d"]


def test_a_full_spool_is_counted_and_shouted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ingest, "store", away)
    sink = FactSink(tmp_path, "1", cap=4_000)
    with caplog.at_level(logging.CRITICAL):
        for number in range(200):
            sink.put("alpha", [call(f"1:{number}")])
            time.sleep(0.001)
        until(lambda: sink.status().queued == 0)
    sink.close()
    status = sink.status()
    assert status.dropped > 0
    assert status.spooled_bytes <= 4_000
    assert "FACTS LOST" in caplog.text


def test_one_impossible_fact_stops_no_other(sink: FactSink, tmp_path: Path) -> None:
    facts = [call(f"1:{number}") for number in range(40)]
    facts[17] = facts[17]._replace(started=float("inf"))
    sink.put("alpha", facts)
    assert sink.flush(60)
    assert keys("alpha") == {f"1:{number}" for number in range(40) if number != 17}
    assert (sink.status().refused, sink.status().dropped) == (1, 0)
    assert b"1:17" in (tmp_path / "spool" / "1" / "refused.txt").read_bytes()


def test_facts_of_an_unknown_company_stop_no_other(sink: FactSink) -> None:
    sink.put("gamma", [call("1:x")])
    sink.put("alpha", [call("1:y")])
    assert sink.flush(60)
    assert keys("alpha") == {"1:y"}
    assert sink.status().refused == 1


def test_a_pause_on_a_phone_is_told_to_the_collector(tmp_path: Path) -> None:
    make_staff("alpha")
    told: list[tuple[str, str]] = []
    sink = FactSink(tmp_path, "1", on_declared=lambda company, event: told.append((company, event.manager)))
    try:
        sink.put("alpha", [PauseFact("alpha_101", NOON, True, "Обед")])
        assert sink.flush(60)
    finally:
        sink.close()
    assert told == [("alpha", "alpha_101")]
    with company_scope("alpha"):
        assert StatusInterval.objects.get().status.label == "Обед"


def test_closing_keeps_what_could_not_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as gone:
        gone.setattr(ingest, "store", away)
        sink = FactSink(tmp_path, "1")
        sink.put("alpha", [call("1:a")])
        sink.close()
    later = FactSink(tmp_path, "1")
    assert later.flush(10)
    later.close()
    assert keys("alpha") == {"1:a"}

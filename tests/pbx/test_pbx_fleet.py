"""Workers share the PBXs, one owner each; what one leaves, gives up or dies with, another takes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis as redis_py
from django.conf import settings
from django.db import connection, connections

from monitoring.bus import BoardReader, get_links
from monitoring.models import Call
from monitoring.pbx import fleet as fleet_module
from monitoring.pbx.fleet import Fleet
from monitoring.pbx.portal import DatabasePortal
from tenants.models import Company, Pbx
from tenants.scope import company_scope
from tests.factories.staff import make_staff
from tests.pbx.rig import QUICK, TIMINGS
from tests.pbx.scripted import ScriptedPbx, event, until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quiet", "staffed"),
    pytest.mark.alone,
]


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.fixture
def staffed(db: None) -> None:
    """Two companies with people; the tests make PBXs of their own."""
    for slug in ("alpha", "beta"):
        make_staff(slug)
    Pbx.objects.update(enabled=False)


def make_pbx(server: ScriptedPbx, name: str = "АТС", **changes: object) -> str:
    pbx = Pbx(name=name, host="127.0.0.1", port=server.port, username="ccenter", managed=True, **changes)
    pbx.secret = server.secret
    pbx.save()
    pbx.companies.set(Company.objects.all())
    return str(pbx.pk)


async def in_thread(work: Callable[[], object]) -> object:
    def done() -> object:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


@asynccontextmanager
async def running(redis_url: str, tmp_path: Path, name: str) -> AsyncIterator[Fleet]:
    portal = DatabasePortal()
    fleet = Fleet(
        redis_url=redis_url, state_dir=tmp_path / name, portal=portal, owner=f"{name}:1",
        timings=TIMINGS, deadlines=QUICK,
    )  # fmt: skip
    stop = asyncio.Event()
    task = asyncio.create_task(fleet.run(stop))
    try:
        yield fleet
    finally:
        stop.set()
        await task
        portal.close()


async def linked(keys: list[str], seconds: float = 8.0, *, state: str = "connected") -> float:
    """Until every one of these PBXs is connected; how long it took."""
    began = time.monotonic()
    while True:
        links = await asyncio.to_thread(get_links, keys)
        if len(links) == len(keys) and all(link.state == state for link in links.values()):
            return time.monotonic() - began
        assert time.monotonic() - began < seconds, links
        await asyncio.sleep(0.05)


async def test_workers_share_the_pbxs_and_a_new_one_gets_its_part(
    pbx: ScriptedPbx, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "REBALANCE_SECONDS", 0.1)
    keys = [str(await in_thread(lambda n=n: make_pbx(pbx, f"АТС {n}"))) for n in range(4)]
    async with running(redis_url, tmp_path, "first") as first:
        await linked(keys)
        assert sorted(first.posts) == sorted(keys)
        async with running(redis_url, tmp_path, "second") as second:
            await until(lambda: len(first.posts) == len(second.posts) == 2, 8.0)
            assert not first.posts.keys() & second.posts.keys()
            await linked(keys)
        await until(lambda: len(first.posts) == 4)
        await linked(keys)


async def test_a_worker_that_ends_politely_leaves_no_wait_behind(
    pbx: ScriptedPbx, redis_url: str, tmp_path: Path
) -> None:
    key = str(await in_thread(lambda: make_pbx(pbx)))
    async with running(redis_url, tmp_path, "first"):
        await linked([key])
        waiting = running(redis_url, tmp_path, "second")
        second = await waiting.__aenter__()
        await asyncio.sleep(0.6)
        assert not second.posts
    began = time.monotonic()
    await until(lambda: key in second.posts)
    assert time.monotonic() - began < 1.5
    await waiting.__aexit__(None, None, None)


async def test_an_edited_pbx_is_connected_anew_and_a_removed_one_is_forgotten(
    pbx: ScriptedPbx, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "REREAD_SECONDS", 0.2)
    right = pbx.secret
    pbx.secret = "another"
    key = str(await in_thread(lambda: make_pbx(pbx)))
    pbx.secret = right
    reader = BoardReader(redis_url)
    async with running(redis_url, tmp_path, "first") as fleet:
        await until(lambda: len(pbx.logins) == 1)

        def edit() -> None:
            row = Pbx.objects.get(pk=key)
            row.secret = right
            row.save()

        await in_thread(edit)
        await linked([key])
        assert key in await reader.boards("beta")
        await in_thread(
            lambda: Pbx.objects.get(pk=key).companies.remove(Company.objects.get(schema_name="beta"))
        )
        await board_there(reader, "beta", key, there=False)
        await linked([key])
        assert key in await reader.boards("alpha")
        await in_thread(lambda: Pbx.objects.filter(pk=key).update(enabled=False))
        await until(lambda: not fleet.posts)
        assert key not in await reader.boards("alpha")
        await until(lambda: not pbx._writers)
    await reader.close()


async def test_a_secret_that_cannot_be_read_is_said_and_nothing_is_tried(
    pbx: ScriptedPbx, redis_url: str, tmp_path: Path
) -> None:
    key = str(await in_thread(lambda: make_pbx(pbx)))
    await in_thread(lambda: Pbx.objects.filter(pk=key).update(secret_encrypted="not ours"))
    async with running(redis_url, tmp_path, "first"):
        await linked([key], state="refused")
        assert "enter it again" in get_links([key])[key].status.error
        assert not pbx.connections


async def test_a_lease_taken_by_another_stops_us_at_once(
    pbx: ScriptedPbx, redis_url: str, tmp_path: Path, raw: redis_py.Redis
) -> None:
    key = str(await in_thread(lambda: make_pbx(pbx)))
    async with running(redis_url, tmp_path, "first") as fleet:
        await linked([key])
        raw.set(f"cc::lease:{key}", "99999999999999999|other:2", px=3000)
        raw.set(f"cc::fence:{key}", "99999999999999999")
        assert await until(lambda: not fleet.posts) < 1.0
        await until(lambda: not pbx._writers)


async def test_after_a_flushed_redis_each_pbx_has_one_owner_and_a_right_board_within_ten_seconds(
    pbx: ScriptedPbx, redis_url: str, tmp_path: Path, raw: redis_py.Redis
) -> None:
    key = str(await in_thread(lambda: make_pbx(pbx)))
    reader = BoardReader(redis_url)
    async with (
        running(redis_url, tmp_path, "first") as first,
        running(redis_url, tmp_path, "second") as second,
    ):
        await linked([key])
        began = time.monotonic()
        raw.flushall()
        await board_there(reader, "alpha", key, there=True)
        await board_there(reader, "beta", key, there=True)
        await linked([key])
        assert time.monotonic() - began < 10.0
        await until(lambda: len(first.posts) + len(second.posts) == 1)
        await until(lambda: len(pbx._writers) == 1)
    await reader.close()


class Worker:
    """A real Celery worker that collects, in a process of its own."""

    def __init__(self, redis_url: str, state: Path, name: str) -> None:
        database = connection.settings_dict
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}"
        host = f"?host={database['HOST']}&port={database['PORT']}"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo", "DATABASE_URL": url + host, "REDIS_URL": redis_url,
            "CCENTER_STATE": str(state), "SECRET_KEY": "x" * 50, "FIELD_KEY": settings.FIELD_KEYS[0],
        }  # fmt: skip
        state.mkdir()
        self.log = state / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "ccenter", "worker", "-Q", "collect", "-n", f"{name}@test",
                 "--concurrency", "1", "--without-mingle", "--without-gossip", "--loglevel", "INFO"],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def is_owner(self, key: str) -> bool:
        link = get_links([key]).get(key)
        return link is not None and f":{self.process.pid}:" in link.status.owner and link.state == "connected"

    def end(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        return self.process.wait(20)


@pytest.fixture
def workers(redis_url: str, tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    begun: list[Worker] = []

    def begin(name: str) -> Worker:
        begun.append(Worker(redis_url, tmp_path / name, name))
        return begun[-1]

    yield begin
    for worker in begun:
        worker.end(signal.SIGKILL)


async def test_a_killed_worker_is_replaced_within_five_seconds_and_no_call_is_counted_twice(
    pbx: ScriptedPbx, workers: Callable[[str], Worker]
) -> None:
    key = str(await in_thread(lambda: make_pbx(pbx)))
    first = workers("first")
    try:
        await until(lambda: first.is_owner(key), 60.0)
    except AssertionError:
        pytest.fail(first.log.read_text()[-3000:])
    second = workers("second")
    stamp = pbx.now()
    row = {
        "Channel": "PJSIP/trunk-1", "ChannelState": "6", "CallerIDNum": "+7495", "CallerIDName": "Ёлка", "Exten": "100",
        "Context": "from-trunk", "Uniqueid": f"{stamp:.0f}.1", "Linkedid": f"{stamp:.0f}.1", "Tenantid": "beta",
    }  # fmt: skip
    pbx.say(event("Newchannel", Timestamp=f"{stamp:.6f}", **row))
    pbx.channels = [row | {"Application": "Wait", "Duration": "00:00:02"}]

    def calls(company: str) -> list[str]:
        with company_scope(company):
            return list(Call.objects.values_list("key", flat=True))

    await until(lambda: f":{second.process.pid}:" in alive(), 60.0)
    await stored(lambda: calls("beta"))
    first.end(signal.SIGKILL)
    took = await until(lambda: second.is_owner(key), 10.0)
    print(f"\nworker killed -9: its PBX is connected again by another after {took:.2f} s")
    assert took <= 5.0
    pbx.channels = []
    pbx.say(event("Hangup", Timestamp=f"{pbx.now():.6f}", **row, Cause=16))
    await asyncio.sleep(1.0)
    assert await in_thread(lambda: calls("beta")) == [f"{key}:{stamp:.0f}.1"]
    assert await in_thread(lambda: calls("alpha")) == []
    began = time.monotonic()
    assert second.end() == 0
    assert time.monotonic() - began < 10.0
    assert not redis_owner(key), "a worker that ends gives its lease back"


async def stored(read: Callable[[], object], seconds: float = 5.0) -> None:
    began = time.monotonic()
    while not await in_thread(read):
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.05)


async def board_there(reader: BoardReader, company: str, key: str, *, there: bool) -> None:
    began = time.monotonic()
    while (key in await reader.boards(company)) is not there:
        assert time.monotonic() - began < 5.0
        await asyncio.sleep(0.05)


def alive() -> str:
    """The names of the workers that say they are alive."""
    with redis_py.Redis.from_url(settings.REDIS_URL) as client:
        return repr(client.zrange("cc::workers", 0, -1))


def redis_owner(key: str) -> bool:
    with redis_py.Redis.from_url(settings.REDIS_URL) as client:
        return bool(client.exists(f"cc::lease:{key}"))

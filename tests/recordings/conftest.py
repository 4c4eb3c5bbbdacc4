"""Recordings of tests: a storage and an inbox of each test's own, and calls they can belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.models import Call, Leg, Manager
from monitoring.models.phones import customer_of
from monitoring.models.recordings import Recording, State
from tenants.scope import company_scope
from tests.factories.clock import fixed_day as fixed_day
from tests.factories.staff import Staff, make_staff
from tests.recordings.sounds import left_at, stereo

NOON = 1_795_251_600.0  # 2026-11-21 12:00:00 in Moscow


@dataclass(frozen=True)
class Shelf:
    """Where this test's recordings come from and go to."""

    inbox: Path
    kept: Path

    def leave(
        self, staff: Staff, company: str, uniqueid: str, *, linked: str = "", begun: float = NOON,
        left: float = 440, right: float = 600, seconds: float = 3.0, stage: str = "monitor",
    ) -> Path:  # fmt: skip
        """As Asterisk leaves it: named by channel and time, last written when the call ended."""
        name = f"{linked or uniqueid}-{uniqueid}-{int(begun)}.raw"
        path = self.inbox / str(staff.pbx.pk) / stage / company / name
        return left_at(stereo(path, left, right, seconds=seconds), begun + seconds)

    def files(self) -> list[Path]:
        return sorted(p for p in self.kept.rglob("*") if p.is_file())


@pytest.fixture
def shelf(tmp_path: Path, settings: Any) -> Shelf:
    settings.STATE_DIR = tmp_path / "state"
    settings.RECORDINGS_INBOX = tmp_path / "inbox"
    kept = tmp_path / "kept"
    settings.STORAGES = {
        **settings.STORAGES,
        "recordings": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": kept, "base_url": None},
        },
    }
    return Shelf(tmp_path / "inbox", kept)


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def beta_staff(db: None) -> Staff:
    return make_staff("beta")


def talk(
    staff: Staff, uniqueid: str, *, manager: Manager | None = None, started: float = NOON, seconds: float = 30.0,
    number: str = "+79161234567", **more: Any,
) -> Call:  # fmt: skip
    """An ended, answered call with one leg, as the ingest writes it. In the open scope."""
    person = manager or staff.anna
    groups = [group.pk for group in person.groups.all()]
    begun, ended = datetime.fromtimestamp(started, UTC), datetime.fromtimestamp(started + seconds, UTC)
    values: dict[str, Any] = {
        "key": f"{staff.pbx.pk}:{uniqueid}", "pbx": str(staff.pbx.pk), "direction": "in", "number": number,
        "name": "", "customer": customer_of(number), "line": "78005553535",
        "started": begun, "answered": begun, "ended": ended,
        "disposition": "answered", "hung_up_by": "customer", "revision": started, "talk_seconds": seconds,
        "groups": groups, **more,
    }  # fmt: skip
    call = Call.objects.create(**values)
    Leg.objects.create(
        call=call, uniqueid=f"leg-{uniqueid}", manager=person, manager_name=person.pbx_name, queue_name="", rang=begun,
        answered=begun, ended=ended, outcome="answered", available=True, talk=[[started, started + seconds]],
        talk_seconds=seconds, hold_seconds=0, groups=groups,
    )  # fmt: skip
    return call


Recorded = Callable[..., Recording]


@pytest.fixture
def recorded(shelf: Shelf) -> Recorded:
    """``recorded("alpha", staff)``: a call and its recording in the storage. Opens the company's scope itself."""

    def make(
        company: str, staff: Staff, *, uniqueid: str = "1795251600.1", manager: Manager | None = None,
        sound: bytes = b"ID3 not really sound" * 400, **more: Any,
    ) -> Recording:  # fmt: skip
        name = f"{company}/2026/11/{uniqueid}.mp3"
        file = shelf.kept / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sound)
        with company_scope(company):
            call = talk(staff, uniqueid, manager=manager, recorded=True, **more)
            return Recording.objects.create(
                call=call, pbx=call.pbx, source=f"{uniqueid}.raw", uniqueid=uniqueid, state=State.STORED, file=name,
                size=len(sound), sha256="", started=call.started, seconds=30.0, peaks=[[10, 90, 30], [0, 50, 20]],
            )  # fmt: skip

    return make

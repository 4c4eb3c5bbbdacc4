"""From a PBX's folder into the storage: the right call, the right company, once, and nothing half."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone

from monitoring.models import Call, Leg, QueueVisit
from monitoring.models.recordings import Recording, State
from monitoring.services import audio, recording_inbox, recordings
from monitoring.services.recording_inbox import collect
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.recordings.conftest import NOON, Recorded, Shelf, talk
from tests.recordings.sounds import decoded, left_at, rms, side, stereo, strength

UID, OTHER = "1795251600.1", "1795251601.2"


def take(company: str) -> recording_inbox.Collected:
    with company_scope(company):
        return collect()


def test_a_recording_is_stored_with_both_sides_and_its_waveform(shelf: Shelf, alpha_staff: Staff) -> None:
    original = shelf.leave(alpha_staff, "alpha", UID, left=440, right=1000)
    with company_scope("alpha"):
        call = talk(alpha_staff, UID)
    assert take("alpha").stored == 1
    with company_scope("alpha"):
        row = Recording.objects.get()
        assert row.call == call
        assert Call.objects.get().recorded
    assert not original.exists()
    file = shelf.kept / row.file
    assert [file] == shelf.files()
    assert len(Path(row.file).stem) >= 32
    assert (row.size, row.sha256) == (file.stat().st_size, audio.digest(file))
    assert row.seconds == pytest.approx(3.0, abs=0.1)
    assert row.started.timestamp() == pytest.approx(NOON, abs=0.1)
    assert [len(channel) for channel in row.peaks] == [60, 60]
    assert all(55 < value <= 75 for channel in row.peaks for value in channel[1:-1])
    left, right = decoded(file)
    assert strength(left, 440) > 20 * strength(left, 1000)
    assert strength(right, 1000) > 20 * strength(right, 440)
    assert rms(left) > 5000


def test_the_same_file_found_again_changes_nothing_and_is_cleared_away(
    shelf: Shelf, alpha_staff: Staff
) -> None:
    original = shelf.leave(alpha_staff, "alpha", UID)
    content = original.read_bytes()
    with company_scope("alpha"):
        talk(alpha_staff, UID)
    take("alpha")
    original.write_bytes(content)
    assert take("alpha") == recording_inbox.Collected()
    assert not original.exists()
    assert len(shelf.files()) == 1


@pytest.mark.parametrize("by", ["leg", "queue", "linked", "merged"])
def test_a_call_is_found_by_every_channel_it_had(shelf: Shelf, alpha_staff: Staff, by: str) -> None:
    with company_scope("alpha"):
        call = talk(alpha_staff, UID)
        if by == "leg":
            Leg.objects.update(uniqueid=OTHER)
        elif by == "queue":
            QueueVisit.objects.create(
                pbx=call.pbx, uniqueid=OTHER, call_key=call.key, queue_name="q", joined=call.started,
                outcome="answered", wait=1, position=1, answer_within=20, short_abandon=5,
            )  # fmt: skip
        elif by == "merged":
            talk(alpha_staff, OTHER, merged_into=call.key, started=NOON - 40, seconds=60)
    shelf.leave(alpha_staff, "alpha", OTHER, linked=UID if by == "linked" else "")
    assert take("alpha").stored == 1
    with company_scope("alpha"):
        assert Recording.objects.get().call == call


def test_another_companys_call_is_nobodys(shelf: Shelf, alpha_staff: Staff, beta_staff: Staff) -> None:
    """Somebody put beta's channel into alpha's folder: alpha gets no call of beta's, beta no file of alpha's."""
    alpha_staff.pbx.companies.add(*beta_staff.pbx.companies.all())
    with company_scope("beta"):
        talk(alpha_staff, UID, manager=beta_staff.anna)
    path = shelf.leave(alpha_staff, "alpha", UID)
    left_at(path, (timezone.now() - timedelta(hours=1)).timestamp())
    assert take("alpha").orphans == 1
    assert take("beta") == recording_inbox.Collected()
    with company_scope("alpha"):
        assert Recording.objects.get().state == State.ORPHAN
    with company_scope("beta"):
        assert not Recording.objects.exists()
        assert not Call.objects.get().recorded


def test_the_same_channel_at_another_time_is_another_call(shelf: Shelf, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        talk(alpha_staff, UID, started=NOON - 90_000)
    shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        assert recording_inbox.collect().stored == 0


def test_a_call_that_still_lives_or_is_not_told_yet_is_waited_for(shelf: Shelf, alpha_staff: Staff) -> None:
    now = timezone.now().timestamp()
    path = shelf.leave(alpha_staff, "alpha", UID, begun=now - 3)
    assert take("alpha").waiting == 1
    with company_scope("alpha"):
        talk(alpha_staff, UID, started=now - 4)
        Call.objects.update(ended=None)
    assert take("alpha").waiting == 1
    assert path.exists()
    with company_scope("alpha"):
        Call.objects.update(ended=timezone.now())
    assert take("alpha").stored == 1


def test_what_nobody_answered_is_not_kept(shelf: Shelf, alpha_staff: Staff) -> None:
    shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        talk(alpha_staff, UID, talk_seconds=0, disposition="abandoned")
    assert take("alpha").dropped == 1
    assert shelf.files() == []
    with company_scope("alpha"):
        assert not Recording.objects.exists()


def test_an_orphan_finds_its_call_when_the_facts_come_late(shelf: Shelf, alpha_staff: Staff) -> None:
    path = shelf.leave(alpha_staff, "alpha", UID)
    late = timezone.now().timestamp() - 3000
    left_at(path.rename(path.with_name(f"{UID}-{UID}-{int(late)}.raw")), late + 3)
    assert take("alpha").orphans == 1
    with company_scope("alpha"):
        call = talk(alpha_staff, UID, started=late)
    assert take("alpha").matched == 1
    with company_scope("alpha"):
        row = Recording.objects.get()
        assert (row.call, row.state, row.reason) == (call, State.STORED, "")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (f"{UID}-{UID}-1795251600.wav", b"RIFF\x00\x00 this is no sound at all" * 200, "unreadable"),
        (f"{UID}-{UID}-1795251600.raw", b"", "empty"),
        ("что-то другое.exe", b"MZ" * 5000, "unknown"),
    ],
)
def test_what_cannot_be_played_is_kept_as_it_is_and_listed(
    shelf: Shelf, alpha_staff: Staff, name: str, content: bytes, reason: str
) -> None:
    folder = shelf.inbox / str(alpha_staff.pbx.pk) / "monitor" / "alpha"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    left_at(folder / name, NOON - 700_000)
    assert take("alpha").broken == 1
    with company_scope("alpha"):
        row = Recording.objects.get()
    assert (row.state, row.reason) == (State.BROKEN, reason)
    assert [file.read_bytes() for file in shelf.files()] == [content]
    assert not (folder / name).exists()


def test_links_and_foreign_folders_are_not_followed(shelf: Shelf, alpha_staff: Staff, tmp_path: Path) -> None:
    secret = stereo(tmp_path / "secret.raw", 440, 440)
    folder = shelf.inbox / str(alpha_staff.pbx.pk) / "monitor" / "alpha"
    folder.mkdir(parents=True)
    (folder / f"{UID}-{UID}-1795251600.raw").symlink_to(secret)
    (shelf.inbox / str(alpha_staff.pbx.pk) / "monitor" / "beta").symlink_to(secret.parent)
    assert take("alpha") == recording_inbox.Collected()
    assert secret.exists()


def test_a_file_in_the_making_is_left_alone_until_its_pbx_is_long_dead(
    shelf: Shelf, alpha_staff: Staff
) -> None:
    now = timezone.now().timestamp()
    path = shelf.leave(alpha_staff, "alpha", UID, begun=now - 100, stage="writing")
    with company_scope("alpha"):
        talk(alpha_staff, UID, started=now - 100)
    assert take("alpha") == recording_inbox.Collected()
    left_at(path, now - recording_inbox.SILENT - 60)
    with company_scope("alpha"):
        Call.objects.update(started=datetime.fromtimestamp(now - recording_inbox.SILENT - 120, UTC))
    left_at(path.rename(path.with_name(f"{UID}-{UID}-{int(now - 3720)}.raw")), now - 3660)
    assert take("alpha").stored == 1


def written(shelf: Shelf, staff: Staff, begun: float) -> Path:
    """Where a live call's recording is written, without the endings of its sides."""
    folder = shelf.inbox / str(staff.pbx.pk) / "writing" / "alpha"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{UID}-{UID}-{int(begun)}.pair"


def test_two_sides_one_behind_the_other_are_two_channels(shelf: Shelf, alpha_staff: Staff) -> None:
    folder = shelf.inbox / str(alpha_staff.pbx.pk) / "monitor" / "alpha"
    folder.mkdir(parents=True)
    file = folder / f"{UID}-{UID}-{int(NOON)}.pair"
    file.write_bytes(side(440) + side(1000))
    left_at(file, NOON + 3)
    with company_scope("alpha"):
        talk(alpha_staff, UID)
    assert take("alpha").stored == 1
    with company_scope("alpha"):
        row = Recording.objects.get()
    assert (row.state, row.channels) == (State.STORED, 2)
    assert row.seconds == pytest.approx(3.0, abs=0.1)
    assert row.started.timestamp() == pytest.approx(NOON, abs=0.1)
    left, right = decoded(shelf.kept / row.file)
    assert strength(left, 440) > 20 * strength(left, 1000)
    assert strength(right, 1000) > 20 * strength(right, 440)


@pytest.mark.parametrize(("said", "heard"), [(3.0, 2.5), (3.0, None), (None, 3.0)])
def test_the_sides_a_dead_pbx_left_become_one_recording(
    shelf: Shelf, alpha_staff: Staff, beta_staff: Staff, said: float | None, heard: float | None
) -> None:
    died = timezone.now().timestamp() - recording_inbox.SILENT - 60
    place = written(shelf, alpha_staff, died - 3)
    other = place.parent.with_name("beta")
    other.mkdir()
    (other / f"{UID}-{UID}-1.pair.said.sln16").write_bytes(side(700))
    for hertz, seconds, name in ((440, said, "said"), (1000, heard, "heard")):
        if seconds:
            file = place.with_name(f"{place.name}.{name}.sln16")
            file.write_bytes(side(hertz, seconds=seconds)[: -1 if seconds < 3 else None])
            left_at(file, died)
    with company_scope("alpha"):
        talk(alpha_staff, UID, started=died - 4)
    assert take("alpha").stored == 1
    with company_scope("alpha"):
        row = Recording.objects.get()
    assert (row.state, row.source) == (State.STORED, place.name)
    assert row.seconds == pytest.approx(3.0, abs=0.1)
    assert row.started.timestamp() == pytest.approx(died - 3, abs=0.1)
    left, right = decoded(shelf.kept / row.file)
    assert (strength(left, 440) > 4000, strength(right, 1000) > 4000) == (said is not None, heard is not None)
    assert list(place.parent.iterdir()) == []
    assert len(list(other.iterdir())) == 1


def test_the_sides_of_a_live_call_are_left_alone(shelf: Shelf, alpha_staff: Staff) -> None:
    now = timezone.now().timestamp()
    place = written(shelf, alpha_staff, now - 3)
    for name in ("said", "heard"):
        file = place.with_name(f"{place.name}.{name}.sln16")
        file.write_bytes(side(440))
        left_at(file, now - 60)
    with company_scope("alpha"):
        talk(alpha_staff, UID, started=now - 4)
    assert take("alpha") == recording_inbox.Collected()
    assert len(list(place.parent.iterdir())) == 2


def test_joining_sides_follows_no_link(shelf: Shelf, alpha_staff: Staff, tmp_path: Path) -> None:
    """Neither is a portal's file read as a side, nor written over under the name a side is joined by."""
    died = timezone.now().timestamp() - recording_inbox.SILENT - 60
    place = written(shelf, alpha_staff, died - 3)
    secret = left_at(stereo(tmp_path / "secret.raw", 440, 440), died)
    content = secret.read_bytes()
    place.with_name(f"{place.name}.said.sln16").symlink_to(secret)
    place.with_name(f".{place.name}").symlink_to(secret)
    heard = place.with_name(f"{place.name}.heard.sln16")
    heard.write_bytes(side(1000))
    left_at(heard, died)
    with company_scope("alpha"):
        talk(alpha_staff, UID, started=died - 4)
    assert take("alpha").stored == 1
    assert secret.read_bytes() == content
    with company_scope("alpha"):
        left, right = decoded(shelf.kept / Recording.objects.get().file)
    assert rms(left) < 100 < rms(right)


@pytest.mark.parametrize("where", ["_put", "convert", "row"])
def test_a_worker_killed_anywhere_leaves_nothing_half(
    shelf: Shelf, alpha_staff: Staff, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before, while or after the file was stored: the next run ends with one row, one file, no original."""
    original = shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        talk(alpha_staff, UID)

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if where == "_put":  # in the middle of storing: half a file is there
            real = recording_inbox._put

            def half(made: Path, name: str, digest: str) -> None:
                real(made, name, digest)
                (shelf.kept / name).write_bytes(made.read_bytes()[:1000])
                raise Killed

            patch.setattr(recording_inbox, "_put", half)
        elif where == "convert":
            patch.setattr(audio, "convert", killed)
        else:  # stored, and the row says so, but the original still lies there
            patch.setattr(Path, "unlink", killed)
        with pytest.raises(Killed):
            take("alpha")
    assert original.exists()
    take("alpha")
    with company_scope("alpha"):
        row = Recording.objects.get()
    assert row.state == State.STORED
    assert [audio.digest(file) for file in shelf.files()] == [row.sha256]
    assert not original.exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_finds_nothing_to_do(shelf: Shelf, alpha_staff: Staff) -> None:
    shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        talk(alpha_staff, UID)
    holding = (
        "import psycopg,sys; c=psycopg.connect(sys.argv[1],autocommit=True);"
        "c.execute(\"SELECT pg_advisory_lock(hashtextextended('recordings of alpha', 0))\");"
        "print('held',flush=True); sys.stdin.read()"
    )
    info = connection.connection.info
    address = f"{info.dsn} password={info.password or 'x'}"
    with subprocess.Popen(
        [sys.executable, "-c", holding, address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert take("alpha") == recording_inbox.Collected()
        other.kill()  # and its lock goes with it
    for _ in range(50):
        if take("alpha").stored:
            break
    with company_scope("alpha"):
        assert Recording.objects.count() == 1


def test_a_storage_that_is_no_folder_serves_as_well(
    shelf: Shelf, alpha_staff: Staff, settings: object
) -> None:
    """Only Django's storage interface is used: any store behind it will do, as S3's does."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "recordings": memory}  # type: ignore[attr-defined] # pytest-django's
    shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        talk(alpha_staff, UID)
        assert collect().stored == 1
        row = Recording.objects.get()
        with storages["recordings"].open(row.file) as opened:
            assert len(opened.read()) == row.size
        assert recordings.delete(recording_ids=[row.pk]) == 1
        assert not storages["recordings"].exists(row.file)


def test_a_storage_that_loses_what_it_was_given_keeps_the_original(
    shelf: Shelf, alpha_staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = shelf.leave(alpha_staff, "alpha", UID)
    with company_scope("alpha"):
        talk(alpha_staff, UID)
    real = storages["recordings"].save

    def cut(name: str, content: object, **_: object) -> str:
        stored: str = real(name, content)
        (shelf.kept / stored).write_bytes(b"cut")
        return stored

    with monkeypatch.context() as patch:
        patch.setattr(storages["recordings"], "save", cut)
        assert take("alpha").waiting == 1
    assert original.exists()
    assert take("alpha").stored == 1


def test_the_scan_says_whose_file_is_gone_and_when_it_is_back(
    shelf: Shelf, alpha_staff: Staff, beta_staff: Staff, recorded: Recorded
) -> None:
    mine, other = recorded("alpha", alpha_staff), recorded("beta", beta_staff)
    file = shelf.kept / mine.file
    sound = file.read_bytes()
    file.unlink()
    with company_scope("alpha"):
        assert recording_inbox.scan() == 1
        mine.refresh_from_db()
        assert mine.state == State.GONE
    file.write_bytes(sound)
    with company_scope("alpha"):
        assert recording_inbox.scan() == 0
        mine.refresh_from_db()
    with company_scope("beta"):
        other.refresh_from_db()
    assert (mine.state, other.state) == (State.STORED, State.STORED)


def test_deleting_takes_file_and_row_and_says_so_on_the_call(
    shelf: Shelf, alpha_staff: Staff, beta_staff: Staff, recorded: Recorded
) -> None:
    mine, other = recorded("alpha", alpha_staff), recorded("beta", beta_staff)
    with company_scope("alpha"):
        assert recordings.delete(recording_ids=[mine.pk, 999_999]) == 1
        assert not Recording.objects.exists()
        assert not Call.objects.get().recorded
    with company_scope("beta"):
        assert Recording.objects.get() == other
        assert Call.objects.get().recorded
    assert [file.relative_to(shelf.kept) for file in shelf.files()] == [Path(other.file)]

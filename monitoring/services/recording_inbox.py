"""From the folder a PBX writes into to the storage: matched to its call, converted, verified, then the original goes.

Every step can be the last one of a killed worker. A row says ``STORING`` before its file is stored, the original
stays until the row says it is kept, and the next run begins again from there. One worker at a time serves a company.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.db import connection, transaction
from django.utils import timezone

from monitoring.models.calls import Call
from monitoring.models.recordings import Recording, State
from monitoring.models.text import visible
from monitoring.selectors.pbxs import pbxs_of
from monitoring.selectors.recordings import call_of
from monitoring.services import audio, recording_sides
from monitoring.services.lost_sql import ERASED
from tenants.scope import current_company

log = logging.getLogger(__name__)

# <linked id>-<channel's id>-<epoch of its beginning>; an id is <epoch>.<count>, behind a PBX's own name if it has one.
_ID = r"(?:[A-Za-z0-9_]{1,30}-)?[0-9]{9,11}\.[0-9]{1,12}"
NAME = re.compile(rf"(?P<linked>{_ID})-(?P<own>{_ID})-(?P<begun>[0-9]{{9,11}})\.(?:pair|raw|wav)")
PATIENCE = 600.0  # seconds a recording waits for its call to be told and to end
SILENT = 3600.0  # seconds after which a file still being written to is one whose PBX died
KEPT_TRYING = timedelta(days=2)  # how long an orphan's call may still come to light
AT_ONCE = 200
WORK_FOR = 300.0  # seconds a run takes on new files
BIGGEST = 4 << 30


@dataclass(slots=True)
class Collected:
    """What one run did. ``waiting``: files whose call is not known or not over yet; ``dropped``: nobody talked."""

    stored: int = 0
    orphans: int = 0
    broken: int = 0
    dropped: int = 0
    waiting: int = 0
    matched: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """A file a PBX left. ``ended``: when its last sound was written."""

    pbx: str
    path: Path
    ended: datetime

    @property
    def source(self) -> str:
        """Its name, if a row can hold it; one that cannot is still told from every other."""
        name = visible(self.path.name, 400)
        if name == self.path.name and len(name) <= 200:
            return name
        return f"{sha256(bytes(self.path)).hexdigest()[:40]}…{name[-100:]}"

    @property
    def age(self) -> float:
        return (timezone.now() - self.ended).total_seconds()


class CannotVerify(RuntimeError):
    """What the storage gives back is not what it was given; the original stays where it is."""


def collect() -> Collected:
    """Take in what the PBXs of the scope's company have left. Returns at once while another worker is doing it."""
    done = Collected()
    with _alone() as mine:
        if not mine:
            return done
        began = time.monotonic()
        _join_sides()
        for left in sorted(_files(), key=lambda f: f.ended)[:AT_ONCE]:
            if time.monotonic() - began > WORK_FOR:
                break
            try:
                _take(left, done)
            except (OSError, CannotVerify, subprocess.TimeoutExpired):
                log.exception("A recording of PBX %s stays where it is until the next run", left.pbx)
                done.waiting += 1
        _match_orphans(done)
        _forget_never_stored()
    return done


def _join_sides() -> None:
    """A PBX that died has not put together what it wrote: so that one recording is one file, we do."""
    company = current_company()
    for pbx in pbxs_of(company):
        folder = Path(settings.RECORDINGS_INBOX) / pbx.key / "writing" / company
        try:
            recording_sides.join(_plain_files(folder), before=timezone.now().timestamp() - SILENT)
        except OSError:
            log.exception("Sides of recordings of PBX %s stay as they are until the next run", pbx.key)


def _files() -> Iterator[Left]:
    company = current_company()
    for pbx in pbxs_of(company):
        home = Path(settings.RECORDINGS_INBOX) / pbx.key
        for stage, least in (("monitor", None), ("writing", SILENT)):
            for path in _plain_files(home / stage / company):
                ended = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
                left = Left(pbx.key, path, ended)
                if least is None or left.age >= least:
                    yield left


def _plain_files(folder: Path) -> list[Path]:
    """No links: who may write into the folder must not make us read what he may not."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [p for p in folder.iterdir() if p.is_file() and not p.is_symlink() and not p.name.startswith(".")]


def _take(left: Left, done: Collected) -> None:
    row = Recording.objects.filter(pbx=left.pbx, source=left.source).first()
    if row is not None and row.state != State.STORING:
        left.path.unlink(missing_ok=True)  # kept already: whoever kept it did not come to this line
        return
    named = NAME.fullmatch(left.path.name)
    call = None
    if named is not None:
        begun = datetime.fromtimestamp(int(named["begun"]), UTC)
        call = call_of(
            pbx=left.pbx, uniqueids=(named["linked"], named["own"]), started=begun, ended=left.ended
        )
        if (call is None or call.ended is None) and left.age < PATIENCE:
            done.waiting += 1
            return
        if call is not None and call.ended is not None and not call.talk_seconds and row is None:
            left.path.unlink(missing_ok=True)  # menus and music that nobody answered are nobody's talk
            done.dropped += 1
            return
        if call is not None and call.revision >= ERASED and row is None:
            left.path.unlink(missing_ok=True)  # its customer has asked to be forgotten meanwhile
            done.dropped += 1
            return
    if row is None:
        row = _claim(left, named["own"] if named else "")
    _store(left, row, call, named, done)


def _claim(left: Left, uniqueid: str) -> Recording:
    # Beyond any guessing: a name that leaks from one store must not lead to the next recording.
    name = f"{current_company()}/{left.ended:%Y/%m}/{secrets.token_urlsafe(24)}{audio.SUFFIX}"
    return Recording.objects.create(
        pbx=left.pbx, source=left.source, uniqueid=uniqueid[:80], file=name, started=left.ended,
    )  # fmt: skip


def _store(
    left: Left, row: Recording, call: Call | None, named: re.Match[str] | None, done: Collected
) -> None:
    with _workplace() as place:
        try:
            if left.path.stat().st_size > BIGGEST:
                raise audio.BadSound("too_long")
            sound = audio.convert(left.path, place / "sound.mp3")
            made = place / "sound.mp3"
        except audio.BadSound as bad:
            _store_broken(left, row, call, bad.code)
            done.broken += 1
            return
        _put(made, row.file, sound.sha256)
    # From its end: a PBX writes nothing before the first sound, so the end is what is known exactly.
    started = left.ended - timedelta(seconds=sound.seconds)
    heard_of = int(named["begun"]) if named else started.timestamp()
    kept = _keep(
        row,
        call,
        state=State.STORED if call else State.ORPHAN,
        reason="" if call else ("no_call" if named else "name"),
        kind=audio.KIND,
        size=sound.size,
        sha256=sound.sha256,
        started=started,
        seconds=sound.seconds,
        gap=max(0.0, round(left.ended.timestamp() - heard_of - sound.seconds, 1)),
        channels=sound.channels,
        peaks=sound.peaks,
    )
    if not kept:
        left.path.unlink(missing_ok=True)
        done.dropped += 1
        return
    left.path.unlink(missing_ok=True)
    done.stored += call is not None
    done.orphans += call is None


def _store_broken(left: Left, row: Recording, call: Call | None, code: str) -> None:
    """What cannot be played is kept as it is, for whoever can read it, and no longer in the PBX's way."""
    name = row.file.removesuffix(audio.SUFFIX) + ".bin"
    if left.path.stat().st_size <= BIGGEST:
        _put(left.path, name, audio.digest(left.path))
    Recording.objects.filter(pk=row.pk).update(file=name)
    row.file = name
    _keep(
        row, call, state=State.BROKEN, reason=code, kind="application/octet-stream",
        size=left.path.stat().st_size, seconds=0, peaks=[],
    )  # fmt: skip
    left.path.unlink(missing_ok=True)


def _keep(row: Recording, call: Call | None, **told: object) -> bool:
    """Say in the row that its file is kept; False, and neither is there any more, if nobody may keep it."""
    with transaction.atomic():
        if _may_be_heard(call):
            Recording.objects.filter(pk=row.pk).update(call=call, **told)
            if call is not None and told["state"] == State.STORED:
                Call.objects.filter(pk=call.pk).update(recorded=True)
            return True
    _forget(row)
    return False


def _may_be_heard(call: Call | None) -> bool:
    """Not if its customer has asked to be forgotten, or it is gone. Whoever removes calls waits until we are done."""
    if call is None:
        return True
    return Call.objects.select_for_update().filter(pk=call.pk, revision__lt=ERASED).first() is not None


def _forget(row: Recording) -> None:
    storages["recordings"].delete(row.file)
    Recording.objects.filter(pk=row.pk).delete()


def _put(made: Path, name: str, digest: str) -> None:
    """Into the storage under exactly this name, and read back before anything is believed."""
    storage = storages["recordings"]
    storage.delete(name)  # of a run that was killed here
    with made.open("rb") as opened:
        stored = storage.save(name, File(opened))
    if stored != name:
        storage.delete(stored)
        raise CannotVerify("the storage chose another name")
    total = sha256()
    with storage.open(name) as back:
        for block in back.chunks(1 << 20):
            total.update(block)
    if total.hexdigest() != digest:
        storage.delete(name)
        raise CannotVerify("the storage gave back something else")


def _forget_never_stored() -> None:
    """Rows of killed workers whose original somebody has taken away meanwhile: nothing is left to store."""
    there = {(left.pbx, left.source) for left in _files()}
    old = timezone.now() - timedelta(seconds=SILENT)
    for row in Recording.objects.filter(state=State.STORING, stored_at__lt=old):
        if (row.pbx, row.source) not in there:
            _forget(row)


def _match_orphans(done: Collected) -> None:
    """Facts may come late: what was nobody's an hour ago may have its call by now."""
    waiting = Recording.objects.filter(
        state=State.ORPHAN, reason="no_call", stored_at__gte=timezone.now() - KEPT_TRYING
    )
    for row in waiting.order_by("stored_at")[:AT_ONCE]:
        named = NAME.fullmatch(row.source)
        ids = (named["linked"], named["own"]) if named else (row.uniqueid,)
        ended = row.started + timedelta(seconds=row.seconds)
        call = call_of(pbx=row.pbx, uniqueids=ids, started=row.started, ended=ended)
        if call is not None and call.revision >= ERASED:
            _forget(row)
            done.dropped += 1
        elif call is not None and attach_to(row, call):
            done.matched += 1


def attach_to(row: Recording, call: Call) -> bool:
    """Whether it was still nobody's, and the call is one that may be heard."""
    with transaction.atomic():
        if not _may_be_heard(call):
            return False
        mine = Recording.objects.filter(pk=row.pk, state=State.ORPHAN, call=None)
        if not mine.update(call=call, state=State.STORED, reason=""):
            return False
        Call.objects.filter(pk=call.pk).update(recorded=True)
    return True


def scan(*, at_once: int = 2000) -> int:
    """Compare rows with the storage: who has lost the file says so, who has it back too. How many are gone."""
    storage = storages["recordings"]
    gone = 0
    rows = Recording.objects.exclude(state__in=(State.STORING, State.BROKEN))
    for row in rows.only("pk", "file", "state", "call").order_by("pk").iterator(at_once):
        there = storage.exists(row.file)
        gone += not there
        if there == (row.state != State.GONE):
            continue
        back = State.STORED if row.call_id else State.ORPHAN
        Recording.objects.filter(pk=row.pk, state=row.state).update(state=back if there else State.GONE)
    return gone


@contextmanager
def _alone() -> Iterator[bool]:
    """A lock of the database's session: a worker that dies gives it back by dying."""
    key = f"recordings of {current_company()}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder of this file's work; those of killed workers are cleared away on the way."""
    home = Path(settings.STATE_DIR) / "recordings" / "work"
    home.mkdir(parents=True, exist_ok=True)
    for old in home.iterdir():
        if time.time() - old.lstat().st_mtime > SILENT:
            shutil.rmtree(old, ignore_errors=True)
    place = Path(tempfile.mkdtemp(dir=home))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)

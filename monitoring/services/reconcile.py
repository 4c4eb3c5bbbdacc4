"""Settled truth: what a PBX wrote down itself fills the windows in which nobody listened (``docs/adr/0012``).

A call the collector heard from its first to its last event is left as it was heard; one that touches the window is
told again from the log. Run twice, or by two workers, it leaves the same rows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from monitoring.domain import cel, events
from monitoring.domain.directory import Directory
from monitoring.domain.facts import CallFact, Fact, VisitFact
from monitoring.domain.switchboard import Switchboard
from monitoring.models.calls import Call
from monitoring.models.quality import BlindWindow, Correction
from monitoring.models.statuses import StatusInterval
from monitoring.selectors import cel as records
from monitoring.selectors import directory as directories
from monitoring.services import ingest, ingest_sql
from monitoring.services import reconcile_rows as rows
from tenants.models import Pbx

State = BlindWindow.State

SETTLE: Final = 8.0
"""Seconds after a window's end in which what the collector still had in its hands arrives."""
MARGIN: Final = 10.0
"""Seconds before and after it whose calls are looked at too: a collector that died took its last facts with it."""
GIVE_UP: Final = timedelta(hours=24)
FOUND_ENDED: Final = 60.0
"""Seconds after the portal knows of a call's end by which its PBX must have written it down too."""


@dataclass(slots=True)
class _Tally:
    found: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Told:
    """What the log says of some calls. ``families``: channel → all channels of its journey."""

    calls: dict[str, CallFact]
    visits: list[VisitFact]
    families: dict[str, frozenset[str]]


def reconcile(company: str, *, now: datetime) -> list[BlindWindow]:
    """Fill every window of the open company that is over; those looked at. Call it inside ``company_scope``."""
    _close_abandoned(company, now)
    over = BlindWindow.objects.filter(
        state=State.WAITING, ended__lte=now - timedelta(seconds=SETTLE)
    ).order_by("began")
    looked = list(over)
    for window in looked:
        fill(window, company=company, now=now)
    return looked


def fill(window: BlindWindow, *, company: str, now: datetime) -> None:
    """Rebuild the window's calls from its PBX's log and say what differed."""
    reason = _unfillable(window.pbx)
    if reason:
        _settle(window, State.UNFILLED, now, {"reason": reason})
        return
    assert window.ended is not None
    begin, end = window.began.timestamp() + window.skew, window.ended.timestamp() + window.skew
    open_then = _known_then(window.pbx, begin - MARGIN, end + MARGIN)
    directory = directories.read(company, window.pbx)
    tally = _Tally()
    unseen = set(open_then)
    for batch in records.journeys(window.pbx, company, begin - MARGIN, end + MARGIN, open_then):
        unseen -= {row.uniqueid for row in batch}
        told = _rebuild(window, directory, batch)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ingest_sql.ALONE, [window.pbx])
            _put_right(window, told, tally, span=(begin, end), now=now)
    tally.incomplete |= unseen
    counts = {"pending": len(tally.pending), "incomplete": len(tally.incomplete)}
    window.found = len(tally.found)
    corrections = Correction.objects.filter(window=window)
    window.added = corrections.filter(kind=Correction.Kind.ADDED).count()
    window.corrected = corrections.filter(kind=Correction.Kind.CORRECTED).count()
    if tally.pending:
        _settle(window, State.WAITING, now, counts)
    elif tally.incomplete:
        _settle(window, State.UNFILLED, now, {**counts, "reason": "incomplete"})
    else:
        _settle(window, State.RECONCILED, now, counts)


def _close_abandoned(company: str, now: datetime) -> None:
    """A PBX that was switched off or taken away will never be heard again: its window ends with that."""
    watched = [
        str(pk)
        for pk in Pbx.objects.filter(enabled=True, companies__schema_name=company).values_list(
            "pk", flat=True
        )
    ]
    for window in BlindWindow.objects.filter(ended__isnull=True).exclude(pbx__in=watched):
        window.ended = max(now, window.began)
        _settle(window, State.UNFILLED, now, {"reason": "gone"})


def _unfillable(pbx: str) -> str:
    row = Pbx.objects.filter(pk=int(pbx)).first() if pbx.isdecimal() else None
    if row is None or not row.managed:
        return "external"
    return "" if records.is_kept(pbx) else "no_records"


def _settle(
    window: BlindWindow, state: BlindWindow.State, now: datetime, details: Mapping[str, object]
) -> None:
    window.state, window.tried, window.details = state, now, dict(details)
    window.save()


def _known_then(pbx: str, begin: float, end: float) -> list[str]:
    """First channels of the stored calls that were under way in between (all of a call may lie outside of it)."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in (begin, end))
    known = Call.objects.filter(Q(ended__isnull=True) | Q(ended__gte=first), pbx=pbx, started__lte=last)
    return [key.partition(":")[2] for key in known.values_list("key", flat=True)]


# what the log tells


def _rebuild(window: BlindWindow, directory: Directory, batch: Sequence[cel.CelRow]) -> _Told:
    board = Switchboard(window.pbx, {directory.company: directory})
    for event in _events(window, batch):
        board.feed(event)
    board.finish()
    calls: dict[str, CallFact] = {}
    visits: dict[tuple[str, str, float], VisitFact] = {}
    for changes in board.drain():
        for fact in changes.facts:
            if isinstance(fact, CallFact):
                calls[fact.key] = fact
            elif isinstance(fact, VisitFact):
                visits[fact.uniqueid, fact.queue, fact.joined] = fact
    return _Told(calls, list(visits.values()), cel.families(batch))


def _events(window: BlindWindow, batch: Sequence[cel.CelRow]) -> Iterator[events.Event]:
    """The log's events among those of the portal's own that decide what a ring in vain means."""
    first, last = min(row.at for row in batch), max(row.at for row in batch)
    own: list[events.Event] = []
    if window.booted is not None and first < window.booted.timestamp() <= last + MARGIN:
        own += [
            events.PbxBooted(first, 1.0),
            events.PbxBooted(window.booted.timestamp(), window.booted.timestamp()),
        ]
    standing = StatusInterval.objects.filter(
        Q(ended__isnull=True) | Q(ended__gt=datetime.fromtimestamp(first, UTC)),
        started__lt=datetime.fromtimestamp(last, UTC),
    ).values_list("started", "manager__pbx_name", "status_id")
    own += [
        events.StatusDeclared(max(started.timestamp(), first), name, status)
        for started, name, status in standing
    ]
    own.sort(key=_at)
    yield from heapq.merge(own, cel.events(batch), key=_at)


def _at(event: events.Event) -> float:
    return event.at


# what is stored


def _put_right(
    window: BlindWindow, told: _Told, tally: _Tally, *, span: tuple[float, float], now: datetime
) -> None:
    stored = rows.stored_calls(window.pbx, told.families, told.calls)
    visits = rows.stored_visits(window.pbx, told.families, told.calls)
    facts: list[Fact] = []
    kinds: dict[str, tuple[Correction.Kind, dict[str, object]]] = {}
    lefts: list[float] = []
    for key, fact in told.calls.items():
        known = stored.get(key)
        if fact.merged_into is not None:
            if known is not None and not known.merged_into:
                facts.append(_settled(fact, known))
            continue
        if fact.ended is None:
            _unended(key, known, window, tally, now)
            continue
        tally.found.add(key)
        if known is not None and rows.heard_whole(known, span):
            continue
        own = [visit for visit in told.visits if visit.call == key]
        family = told.families.get(key.partition(":")[2], frozenset())
        theirs = [row for row in visits if row.uniqueid in family or row.call_key == key]
        aliases = [
            row
            for uid in family
            if (row := stored.get(f"{window.pbx}:{uid}")) is not None
            and row.key not in told.calls
            and not row.merged_into
        ]
        changes = rows.differences(known, fact, theirs, own) if known is not None else {}
        if known is not None and not changes and not aliases:
            continue
        settled, gone = rows.fit_visits(own, theirs)
        lefts += gone
        facts += [_settled(fact, known), *(rows.absorbed(row, by=key) for row in aliases), *settled]
        kinds[key] = (Correction.Kind.ADDED if known is None else Correction.Kind.CORRECTED, changes)
    if facts:
        ingest.store(window.pbx, facts)
        rows.tell_moments(window.pbx, lefts)
        _write_down(window, kinds)


def _settled(fact: CallFact, known: Call | None) -> CallFact:
    """As the last word: half a second later than whatever the collector said of the same end."""
    latest = max(fact.revision, fact.ended or 0.0, known.revision if known is not None else 0.0)
    return fact._replace(revision=latest + 0.5, reconciled=True)


def _unended(key: str, known: Call | None, window: BlindWindow, tally: _Tally, now: datetime) -> None:
    """Its end is not in the log: because it lasts, or because the log has a hole."""
    assert window.ended is not None
    lost = known is not None and known.ended is not None and (now - known.ended).total_seconds() > FOUND_ENDED
    (tally.incomplete if lost or now - window.ended > GIVE_UP else tally.pending).add(key)


def _write_down(window: BlindWindow, kinds: dict[str, tuple[Correction.Kind, dict[str, object]]]) -> None:
    ids = dict(Call.objects.filter(key__in=kinds).values_list("key", "pk"))
    for key, (kind, changes) in kinds.items():
        # A call added by this window stays one, however often it is looked at again.
        Correction.objects.get_or_create(
            window=window, call_id=ids[key], defaults={"kind": kind, "changes": changes}
        )

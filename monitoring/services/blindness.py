"""Windows in which a PBX was not heard become rows: one row for one window, however many collectors tell of it.

Inside ``company_scope`` and the transaction that stores the facts; ``ingest`` lets one writer of a PBX in at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Q

from monitoring.domain.facts import BlindFact
from monitoring.models.quality import BlindWindow, Correction
from monitoring.models.text import visible

State = BlindWindow.State


def keep(pbx: str, facts: Iterable[BlindFact]) -> None:
    """Take what collectors say of their blindness. Told twice, or by two of them, it is the same row."""
    for fact in facts:
        if fact.ended is None:
            _open(pbx, fact)
        else:
            _close(pbx, fact, fact.ended)


def _open(pbx: str, fact: BlindFact) -> None:
    began = _moment(fact.began)
    standing = BlindWindow.objects.filter(pbx=pbx, ended__isnull=True).first()
    if standing is not None:
        if began < standing.began:
            BlindWindow.objects.filter(pk=standing.pk).update(began=began)
    elif not BlindWindow.objects.filter(Q(ended__gt=began) | Q(began=began), pbx=pbx).exists():
        # A window that ended after this one began is the later word: this one has been told late.
        BlindWindow.objects.create(pbx=pbx, began=began, cause=visible(fact.cause, 20), state=State.OPEN)


def _close(pbx: str, fact: BlindFact, end: float) -> None:
    began, ended = _moment(fact.began), _moment(max(end, fact.began))
    touched = list(
        BlindWindow.objects.filter(
            Q(ended__isnull=True, began__lte=ended) | Q(ended__gt=began, began__lt=ended) | Q(began=began),
            pbx=pbx,
        ).order_by("began", "pk")
    )
    if not touched:
        touched = [BlindWindow(pbx=pbx, began=began, cause=visible(fact.cause, 20), state=State.OPEN)]
    window, *others = touched
    first = min(window.began, began)
    last = max(ended, *(row.ended for row in touched if row.ended is not None), ended)
    if (first, last) == (window.began, window.ended) and not others:
        return
    for other in others:
        known = Correction.objects.filter(window=window).values("call")
        Correction.objects.filter(window=other).exclude(call__in=known).update(window=window)
        other.delete()
    window.began, window.ended, window.state = first, last, State.WAITING
    window.skew = fact.skew
    window.booted = _moment(fact.booted) if fact.booted is not None else window.booted
    window.save()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

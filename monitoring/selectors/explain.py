"""How a figure was counted: the formula in words, every row counted in, every row left out with its reason.

Call it inside ``company_scope``. What is listed adds up to the figure; the test says so for every metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from monitoring.domain import periods
from monitoring.domain.counts import Subject, subject_of
from monitoring.domain.explanation import Entry, EntryKind, Explanation, LeftOut, Term
from monitoring.domain.intervals import day_bounds, local_day
from monitoring.domain.metric import Metric, Terms
from monitoring.domain.metrics import METRICS, status_metric
from monitoring.domain.periods import Slot
from monitoring.domain.statistics import Answer, BadQuestion, Question, Scope
from monitoring.models.people import Manager
from monitoring.models.queues import Queue
from monitoring.models.statuses import Status
from monitoring.selectors import explain_rows, quality, statistics
from monitoring.selectors.statistics_raw import Places

MOST_ENTRIES: Final = 200
_KINDS: Final[dict[Subject, EntryKind]] = {
    "visits": "visit", "calls": "call", "legs": "leg", "people": "person", "lost": "lost",
}  # fmt: skip

REASONS: Final = {
    "open": gettext_lazy("still going on: it counts when it ends"),
    "outside": gettext_lazy("outside the chosen hours, weekdays or stretch of time"),
    "interrupted": gettext_lazy("its end was not seen: the PBX stopped or was not heard"),
    "merged": gettext_lazy("part of another call, which is counted instead"),
    "internal": gettext_lazy("a call between colleagues"),
    "spying": gettext_lazy("listening in is no part of a call"),
    "short": gettext_lazy("a short abandon: the caller hung up at once"),
    "answered": gettext_lazy("answered visits do not enter this figure"),
    "abandoned": gettext_lazy("abandoned visits do not enter this figure"),
    "flow_out": gettext_lazy("visits that left for elsewhere do not enter this figure"),
    "in_told": gettext_lazy("answered incoming calls do not enter this figure"),
    "in_untold": gettext_lazy("unanswered incoming calls do not enter this figure"),
    "out_told": gettext_lazy("answered outgoing calls do not enter this figure"),
    "out_untold": gettext_lazy("unanswered outgoing calls do not enter this figure"),
    "handled_in": gettext_lazy("handled incoming conversations do not enter this figure"),
    "handled_out": gettext_lazy("handled outgoing conversations do not enter this figure"),
    "missed": gettext_lazy("missed calls do not enter this figure"),
    "missed_away": gettext_lazy("the phone rang although the status took no calls"),
    "cancelled": gettext_lazy("stopped ringing by itself: a colleague was quicker or the caller hung up"),
    "busy": gettext_lazy("the phone was busy or would not ring"),
    "unanswered": gettext_lazy("nobody answered the call that was placed"),
    "lost_open": gettext_lazy("still to call back: does not enter this figure"),
    "lost_called_back": gettext_lazy("called back: does not enter this figure"),
    "lost_answered_later": gettext_lazy("got through later: does not enter this figure"),
    "lost_closed": gettext_lazy("closed by a person with a reason"),
    "excused_short": gettext_lazy("no call back needed: hung up at once"),
    "excused_withheld": gettext_lazy("no call back possible: the number is withheld"),
    "excused_": gettext_lazy("no call back needed"),
    "time_break": gettext_lazy("time on break does not enter this figure"),
    "time_away": gettext_lazy("time away does not enter this figure"),
}
WORDS: Final = {
    "offered": gettext_lazy("visits to the queue"),
    "answered": gettext_lazy("answered visits"),
    "answered_within": gettext_lazy("answered within the queue's threshold"),
    "abandoned": gettext_lazy("abandoned visits"),
    "short_abandoned": gettext_lazy("short abandons"),
    "flow_out": gettext_lazy("left for elsewhere"),
    "wait_answered": gettext_lazy("waiting time of answered visits"),
    "wait_abandoned": gettext_lazy("waiting time of abandoned visits"),
    "calls_in": gettext_lazy("incoming calls"),
    "calls_in_answered": gettext_lazy("incoming calls a person answered"),
    "calls_in_lost": gettext_lazy("incoming calls nobody answered"),
    "calls_out": gettext_lazy("outgoing calls"),
    "calls_out_answered": gettext_lazy("outgoing calls the customer answered"),
    "calls_internal": gettext_lazy("calls between colleagues"),
    "rung": gettext_lazy("rings at a manager's phone"),
    "handled": gettext_lazy("handled conversations"),
    "handled_in": gettext_lazy("handled incoming conversations"),
    "handled_out": gettext_lazy("handled outgoing conversations"),
    "missed": gettext_lazy("missed while available"),
    "outgoing": gettext_lazy("outgoing calls managers placed"),
    "talk_in": gettext_lazy("talk in incoming calls"),
    "talk_out": gettext_lazy("talk in outgoing calls"),
    "hold": gettext_lazy("hold"),
    "wrap_up": gettext_lazy("wrap-up after conversations"),
    "available": gettext_lazy("time available"),
    "break": gettext_lazy("time on break"),
    "away": gettext_lazy("time away"),
    "logged_in": gettext_lazy("time in any status"),
    "busy": gettext_lazy("time in talk, hold and wrap-up"),
    "idle": gettext_lazy("time available without a conversation"),
    "unregistered": gettext_lazy("time available without a registered phone"),
    "missing_calls": gettext_lazy("time available without answering"),
    "wrap_up_time": gettext_lazy("time of wrap-up"),
    "lost_calls": gettext_lazy("lost callers"),
    "called_back": gettext_lazy("lost callers talked with since"),
    "called_back_in_time": gettext_lazy("of them before the deadline"),
    "lost_closed_by_person": gettext_lazy("closed by a person"),
    "lost_open": gettext_lazy("still to call back"),
}


def explain(
    question: Question,
    metric_key: str,
    *,
    at: float | None = None,
    key: str = "",
    reason: str = "",
    after: str | None = None,
    limit: int = 50,
    now: float | None = None,
) -> Explanation:
    """The figure ``metric_key`` of one cell of the question's answer: bucket ``at``, row ``key``.

    ``at`` None: all buckets together; ``key`` "": all rows together. ``reason`` "": the entries counted in, else those
    left out for it. ``after``: the last page's cursor. Raises BadQuestion.
    """
    metric = _metric(metric_key)
    whole = periods.slots(question)
    statistics.check_keys(question)
    pieces = [piece for piece in whole if at is None or piece.at == at]
    if not pieces and at is not None:
        raise BadQuestion("There is no such stretch of time in this period.")
    if not pieces:  # weekdays that the period does not have: everything is left out
        pieces = [Slot(periods.bounds(question)[0], periods.bounds(question)[0], None)]
    if not {question.scope.kind, question.split or "company"} <= metric.scopes:
        raise BadQuestion("This figure does not exist for what was asked about.")
    moment = timezone.now().timestamp() if now is None else now
    where, more = _conditions(question, key)
    counts = _counts(statistics.answer(question, now=moment), at, key)
    subject = subject_of(next(iter(metric.counts())))
    begin, end = periods.bounds(question) if at is None else (pieces[0].begin, pieces[-1].end)
    if subject == "people":
        pieces = list(_by_days(pieces, question.zone)) or pieces
    rows, params = explain_rows.rows(metric, subject, Places(pieces, moment), begin, end)
    listed = f"SELECT * FROM ({rows}) r WHERE {where}"  # noqa: S608 - constants; what was asked for is in the parameters
    sums = _sums(listed, {**params, **more})
    counted = sums.pop("", (0, 0.0, 0.0))
    entries, following = _page(listed, {**params, **more}, _KINDS[subject], reason, after, limit)
    return Explanation(
        question, metric, at, key, metric.value(counts), _terms(metric.numerator, counts),
        _terms(metric.denominator, counts), counted[0],
        tuple(
            LeftOut(name, words_of(name), number)
            for name, (number, _, _) in sorted(sums.items(), key=lambda item: -item[1][0])
        ),
        entries, following, counted[1], counted[2], quality.gaps(begin, end),
    )  # fmt: skip


def words_of(reason: str) -> str:
    """A reason in the reader's language."""
    return str(REASONS.get(reason, reason))


def _metric(key: str) -> Metric:
    if key.startswith("status:") and key[7:].isascii() and key[7:].isdigit() and len(key) < 17:
        status = Status.objects.filter(pk=int(key[7:])).first()
        if status is not None:
            return status_metric(status.pk, status.label)
    metric = METRICS.get(key)
    if metric is None or metric.live:
        raise BadQuestion("There is no such figure.")
    return metric


def _conditions(question: Question, key: str) -> tuple[str, dict[str, Any]]:
    """SQL and parameters: the question's rows, of them those of one row ``key`` of its split."""
    where, params = statistics.conditions(question, None)
    if key and question.split not in (None, "company"):
        cell = replace(question, scope=Scope(question.split or "company", key), groups=None)
        statistics.check_keys(cell)
        more, of_cell = statistics.conditions(cell, None)
        where += " AND " + more.replace("%(scope)s", "%(cell)s")
        params["cell"] = of_cell["scope"]
    return where, params


def _counts(answer: Answer, at: float | None, key: str) -> dict[str, float]:
    if at is None and not key:
        return answer.total
    found: dict[str, float] = {}
    for row in answer.rows:
        if (at is None or row.at == at) and (not key or row.key == key):
            for name, value in row.counts.items():
                found[name] = found.get(name, 0.0) + value
    return found


def _terms(terms: Terms, counts: dict[str, float]) -> tuple[Term, ...]:
    return tuple(Term(sign, key, _words(key), counts.get(key, 0.0)) for sign, key in terms)


def _words(key: str) -> str:
    if key.startswith("status:"):
        status = Status.objects.filter(pk=int(key[7:])).first()
        return gettext("time in status “%(label)s”") % {"label": status.label if status else key}
    return str(WORDS[key])


def _by_days(pieces: Sequence[Slot], zone: str) -> list[Slot]:
    found = []
    for piece in pieces:
        begin = piece.begin
        while begin < piece.end:
            end = min(piece.end, day_bounds(local_day(begin, zone), zone)[1])
            found.append(Slot(begin, end, begin))
            begin = end
    return found


def _sums(listed: str, params: dict[str, Any]) -> dict[str, tuple[int, float, float]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT reason, count(*), sum(top)::float8, sum(bottom)::float8 FROM ({listed}) s GROUP BY reason",  # noqa: S608 - constants
            params,
        )
        return {reason: (number, top, bottom) for reason, number, top, bottom in cursor.fetchall()}


def _page(
    listed: str, params: dict[str, Any], kind: EntryKind, reason: str, after: str | None, limit: int
) -> tuple[tuple[Entry, ...], str | None]:
    """Keyset paging by time and id: the order stays while rows arrive."""
    most = max(1, min(limit, MOST_ENTRIES))
    params = {**params, "reason": reason, "most": most + 1}
    later = "true"
    if after is not None:
        moment, _, last = after.partition(":")
        try:
            params |= {"after_at": datetime.fromtimestamp(int(moment) / 1e6, UTC), "after_id": int(last)}
        except (ValueError, OverflowError, OSError):
            raise BadQuestion("There is no such page.") from None
        later = "(at, id) > (%(after_at)s, %(after_id)s)"
    said = f"""
SELECT id, call_id, at, queue_id, manager_id, line, number, top, bottom, reason, seconds FROM ({listed}) e
 WHERE reason = %(reason)s AND {later} ORDER BY at, id LIMIT %(most)s
"""  # noqa: S608 - constants; what was asked for is in the parameters
    with connection.cursor() as cursor:
        cursor.execute(said, params)
        rows = cursor.fetchall()
    queues = dict(Queue.objects.filter(pk__in={row[3] for row in rows if row[3]}).values_list("pk", "title"))
    people = dict(
        Manager.objects.filter(pk__in={row[4] for row in rows if row[4]}).values_list("pk", "title")
    )
    entries = tuple(
        Entry(
            "listen" if kind == "leg" and row[0] < 0 else kind, abs(row[0]), row[2].timestamp(), row[1], row[6],
            queues.get(row[3], ""), people.get(row[4], ""), row[5], row[7], row[8], row[9], row[10],
        )
        for row in rows[:most]
    )  # fmt: skip
    if len(rows) <= most:
        return entries, None
    last = rows[most - 1]
    return entries, f"{_microseconds(last[2])}:{last[0]}"


def _microseconds(at: datetime) -> int:
    seconds = int(at.replace(microsecond=0).timestamp())
    return seconds * 1_000_000 + at.microsecond

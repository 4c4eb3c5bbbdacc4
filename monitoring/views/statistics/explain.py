"""How a figure was counted: formula in words, raw counts, the rows counted in, those left out with the reason."""

from __future__ import annotations

from typing import Any, get_args

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from monitoring.domain.explanation import Entry, Explanation, Term
from monitoring.domain.metric import Metric
from monitoring.domain.statistics import BadQuestion, Bucket, Scope, ScopeKind
from monitoring.models.phones import shown as shown_number
from monitoring.selectors.explain import explain as explained
from monitoring.selectors.norms import norms_for
from monitoring.selectors.reports import names, wording
from monitoring.selectors.reports.ask import Ask
from monitoring.selectors.reports.figures import norm_words, word_of
from monitoring.selectors.reports.report import hole
from monitoring.selectors.scopes import title_of
from monitoring.views.statistics.frame import about, asked, refused

PAGE, PART = 50, 12
SPLITS: tuple[str, ...] = ("group", "queue", "line", "manager")
_SECONDS = frozenset({
    "wait_answered", "wait_abandoned", "talk_in", "talk_out", "hold", "wrap_up", "available", "break", "away",
    "logged_in", "busy", "idle", "unregistered", "missing_calls", "wrap_up_time",
})  # fmt: skip


@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """``metric``; where its cell is: ``split`` and ``key``, ``cell`` (its bucket) and ``at``; ``reason`` and ``after``
    page through what was left out. Within a dialog a short list, on its own page all of it."""
    try:
        ask = asked(request)
        part = request.headers.get("HX-Request") == "true"
        found = _found(request, ask, limit=PART if part else PAGE)
    except BadQuestion as reason:
        return refused(request, reason)
    context = _context(request, ask, found) | {"part": part}
    template = "monitoring/statistics/explain_part.html" if part else "monitoring/statistics/explain.html"
    return render(request, template, context)


def _found(request: HttpRequest, ask: Ask, *, limit: int) -> Explanation:
    given = request.GET
    split, bucket = given.get("split", ""), given.get("cell", "") or "total"
    if (split and split not in SPLITS) or bucket not in get_args(Bucket):
        raise BadQuestion("There is no such figure.")
    where: ScopeKind | None = split or None  # type: ignore[assignment] # one of SPLITS
    key = given.get("key", "")
    if where is None or not key:
        key, where = "", None
    elif where != "line" and title_of(Scope(where, key), ask.groups) is None:
        # A line need not be set up to have had calls; what is not the asker's is cut from its figures anyway.
        raise Http404
    at = _moment(given.get("at", ""))
    question = ask.question(bucket=bucket if at is not None else "total", split=where)  # type: ignore[arg-type] # just checked
    return explained(
        question, given.get("metric", "")[:40], at=at, key=key, reason=given.get("reason", "")[:40],
        after=given.get("after") or None, limit=limit,
    )  # fmt: skip


def _moment(text: str) -> float | None:
    if not text:
        return None
    try:
        at = float(text)
    except ValueError:
        raise BadQuestion("There is no such stretch of time in this period.") from None
    if not 0 <= at < 1e11:
        raise BadQuestion("There is no such stretch of time in this period.")
    return at


def _context(request: HttpRequest, ask: Ask, found: Explanation) -> dict[str, Any]:
    metric = found.metric
    scope = Scope(found.question.split, found.key) if found.question.split and found.key else ask.scope
    limits = norms_for(scope).get(metric.key)
    grade = (
        limits.grade(found.value)
        if limits is not None and (found.key == "" or metric.unit != "count")
        else "none"
    )
    given = request.GET.copy()
    for name in ("reason", "after"):
        given.pop(name, None)
    base = given.urlencode()
    reason = request.GET.get("reason", "")[:40]
    following = request.GET.copy()
    if found.after is not None:
        following["after"] = found.after
    return {
        "metric_title": wording.title_of(metric),
        "meaning": wording.meaning_of(metric),
        "value": wording.shown(found.value, metric.unit),
        "grade": grade,
        "word": word_of(grade),
        "norm": norm_words(metric, limits),
        "about": names.heading(scope, title_of(scope, ask.groups) or "") or about(ask),
        "period_text": wording.period(ask.first, ask.last),
        "stretch": _stretch(found, ask),
        "numerator": [_term(term) for term in found.numerator],
        "denominator": [_term(term) for term in found.denominator],
        "no_value": found.value is None,
        "counted": wording.number(found.counted),
        "left_out": [
            (one.words, wording.number(one.entries), f"{base}&reason={one.reason}", one.reason == reason)
            for one in found.left_out
        ],
        "reason_words": next((one.words for one in found.left_out if one.reason == reason), ""),
        "base": base,
        "entries": [_entry(entry, metric, ask.zone) for entry in found.entries],
        "more": following.urlencode() if found.after is not None else "",
        "first": "after" not in request.GET,
        "holes": [hole(gap, ask.zone) for gap in found.gaps],
        "complete": found.complete,
        "report_query": ask.query(),
    }


def _stretch(found: Explanation, ask: Ask) -> str:
    """The bucket in words, "" for all of the period."""
    if found.at is None:
        return ""
    if found.question.bucket == "weekday_hour":
        day, hour = divmod(int(found.at), 24)
        return f"{wording.weekday(day + 1)} {hour}:00–{hour + 1}:00"
    return wording.bucket_label(found.at, found.question.bucket, ask.zone)


def _term(term: Term) -> dict[str, Any]:
    seconds = term.key in _SECONDS or term.key.startswith("status:")
    value = wording.duration(term.value) if seconds else wording.number(term.value)
    return {"minus": term.sign < 0, "words": term.words, "value": value}


def _entry(entry: Entry, metric: Metric, zone: str) -> dict[str, Any]:
    return {
        "when": wording.moment(entry.at, zone),
        "call": entry.call,
        "number": shown_number(entry.number) if entry.number else _("number withheld"),
        "person": entry.kind == "person",
        "queue": entry.queue,
        "manager": entry.manager,
        "line": entry.line,
        "adds": _adds(entry, metric),
    }


def _adds(entry: Entry, metric: Metric) -> str:
    """What the row adds to the figure."""
    if entry.reason:
        return ""
    if metric.unit == "seconds" or entry.kind == "person":
        return wording.duration(entry.top if entry.top else entry.seconds)
    return "+1" if entry.top > 0 else "−1" if entry.top < 0 else "0"

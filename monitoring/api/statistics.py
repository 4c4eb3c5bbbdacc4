"""/statistics and /metrics: any figure of the registry, for any scope and bucket, with the raw counts it is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from monitoring.api.answers import BadParameter, NotThere, Problem, day, epoch
from monitoring.domain.metrics import METRICS, Metric
from monitoring.domain.statistics import Answer, Bucket, Hours, Question, Scope, ScopeKind
from monitoring.selectors.audience import board_rights
from monitoring.selectors.norms import norms_for
from monitoring.selectors.scopes import title_of
from monitoring.selectors.statistics import answer
from tenants.asker import person, zone_of
from tenants.people.api_access import by
from tenants.people.models import Scope as TokenScope
from tenants.people.roles import Verb, demand

router = Router(auth=by(TokenScope.STATISTICS), tags=["statistics"])
PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem}
MOST_METRICS = 20
MOST_ROWS = 20_000
_KINDS: tuple[ScopeKind, ...] = ("company", "group", "queue", "line", "manager")
_HOURS = re.compile(r"([01]\d|2[0-4]):(00|30)-([01]\d|2[0-4]):(00|30)", re.ASCII)


class MetricOut(Schema):
    """``numerator``, ``denominator``: raw counts with their signs; ``scopes``: what it exists for in reports."""

    key: str
    title: str
    meaning: str
    unit: str
    direction: str
    numerator: list[str]
    denominator: list[str]
    scopes: list[str]


class LimitsOut(Schema):
    warning: float | None
    alarm: float | None


class RowOut(Schema):
    """``at``: the bucket's beginning; for weekday_hour (weekday - 1) · 24 + hour; null for the total."""

    at: str | int | None
    key: str
    values: dict[str, float | None]
    counts: dict[str, float]


class GapOut(Schema):
    begin: str
    end: str | None
    cause: str
    settled: bool


class StatisticsOut(Schema):
    """``gaps``: stretches within the period in which the PBX was not heard: figures there may be too small."""

    scope: str
    first: date
    last: date
    zone: str
    bucket: str
    split: str | None
    metrics: list[MetricOut]
    norms: dict[str, LimitsOut]
    rows: list[RowOut]
    total: RowOut
    gaps: list[GapOut]
    source: str


class Asked(Schema):
    """``metric``: keys of /metrics, by commas. ``scope``: company, group:1, queue:2, manager:3 or line:74951234567.

    ``weekdays``: 1-5 or 1,3,7 (Monday = 1); ``hours``: 09:00-18:00; both local. ``zone``: default the company's.
    """

    metric: str
    scope: str = "company"
    bucket: Bucket = "day"
    split: ScopeKind | None = None
    weekdays: str = ""
    hours: str = ""
    zone: str = ""


@router.get("/metrics", response={200: list[MetricOut], **PROBLEMS}, summary="Every metric and its formula")
def metrics(request: HttpRequest) -> list[MetricOut]:
    demand(request, Verb.SEE_STATISTICS)
    return [_metric(metric) for metric in METRICS.values() if not metric.live]


@router.get(
    "/statistics",
    response={200: StatisticsOut, **PROBLEMS},
    summary="Figures of a period",
    description="`from` and `to`: local days, both included. Rows by bucket and, with `split`, by its keys.",
    openapi_extra={
        "parameters": [
            {"in": "query", "name": name, "schema": {"type": "string", "format": "date"}, "required": True}
            for name in ("from", "to")
        ]
    },
)
def statistics(request: HttpRequest, asked: Query[Asked]) -> StatisticsOut:
    demand(request, Verb.SEE_STATISTICS)
    groups = board_rights(person(request))
    scope = _scope(asked.scope)
    if title_of(scope, groups) is None:
        raise NotThere
    chosen = _metrics(asked.metric, scope, asked.split)
    question = Question(
        scope=scope,
        first=day(request, "from"),
        last=day(request, "to"),
        zone=asked.zone or zone_of(request),
        bucket=asked.bucket,
        split=asked.split,
        hours=_hours(asked.weekdays, asked.hours),
        groups=groups,
    )
    return _out(asked.scope, chosen, answer(question), scope)


def _out(named: str, chosen: Sequence[Metric], found: Answer, scope: Scope) -> StatisticsOut:
    if len(found.rows) > MOST_ROWS:
        raise BadParameter("bucket", _("That is too many rows. Take longer buckets or a shorter period."))
    asked = found.question
    limits = norms_for(scope)
    slots = asked.bucket == "weekday_hour"

    def row(at: float | None, key: str, counts: Mapping[str, float]) -> RowOut:
        moment = None if at is None else int(at) if slots else epoch(at)
        needed = frozenset().union(*(metric.counts() for metric in chosen))
        return RowOut(
            at=moment,
            key=key,
            values={metric.key: metric.value(counts) for metric in chosen},
            counts={name: counts.get(name, 0) for name in sorted(needed)},
        )

    return StatisticsOut(
        scope=named,
        first=asked.first,
        last=asked.last,
        zone=asked.zone,
        bucket=asked.bucket,
        split=asked.split,
        metrics=[_metric(metric) for metric in chosen],
        norms={
            metric.key: LimitsOut(warning=limits[metric.key].warning, alarm=limits[metric.key].alarm)
            for metric in chosen
            if metric.key in limits
        },
        rows=[row(each.at, each.key, each.counts) for each in found.rows],
        total=row(None, "", found.total),
        gaps=[
            GapOut(
                begin=epoch(gap.begin),
                end=None if gap.end is None else epoch(gap.end),
                cause=gap.cause,
                settled=gap.settled,
            )
            for gap in found.gaps
        ],
        source=found.source,
    )


def _metric(metric: Metric) -> MetricOut:
    def said(terms: tuple[tuple[int, str], ...]) -> list[str]:
        return [key if sign > 0 else f"-{key}" for sign, key in terms]

    return MetricOut(
        key=metric.key,
        title=_(metric.title),
        meaning=_(metric.meaning),
        unit=metric.unit,
        direction=metric.direction,
        numerator=said(metric.numerator),
        denominator=said(metric.denominator),
        scopes=sorted(metric.scopes),
    )


def _scope(text: str) -> Scope:
    kind, _colon, key = text.partition(":")
    for known in _KINDS:
        if kind == known and bool(key) != (known == "company") and len(key) <= 80:
            return Scope(known, key)
    raise BadParameter("scope", _("Write company, group:1, queue:2, manager:3 or line:74951234567."))


def _metrics(text: str, scope: Scope, split: ScopeKind | None) -> list[Metric]:
    keys = [key.strip() for key in text.split(",") if key.strip()]
    if not 1 <= len(keys) <= MOST_METRICS:
        raise BadParameter("metric", _("Name 1 to %(most)d metrics.") % {"most": MOST_METRICS})
    chosen = []
    for key in dict.fromkeys(keys):
        metric = METRICS.get(key)
        if metric is None or metric.live:
            raise BadParameter(
                "metric", _("There is no metric %(key)s; /metrics names them all.") % {"key": key[:40]}
            )
        if not {scope.kind, split or scope.kind} <= metric.scopes:
            raise BadParameter(
                "metric",
                _("%(key)s is not counted for that; it exists for: %(scopes)s.")
                % {"key": key, "scopes": ", ".join(sorted(metric.scopes))},
            )
        chosen.append(metric)
    return chosen


def _hours(weekdays: str, hours: str) -> Hours:
    usual = Hours()
    days, begin, end = usual.weekdays, usual.begin, usual.end
    if weekdays:
        if not re.fullmatch(r"[1-7](?:-[1-7])?(?:,[1-7](?:-[1-7])?)*", weekdays, re.ASCII):
            raise BadParameter("weekdays", _("Write weekdays as 1-5 or 1,3,7; Monday is 1."))
        parts = [part.split("-") for part in weekdays.split(",")]
        days = frozenset(day for part in parts for day in range(int(part[0]), int(part[-1]) + 1))
    if hours:
        match = _HOURS.fullmatch(hours)
        if match is None:
            raise BadParameter("hours", _("Write hours as 09:00-18:00, at whole half-hours."))
        begin, end = (int(match[n]) * 60 + int(match[n + 1]) for n in (1, 3))
    return Hours(days, begin, end)

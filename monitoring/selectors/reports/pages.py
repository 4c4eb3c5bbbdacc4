"""The pages of the statistics, each as blocks: overview, queues, managers, lines, by hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext as _

from monitoring.domain.metric import Metric
from monitoring.domain.statistics import Row, Scope, ScopeKind
from monitoring.models.queues import Queue
from monitoring.selectors.reports import drawn
from monitoring.selectors.reports.ask import Ask, clock
from monitoring.selectors.reports.blocks import Bars, Histograms, Line, Table
from monitoring.selectors.reports.names import titles
from monitoring.selectors.reports.report import Report, Source, scope_query

_MANY = 6  # small histograms beside one another
OVERVIEW = (
    "calls_in", "service_level", "abandonment", "asa", "answer_rate", "call_back_share", "handled", "missed_share",
    "aht", "occupancy", "calls_out", "att",
)  # fmt: skip
QUEUE_FIGURES = (
    "offered",
    "answered",
    "service_level",
    "abandonment",
    "asa",
    "queue_wait",
    "flow_out_share",
    "aht",
)
MANAGER_FIGURES = (
    "handled", "missed_share", "aht", "att", "occupancy", "utilisation_present", "available_share", "hold",
)  # fmt: skip
LINE_FIGURES = ("calls_in", "answer_rate", "calls_in_lost", "service_level", "asa", "calls_out", "lost_open")
QUEUE_COLUMNS = (
    "offered", "answered", "lost", "short_abandoned", "flow_out", "service_level", "abandonment", "asa", "patience",
    "handled", "missed", "aht", "lost_open",
)  # fmt: skip
MANAGER_COLUMNS = (
    "handled_in", "handled_out", "missed", "missed_share", "talk_in", "talk_out", "hold", "wrap_up", "aht",
    "talk_total_in", "talk_total_out", "present_time", "break_time", "away_time", "occupancy", "utilisation_present",
    "unregistered_time", "missing_calls_time",
)  # fmt: skip
LINE_COLUMNS = (
    "calls_in", "calls_in_answered", "calls_in_lost", "answer_rate", "service_level", "abandonment", "asa",
    "calls_out", "calls_out_answered", "lost_open",
)  # fmt: skip
HOUR_COLUMNS = (
    "offered", "answered", "lost", "service_level", "abandonment", "asa", "handled", "handled_in", "missed", "aht",
)  # fmt: skip


def overview(ask: Ask, about: str) -> Report:
    source = Source(ask)
    mine = ask.scope.kind == "manager"
    busy, busy_title = ("handled", _("Conversations by weekday and hour")) if mine else (
        "offered", _("Visits to queues by weekday and hour"),
    )  # fmt: skip
    blocks = [
        drawn.by_bucket(source),
        drawn.heat(source, busy, busy_title),
        None if mine else drawn.heat(source, "abandoned", _("Abandoned by weekday and hour")),
        drawn.lost_callers(source),
        _statuses(source) if mine else None,
    ]
    return source.report("overview", _("Overview"), about, OVERVIEW, blocks)


def queues(ask: Ask, about: str) -> Report:
    source = Source(ask)
    rows = source.answer(split="queue").rows if ask.scope.kind != "manager" else ()
    named = titles("queue", [row.key for row in rows])
    within = dict(Queue.objects.filter(pk__in=[int(key) for key in named]).values_list("pk", "answer_within"))
    thresholds = set(within.values())
    parts = [drawn.waits(source.total, _("All queues"), thresholds.pop() if len(thresholds) == 1 else None)]
    if 1 < len(rows) <= _MANY:
        parts += [
            drawn.waits(row.counts, named[row.key], within.get(int(row.key)))
            for row in rows
            if row.key in named
        ]
    waits = tuple(part for part in parts if part is not None)
    blocks = [
        _table(source, _("Queues"), "queue", rows, named, QUEUE_COLUMNS, by="offered"),
        Histograms(_("How long callers waited"), waits, _("Ringing included, voice menu excluded."))
        if waits
        else None,
        drawn.by_bucket(source),
    ]
    return source.report("queues", _("Queues"), about, QUEUE_FIGURES, blocks)


def managers(ask: Ask, about: str) -> Report:
    source = Source(ask)
    rows = source.answer(split="manager").rows if ask.scope.kind != "line" else ()
    named = titles("manager", [row.key for row in rows])
    addresses = {key: scope_query(ask, "manager", key) for key in named}
    blocks = [
        _table(source, _("Managers"), "manager", rows, named, MANAGER_COLUMNS, by="handled_in"),
        drawn.statuses(source, rows, named, addresses),
    ]
    return source.report("managers", _("Managers"), about, MANAGER_FIGURES, blocks)


def lines(ask: Ask, about: str) -> Report:
    source = Source(ask)
    rows = source.answer(split="line").rows if ask.scope.kind != "manager" else ()
    named = titles("line", [row.key for row in rows])
    blocks = [
        _table(source, _("Lines"), "line", rows, named, LINE_COLUMNS, by="calls_in"),
        drawn.by_bucket(source),
        drawn.lost_callers(source),
    ]
    return source.report("lines", _("Lines"), about, LINE_FIGURES, blocks)


def hours(ask: Ask, about: str) -> Report:
    """All days of the period together, hour by hour."""
    source = Source(ask)
    by_hour: dict[int, dict[str, float]] = {}
    for row in source.answer("weekday_hour").rows:
        counts = by_hour.setdefault(int(row.at or 0) % drawn.HOURS, {})
        for key, value in row.counts.items():
            counts[key] = counts.get(key, 0.0) + value
    metrics = source.metrics(HOUR_COLUMNS)
    order = sorted(by_hour)
    norms = source.norms.of(ask.scope)
    table = Table(
        _("Hours of the day"), _("Hour"), source.columns(metrics),
        tuple(
            Line(
                f"{hour}:00–{hour + 1}:00",
                source.cells(
                    metrics, by_hour[hour], norms=norms, explain=_explained_hour(source, metrics, hour)
                ),
            )
            for hour in order
        ),
        Line(_("All hours"), source.cells(metrics, source.total, norms=norms, explain=_explained(source, metrics))),
    ) if order else None  # fmt: skip
    labels = [f"{hour}:00" for hour in order]
    sums = [by_hour[hour] for hour in order]
    drawing = drawn.calls_chart(source, _("Calls by hour"), labels, sums) if order else None
    mine = ask.scope.kind == "manager"
    heats = [
        drawn.heat(source, "handled" if mine else "offered", _("By weekday and hour")),
        None if mine else drawn.heat(source, "abandoned", _("Abandoned by weekday and hour")),
    ]
    figures = MANAGER_FIGURES if mine else QUEUE_FIGURES
    return source.report("hours", _("By hour"), about, figures, [drawing, table, *heats])


def _explained_hour(source: Source, metrics: Sequence[Metric], hour: int) -> Mapping[str, str]:
    """The same question narrowed to the hour; nights that run over midnight cannot be told by an hour."""
    allowed = source.ask.hours
    if allowed.end <= allowed.begin:
        return {}
    begin, end = max(allowed.begin, hour * 60), min(allowed.end, hour * 60 + 60)
    narrowed = f"hours={clock(begin)}-{clock(end)}".replace(":", "%3A")
    found = {}
    for metric in metrics:
        parts = [part for part in source.explain(metric.key).split("&") if not part.startswith("hours=")]
        found[metric.key] = "&".join([*parts, narrowed])
    return found


def _explained(source: Source, metrics: Sequence[Metric]) -> Mapping[str, str]:
    return {metric.key: source.explain(metric.key) for metric in metrics}


def _table(
    source: Source, title: str, split: ScopeKind, rows: Sequence[Row], named: Mapping[str, str],
    keys: Sequence[str], *, by: str,
) -> Table | None:  # fmt: skip
    metrics = source.metrics(keys, split)
    shown = [row for row in rows if row.key in named]
    if not metrics or not shown:
        return None
    shown.sort(key=lambda row: (-row.counts.get(by, 0), named[row.key]))
    table_rows = tuple(
        Line(
            named[row.key],
            source.cells(
                metrics, row.counts, norms=source.norms.of(Scope(split, row.key)),
                explain={m.key: source.explain(m.key, split=split, key=row.key) for m in metrics},
            ),
            "" if named[row.key] == row.key else scope_query(source.ask, split, row.key),  # a line set up no more
        )
        for row in shown
    )  # fmt: skip
    whole = source.norms.of(source.ask.scope)
    total = Line(
        _("Together"), source.cells(metrics, source.total, norms=whole, explain=_explained(source, metrics))
    )
    return Table(
        title, title, source.columns(metrics), table_rows, total if len(shown) > 1 else None, ordered=by
    )


def _statuses(source: Source) -> Bars | None:
    rows = source.answer(split="manager").rows
    return drawn.statuses(source, rows, titles("manager", [row.key for row in rows]), {})


PAGES: dict[str, Callable[[Ask, str], Report]] = {
    "overview": overview, "queues": queues, "managers": managers, "lines": lines, "hours": hours,
}  # fmt: skip

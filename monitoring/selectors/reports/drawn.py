"""The charts that several pages share: calls by bucket, weekday × hour, waits, fate of lost callers, statuses."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from monitoring.domain.counts import BARS, UPPERS
from monitoring.domain.metrics import METRICS
from monitoring.domain.statistics import Row
from monitoring.models.statuses import Status, StatusKind
from monitoring.selectors.reports.blocks import (
    Bar,
    Bars,
    Bin,
    Chart,
    Heat,
    HeatCell,
    Histogram,
    Series,
    Stack,
    chart,
)
from monitoring.selectors.reports.report import Counts, Source
from monitoring.selectors.reports.wording import (
    bucket_label,
    duration,
    number,
    percent,
    shown,
    title_of,
    weekday,
)

HOURS = 24


def by_bucket(source: Source) -> Chart | None:
    """Calls over the period: of queues with the service level as a line, of one person handled and missed."""
    rows = source.series()
    if len(rows) < 2:
        return None
    bucket, zone = source.ask.shown_bucket, source.ask.zone
    labels = [bucket_label(row.at or 0.0, bucket, zone) for row in rows]
    return calls_chart(source, _("Calls over the period"), labels, [row.counts for row in rows])


def calls_chart(source: Source, title: str, labels: Sequence[str], counts: Sequence[Counts]) -> Chart:
    if not source.exists(METRICS["offered"]):
        return chart(title, labels, [
            columns(_("Incoming, handled"), "calm", [c.get("handled_in", 0) for c in counts]),
            columns(_("Outgoing, handled"), "good", [c.get("handled_out", 0) for c in counts]),
            columns(_("Missed while available"), "lost", [c.get("missed", 0) for c in counts]),
        ])  # fmt: skip
    metric = METRICS["service_level"]
    limits = source.norms.limits(metric, source.ask.scope)
    levels = [metric.value(one) for one in counts]
    return chart(
        title, labels,
        [
            columns(_("Answered"), "calm", [c.get("answered", 0) for c in counts]),
            columns(_("Abandoned"), "lost", [c.get("abandoned", 0) for c in counts]),
            columns(_("Flow-out"), "away", [c.get("flow_out", 0) for c in counts]),
            Series(title_of(metric), "line", tuple(levels), tuple(shown(one, "share") for one in levels), line=True),
        ],
        norm=limits.warning if limits is not None else None,
    )  # fmt: skip


def columns(title: str, look: str, values: Sequence[float]) -> Series:
    return Series(title, look, tuple(values), tuple(number(value) for value in values))  # type: ignore[arg-type] # looks are written out above


def heat(source: Source, key: str, title: str) -> Heat | None:
    """``key``: a raw count; how much of it by weekday and hour, together over the period."""
    rows = {int(row.at or 0): row.counts.get(key, 0) for row in source.answer("weekday_hour").rows}
    most = max(rows.values(), default=0)
    if not most:
        return None
    used = [place % HOURS for place, value in rows.items() if value]
    hours = range(min(used), max(used) + 1)
    lines = []
    for day in range(7):
        cells = []
        for hour in hours:
            value = rows.get(day * HOURS + hour, 0)
            said = f"{weekday(day + 1)} {hour}:00–{hour + 1}:00: {number(value)}"
            place = source.explain(_FIGURE_OF[key], bucket="weekday_hour", at=day * HOURS + hour)
            cells.append(HeatCell(_level(value, most), said, place, number(value) if value else ""))
        lines.append((weekday(day + 1), tuple(cells)))
    legend = tuple((level, number(most * (level - 1) / 5 + 1)) for level in range(1, 6))
    return Heat(title, tuple(hours), tuple(lines), legend)


_FIGURE_OF = {
    "offered": "offered",
    "handled": "handled",
    "abandoned": "lost",
    "calls_in_lost": "calls_in_lost",
}


def _level(value: float, most: float) -> int:
    return 0 if value <= 0 else min(5, int(value / most * 5 - 1e-9) + 1)


def waits(counts: Counts, title: str, threshold: float | None) -> Histogram | None:
    """How long callers waited: answered and abandoned apart, by the bars that are kept."""
    answered = [int(counts.get(f"wait_answered:{bar}", 0)) for bar in BARS]
    lost = [int(counts.get(f"wait_abandoned:{bar}", 0)) for bar in BARS]
    most = max(a + b for a, b in zip(answered, lost, strict=True))
    if not most:
        return None
    labels = [*(f"≤ {_wait(upper)}" for upper in UPPERS), f"> {_wait(UPPERS[-1])}"]
    bins = tuple(
        Bin(
            label, str(upper) if upper < 10**9 else "∞", one, other,
            round(one / most * 100, 1), round(other / most * 100, 1),
            threshold is not None and upper <= threshold,
        )
        for label, one, other, upper in zip(labels, answered, lost, (*UPPERS, 10**9), strict=True)
    )  # fmt: skip
    within = sum(answered[place] for place, upper in enumerate(UPPERS) if upper <= (threshold or 0))
    note = ""
    if threshold is not None and threshold in UPPERS and any(answered):
        note = _("%(share)s of answered within %(seconds)s") % {
            "share": percent(within / sum(answered)), "seconds": _wait(int(threshold)),
        }  # fmt: skip
    return Histogram(title, bins, note)


def _wait(seconds: int) -> str:
    return _("%(seconds)d s") % {"seconds": seconds} if seconds < 60 else _("%(minutes)d min") % {
        "minutes": seconds // 60
    }  # fmt: skip


def lost_callers(source: Source) -> Bars | None:
    """What became of those who got nobody."""
    counts = source.total
    lost = counts.get("lost_calls", 0)
    if not lost or not source.exists(METRICS["lost_calls"]):
        return None
    in_time, later = counts.get("called_back_in_time", 0), counts.get("called_back", 0)
    closed, still = counts.get("lost_closed_by_person", 0), counts.get("lost_open", 0)
    parts = [
        ("good", _("called back in time"), in_time),
        ("warn", _("called back late"), max(0, later - in_time)),
        ("away", _("closed with a reason"), closed),
        ("alarm", _("still to call back"), still),
        ("none", _("no call back needed"), max(0, lost - later - closed - still)),
    ]
    stack = Stack(lost)
    for place, (_tone, words, value) in enumerate(parts):
        stack.put(value, place, f"{words}: {number(value)} ({percent(value / lost)})")
    bar = Bar(_("Lost callers"), "", tuple(stack.segments), number(lost))
    legend = tuple((tone, f"{words} · {number(value)}") for tone, words, value in parts)
    return Bars(_("Lost callers and what became of them"), legend, (bar,))


def statuses(
    source: Source, rows: Sequence[Row], titles: dict[str, str], addresses: dict[str, str]
) -> Bars | None:
    """Each person's time at work by status, longest first; absence is in the table beside it."""
    known = [one for one in Status.objects.all() if one.kind != StatusKind.AWAY]
    spent = {
        row.key: [(one, row.counts.get(f"status:{one.pk}", 0)) for one in known]
        for row in rows
        if row.key in titles
    }
    lasted = {status.pk for times in spent.values() for status, time in times if time}
    used = [one.pk for one in known if one.pk in lasted]
    if not used:
        return None
    bars = []
    for key, times in sorted(spent.items(), key=lambda item: -sum(time for _status, time in item[1])):
        stack = Stack(sum(time for _status, time in times))
        for status, time in times:
            if time:
                said = f"{status.label}: {duration(time)} ({percent(time / stack.total)})"
                stack.put(time, used.index(status.pk), said)
        if stack.total:
            bars.append(
                Bar(titles[key], addresses.get(key, ""), tuple(stack.segments), duration(stack.total))
            )
    legend = tuple((status.colour, status.label) for status in known if status.pk in used)
    return Bars(_("Time at work by status"), legend, tuple(bars), _("Absence left out."))

"""One figure as a report shows it: its value, how it stands against its norm and against the time before.

Colour is never the only sign: a grade has a word, a change has an arrow and says whether that is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from monitoring.domain.limits import Grade, Limits
from monitoring.domain.metric import Metric
from monitoring.selectors.reports.wording import NOTHING, meaning_of, shown, title_of

Counts = Mapping[str, float]
STEADY = 0.005  # a change below half a percent of the value is none


@dataclass(frozen=True, slots=True)
class Figure:
    """``grade``: against the norm; ``word``: the same in words, "" when there is no norm. ``trend``: better, worse,
    same, up or down (where neither is good), "" without comparison. ``explain``: query of "how was this counted"."""

    key: str
    title: str
    meaning: str
    value: float | None
    text: str
    grade: Grade
    word: str
    norm: str
    before: str
    change: str
    trend: str
    trend_word: str
    explain: str


def figure(
    metric: Metric, counts: Counts, *, limits: Limits | None, before: Counts | None, explain: str
) -> Figure:
    """``before``: the counts of the time before, None when not compared."""
    value = metric.value(counts)
    earlier = metric.value(before) if before is not None else None
    grade = limits.grade(value) if limits is not None else "none"
    change, trend = _change(metric, value, earlier) if before is not None else ("", "")
    return Figure(
        metric.key, title_of(metric), meaning_of(metric), value, shown(value, metric.unit), grade,
        word_of(grade), norm_words(metric, limits),
        shown(earlier, metric.unit) if before is not None else "", change, trend, _trend_word(trend), explain,
    )  # fmt: skip


def word_of(grade: Grade) -> str:
    words = {"good": _("within the norm"), "warn": _("worse than the norm"), "alarm": _("far from the norm")}
    return words.get(grade, "")


def norm_words(metric: Metric, limits: Limits | None) -> str:
    """The norm in words, "" when there is none."""
    if limits is None or limits.sign == 0 or (limits.warning is None and limits.alarm is None):
        return ""
    warning, alarm = shown(limits.warning, metric.unit), shown(limits.alarm, metric.unit)
    if limits.sign > 0:
        return _("Norm: below %(warning)s, alarm from %(alarm)s") % {"warning": warning, "alarm": alarm}
    return _("Norm: from %(warning)s, alarm below %(alarm)s") % {"warning": warning, "alarm": alarm}


def _change(metric: Metric, value: float | None, earlier: float | None) -> tuple[str, str]:
    if value is None or earlier is None:
        return NOTHING, ""
    difference = value - earlier
    same = shown(value, metric.unit) == shown(earlier, metric.unit)
    if same or abs(difference) <= STEADY * max(abs(value), abs(earlier)):
        return "±0", "same"
    sign = "+" if difference > 0 else "−"
    if metric.unit == "share":
        text = _("%(points)s pp") % {"points": f"{sign}{abs(difference) * 100:.1f}".replace(".", _comma())}
    elif metric.unit == "count" and earlier:
        text = f"{sign}{abs(difference) / abs(earlier) * 100:.0f}\N{NARROW NO-BREAK SPACE}%"
    else:
        text = f"{sign}{shown(abs(difference), metric.unit)}"
    if metric.direction == "neutral":
        return text, "up" if difference > 0 else "down"
    better = (difference < 0) == (metric.direction == "lower_is_better")
    return text, "better" if better else "worse"


def _comma() -> str:
    return shown(0.5, "ratio")[1]


def _trend_word(trend: str) -> str:
    words = {
        "better": _("better than before"), "worse": _("worse than before"), "same": _("as before"),
        "up": _("more than before"), "down": _("less than before"),
    }  # fmt: skip
    return words.get(trend, "")

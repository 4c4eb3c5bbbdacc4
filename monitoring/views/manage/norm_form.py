"""The form of all norms of one company, group, queue or profile: what is its own, what is inherited, from whom.

Shares are typed in per cent; everything else in the metric's own unit.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from monitoring.domain.limits import HOLD, Limits
from monitoring.domain.metrics import Metric
from monitoring.domain.statistics import Scope
from monitoring.models.norms import NormScope
from monitoring.selectors.norms import NormBook, graded
from monitoring.services.norms import Kept

PARTS = ("warning", "alarm", "margin", "hold")


class NormsForm(forms.Form):
    """Two optional limits a metric and how it is over again; the alarm may not be milder than the warning."""

    def __init__(
        self, *args: Any, book: NormBook, scope: NormScope = NormScope.COMPANY, number: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.own = book.own(scope, number)
        self.standing = standing(book, scope, number)
        for metric in graded():
            for part, shown in zip(PARTS, self._initial(metric), strict=True):
                most = 100 if metric.unit == "share" and part != "hold" else 1_000_000
                self.fields[f"{part}_{metric.key}"] = forms.FloatField(
                    required=False,
                    min_value=0,
                    max_value=86_400 if part == "hold" else most,
                    initial=shown,
                    widget=forms.NumberInput(attrs={"class": "form-control", "step": "any"}),
                )

    def _initial(self, metric: Metric) -> tuple[float | None, ...]:
        limits = self.standing.get(metric.key)
        if limits is None:
            return None, None, None, int(HOLD)
        values = (limits.warning, limits.alarm, limits.margin)
        return *(shown(metric, value) for value in values), int(limits.hold)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for metric in graded():
            warning, alarm = data.get(f"warning_{metric.key}"), data.get(f"alarm_{metric.key}")
            milder = alarm is not None and warning is not None and (
                alarm < warning if metric.direction == "lower_is_better" else alarm > warning
            )  # fmt: skip
            if milder:
                self.add_error(f"alarm_{metric.key}", _("The alarm must come after the warning."))
        return data

    def limits(self) -> dict[str, Kept | None]:
        """Only what differs from what was shown, in the metrics' own units."""
        changed = set(self.changed_data)
        return {
            metric.key: self._kept(metric)
            for metric in graded()
            if changed & {f"{part}_{metric.key}" for part in PARTS}
        }

    def _kept(self, metric: Metric) -> Kept:
        typed = {part: self.cleaned_data[f"{part}_{metric.key}"] for part in PARTS}
        if metric.unit == "share":
            typed |= {
                part: typed[part] / 100 for part in ("warning", "alarm", "margin") if typed[part] is not None
            }
        hold = HOLD if typed["hold"] is None else typed["hold"]
        return Kept(typed["warning"], typed["alarm"], typed["margin"], hold)


def standing(book: NormBook, scope: NormScope, number: int) -> dict[str, Limits]:
    if scope == NormScope.PROFILE:
        return book.of(Scope(), profile=number)
    if scope == NormScope.COMPANY:
        return book.of(Scope())
    return book.of(Scope("group" if scope == NormScope.GROUP else "queue", str(number)))


def row(form: NormsForm, metric: Metric, titles: dict[tuple[str, str], str]) -> dict[str, Any]:
    """What the table shows of one metric."""
    limits = form.standing.get(metric.key)
    usual = (metric.norm.warn, metric.norm.alarm) if metric.norm else ()
    return {
        "key": metric.key,
        "title": pgettext("metric", metric.title),
        "meaning": pgettext("metric", metric.meaning),
        "grows": metric.direction == "lower_is_better",
        "unit": {"seconds": _("seconds"), "share": "%"}.get(metric.unit, ""),
        "own": metric.key in form.own,
        "source": titles.get((limits.source.kind, limits.source.key), "") if limits else "",
        **{part: form[f"{part}_{metric.key}"] for part in PARTS},
        "usual": " / ".join(f"{value:g}" for limit in usual if (value := shown(metric, limit)) is not None),
        "common": metric.norm is not None or metric.key in form.own,
    }


def shown(metric: Metric, limit: float | None) -> float | None:
    """As it is typed: shares in per cent, whole numbers without a point."""
    if limit is None:
        return None
    value = round(limit * 100, 2) if metric.unit == "share" else limit
    return int(value) if value == int(value) else value

"""One page for all norms: each figure of the registry that has one, its two limits, and the usual ones
beside them.

Shares are typed in per cent; everything else in the metric's own unit.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from monitoring.domain.metrics import METRICS, Metric
from monitoring.models.norms import Norm
from monitoring.services import norms as service
from monitoring.views.manage.sections import SECTIONS
from tenants.people.models import User
from tenants.people.roles import Verb, demand

EDITABLE = [metric for metric in METRICS.values() if metric.norm is not None]


class NormsForm(forms.Form):
    """Two optional numbers a metric; the alarm may not be milder than the warning."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {norm.metric: norm for norm in Norm.objects.filter(scope="company")}
        for metric in EDITABLE:
            assert metric.norm is not None, "EDITABLE holds metrics with norms"
            kept = own.get(metric.key)
            limits = (kept.warning, kept.alarm) if kept else (metric.norm.warn, metric.norm.alarm)
            for name, limit in zip(("warning", "alarm"), limits, strict=True):
                self.fields[f"{name}_{metric.key}"] = forms.FloatField(
                    required=False,
                    min_value=0,
                    max_value=100 if metric.unit == "share" else 1_000_000,
                    initial=_shown(metric, limit),
                    widget=forms.NumberInput(attrs={"class": "form-control", "step": "any"}),
                )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for metric in EDITABLE:
            warning, alarm = data.get(f"warning_{metric.key}"), data.get(f"alarm_{metric.key}")
            milder = alarm is not None and warning is not None and (
                alarm < warning if metric.direction == "lower_is_better" else alarm > warning
            )  # fmt: skip
            if milder:
                self.add_error(f"alarm_{metric.key}", _("The alarm must come after the warning."))
        return data

    def limits(self) -> dict[str, service.Limits]:
        """Only what differs from what was shown, in the metrics' own units."""
        return {
            metric.key: (self._limit("warning", metric), self._limit("alarm", metric))
            for metric in EDITABLE
            if {f"warning_{metric.key}", f"alarm_{metric.key}"} & set(self.changed_data)
        }

    def _limit(self, name: str, metric: Metric) -> float | None:
        typed: float | None = self.cleaned_data[f"{name}_{metric.key}"]
        return typed / 100 if typed is not None and metric.unit == "share" else typed


@require_http_methods(["GET", "HEAD", "POST"])
def norms(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.EDIT_NORMS)
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    form = NormsForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        service.save(actor=request.user, norms=form.limits())
        messages.success(request, _("Saved. Open panels take the norms over when they are reloaded."))
        return redirect("monitoring:manage_norms")
    context = {
        "form": form,
        "metrics": [_row(form, metric) for metric in EDITABLE],
        "sections": SECTIONS.values(),
        "section": {"slug": "norms"},
    }
    return render(request, "monitoring/manage/norms.html", context, status=422 if form.errors else 200)


def _row(form: NormsForm, metric: Metric) -> dict[str, Any]:
    assert metric.norm is not None, "EDITABLE holds metrics with norms"
    usual = (_shown(metric, metric.norm.warn), _shown(metric, metric.norm.alarm))
    return {
        "title": pgettext("metric", metric.title),
        "meaning": pgettext("metric", metric.meaning),
        "grows": metric.direction == "lower_is_better",
        "unit": {"seconds": _("seconds"), "share": "%"}.get(metric.unit, ""),
        "warning": form[f"warning_{metric.key}"],
        "alarm": form[f"alarm_{metric.key}"],
        "usual": " / ".join(f"{limit:g}" for limit in usual if limit is not None),
    }


def _shown(metric: Metric, limit: float | None) -> float | None:
    if limit is None:
        return None
    shown = round(limit * 100, 2) if metric.unit == "share" else limit
    return int(shown) if shown == int(shown) else shown

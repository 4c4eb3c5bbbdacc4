"""Alerts: the bell every page has, the list of what is wrong and what was, seen and taken, and one's own letters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from monitoring.domain.metrics import METRICS
from monitoring.models.alerts import Alert, AlertRule
from monitoring.selectors import alerts as selector
from monitoring.services import alerts as service
from monitoring.services.errors import ServiceError
from tenants.people.models import User
from tenants.people.roles import Verb, demand

PAGE = 30
WIDTH, HEIGHT = 120, 28


class RuleForm(forms.ModelForm[AlertRule]):
    """About what one gets letters, and between which of the company's hours none."""

    class Meta:
        model = AlertRule
        fields = ("letters", "quiet_from", "quiet_until")
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if (data.get("quiet_from") is None) != (data.get("quiet_until") is None):
            self.add_error("quiet_until", gettext_lazy("Say both when the quiet begins and when it ends."))
        return data


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What is wrong now, then what was."""
    return _page(request, _person(request), None)


@require_POST
def rule(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    form = RuleForm(request.POST, instance=selector.rule_of(person))
    if not form.is_valid():
        return _page(request, person, form)
    service.set_rule(actor=person, rule=form.save(commit=False))
    messages.success(request, _("Saved."))
    return redirect("monitoring:alerts")


@never_cache
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The number on the bell, asked for every quarter of a minute."""
    count, alarm = selector.unseen(_person(request))
    return render(request, "monitoring/profiles/bell.html", {"count": count, "alarm": alarm})


@require_POST
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(request)
    service.mark_seen(actor=person, alert=_alert(person, pk))
    return _row(request, person, pk, "")


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    person, error = _person(request), ""
    try:
        service.take(actor=person, alert=_alert(person, pk))
    except ServiceError as refusal:
        error = str(refusal.message)
    return _row(request, person, pk, error)


def _page(request: HttpRequest, person: User, form: RuleForm | None) -> HttpResponse:
    found = selector.seen_by(person)
    page = Paginator(found.filter(ended__isnull=False), PAGE).get_page(request.GET.get("page"))
    context = {
        "open": [shown(alert, person) for alert in found.filter(ended__isnull=True)],
        "past": [shown(alert, person) for alert in page.object_list],
        "page": page,
        "watching": selector.watching(),
        "form": form or RuleForm(instance=selector.rule_of(person)),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "monitoring/profiles/alerts.html", context, status=status)


def _row(request: HttpRequest, person: User, pk: int, error: str) -> HttpResponse:
    if request.headers.get("HX-Request") != "true":
        if error:
            messages.error(request, error)
        return redirect("monitoring:alerts")
    context = {"alert": shown(_alert(person, pk), person), "error": error}
    answer = render(request, "monitoring/profiles/alert_row.html", context)
    answer["HX-Trigger"] = "alerts"
    return answer


def shown(alert: Alert, person: User) -> dict[str, Any]:
    metric = METRICS.get(alert.metric)
    unit = metric.unit if metric else "count"
    return {
        "row": alert,
        "title": pgettext("metric", metric.title) if metric else alert.metric,
        "value": selector.figure(unit, alert.value),
        "worst": selector.figure(unit, alert.worst),
        "limit": selector.figure(unit, alert.limit),
        "tone": alert.level if alert.ended is None else alert.worst_level,
        "mine": alert.owner_id == person.pk,
        "picture": picture(alert),
        "lasted": selector.figure("seconds", ((alert.ended or alert.began) - alert.began).total_seconds()),
    }


def picture(alert: Alert) -> dict[str, Any] | None:
    """The value over time as points of a small line, and the height of its limit; None when there is no line."""
    points = [(at, value) for at, value in alert.points if value is not None]
    if len(points) < 2:
        return None
    begin, end = points[0][0], points[-1][0]
    levels = [value for _at, value in points] + ([alert.limit] if alert.limit is not None else [])
    low, high = min(levels), max(levels)
    span, height = (end - begin) or 1, (high - low) or 1

    def y(value: float) -> float:
        return float(round(HEIGHT - 2 - (value - low) / height * (HEIGHT - 4), 1))

    line = " ".join(f"{(at - begin) / span * WIDTH:.1f},{y(value)}" for at, value in points)
    return {"line": line, "limit": None if alert.limit is None else f"{y(alert.limit)}"}


def _alert(person: User, pk: int) -> Alert:
    found: Alert | None = selector.seen_by(person).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _person(request: HttpRequest) -> User:
    demand(request, Verb.SEE_ALERTS)
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user

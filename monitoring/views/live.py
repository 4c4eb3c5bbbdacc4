"""The live panel's page: a frame, its texts, metrics and norms. The state itself comes over the socket only,
so this page shows nobody's data and asks the database for nothing but the norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext
from django.views.decorators.http import require_safe

from monitoring.domain.metrics import METRICS, Metric
from monitoring.models.norms import Norm
from monitoring.views.live_texts import catalogue
from tenants.lookup import CompanyRecord
from tenants.people.roles import Verb, requires

SOCKET_PATH = "/ws/board/"
STRIP = (
    "waiting",
    "longest_wait",
    "talking",
    "free",
    "on_break",
    "away",
    "unregistered",
    "offered",
    "answered",
    "lost",
    "service_level",
)


@require_safe
@requires(Verb.SEE_BOARD)
def live(request: HttpRequest) -> HttpResponse:
    company: CompanyRecord = request.company  # type: ignore[attr-defined]  # HostMiddleware puts it there
    norms = {norm.metric: norm for norm in Norm.objects.filter(scope="company")}
    return render(request, "monitoring/live.html", {"config": page_config(company.time_zone, norms)})


def page_config(time_zone: str, norms: Mapping[str, Norm]) -> dict[str, Any]:
    """Everything the panel's script knows before the socket opens, in the language in force."""
    return {
        "language": get_language() or "ru",
        "timeZone": time_zone,
        "socket": SOCKET_PATH,
        "signIn": reverse("account_login"),
        "strip": STRIP,
        "metrics": [_metric(METRICS[key], norms.get(key)) for key in STRIP],
        "texts": catalogue(),
    }


def _metric(metric: Metric, own: Norm | None) -> dict[str, Any]:
    """The registry's entry for the page; the company's own limits stand in for the default norm."""
    norm = None
    if own is not None:
        norm = {"warn": own.warning, "alarm": own.alarm}
    elif metric.norm is not None:
        norm = {"warn": metric.norm.warn, "alarm": metric.norm.alarm}
    return {
        "key": metric.key,
        "unit": metric.unit,
        "direction": metric.direction,
        "title": pgettext("metric", metric.title),
        "meaning": gettext(metric.meaning),
        "variant": gettext("of answered and abandoned") if metric.key == "service_level" else "",
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "norm": norm,
    }

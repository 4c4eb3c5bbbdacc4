"""What every statistics page has around it: the filter read from its address, the tabs, and what may be chosen.

A filter that makes no sense is answered by 400 in words, somebody else's scope by 404; nothing is computed then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.statistics import BadQuestion
from monitoring.selectors import board_rights
from monitoring.selectors.reports import names, wording
from monitoring.selectors.reports.ask import PERIODS, Ask, clock, read
from monitoring.selectors.scopes import title_of
from tenants.asker import person, zone_of
from tenants.people.roles import Verb, demand

LONGEST_ADDRESS = 2_000
ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk",
    "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka", "Asia/Almaty",
    "Asia/Tashkent", "Asia/Dubai", "Europe/Berlin", "Europe/London", "UTC",
)  # fmt: skip


def asked(request: HttpRequest) -> Ask:
    """What the address asks, cut to what the person may see. Raises Refused, BadQuestion, Http404."""
    demand(request, Verb.SEE_STATISTICS)
    if len(request.META.get("QUERY_STRING", "")) > LONGEST_ADDRESS:
        raise BadQuestion("This address is too long.")
    zone, groups = zone_of(request), board_rights(person(request))
    ask = read(parameters(request), zone=zone, today=today_in(zone), groups=groups)
    if title_of(ask.scope, groups) is None:
        raise Http404
    return ask


def today_in(zone: str) -> Any:
    return datetime.fromtimestamp(timezone.now().timestamp(), ZoneInfo(zone)).date()


def parameters(request: HttpRequest) -> Mapping[str, str]:
    given = {name: str(value) for name, value in request.GET.items()}
    if days := request.GET.getlist("day"):
        given["days"] = "".join(days)
    return given


def about(ask: Ask) -> str:
    return names.heading(ask.scope, title_of(ask.scope, ask.groups) or "")


def frame(ask: Ask, page: str) -> dict[str, Any]:
    """The tabs and the filter bar."""
    query = ask.query()
    zones = sorted({*ZONES, ask.zone, ask.own_zone} & available_timezones())
    return {
        "ask": ask,
        "query": query,
        "page": page,
        "tabs": [(key, title, f"{address}?{query}") for key, title, address in tabs()],
        "presets": [
            (key, _preset_title(key), f"?{_with_period(ask, key)}", key == ask.period) for key in PERIODS
        ],
        "scope_key": f"{ask.scope.kind}:{ask.scope.key}" if ask.scope.kind != "company" else "",
        "scopes": names.choices(ask.groups),
        "buckets": [(key, title, key == (ask.bucket or "")) for key, title in _buckets()],
        "weekdays": [(iso, wording.weekday(iso), iso in ask.hours.weekdays) for iso in range(1, 8)],
        "begins": [(clock(m), m == ask.hours.begin) for m in range(0, 1440, 30)],
        "ends": [(clock(m), m == ask.hours.end) for m in range(30, 1441, 30)],
        "zones": [(zone, zone == ask.zone) for zone in zones],
        "narrowed": bool(set(ask.parameters()) & {"bucket", "days", "hours", "zone", "compare"}),
        "period_text": wording.period(ask.first, ask.last),
    }


def tabs() -> list[tuple[str, str, str]]:
    """(page, title, address)."""
    return [
        ("overview", _("Overview"), reverse("monitoring:statistics")),
        ("queues", _("Queues"), reverse("monitoring:statistics_page", args=["queues"])),
        ("managers", _("Managers"), reverse("monitoring:statistics_page", args=["managers"])),
        ("lines", _("Lines"), reverse("monitoring:statistics_page", args=["lines"])),
        ("hours", _("By hour"), reverse("monitoring:statistics_page", args=["hours"])),
        ("deviations", _("Deviations"), reverse("monitoring:deviations")),
    ]


def refused(request: HttpRequest, reason: BadQuestion) -> HttpResponse:
    """400 in words, with a way back."""
    context = {"reason": _(str(reason)), "back": reverse("monitoring:statistics")}
    part = request.headers.get("HX-Request") == "true"
    template = "monitoring/statistics/bad_part.html" if part else "monitoring/statistics/bad.html"
    # htmx throws away what is no 200; in a dialog the word must be seen.
    return render(request, template, context, status=200 if part else 400)


def _with_period(ask: Ask, key: str) -> str:
    return ask.query(**{"period": key, "from": "", "to": ""})


def _preset_title(key: str) -> str:
    return {
        "today": _("Today"), "yesterday": _("Yesterday"), "week": _("This week"), "last_week": _("Last week"),
        "month": _("This month"), "last_month": _("Last month"), "days7": _("7 days"), "days30": _("30 days"),
        "days90": _("90 days"),
    }[key]  # fmt: skip


def _buckets() -> list[tuple[str, str]]:
    return [
        ("", _("as fits")), ("quarter", _("quarter-hours")), ("half_hour", _("half-hours")), ("hour", _("hours")),
        ("day", _("days")), ("week", _("weeks")), ("month", _("months")),
    ]  # fmt: skip

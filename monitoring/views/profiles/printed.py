"""A monitoring profile on paper: its figures, queues and people as they stand at this moment, without a script."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.bus import BusAway
from monitoring.domain.audience import EntityKey, board_for
from monitoring.domain.limits import Limits
from monitoring.domain.metrics import METRICS, Metric
from monitoring.domain.statistics import Scope
from monitoring.domain.watching import Sight, counts, live_metrics
from monitoring.selectors.alerts import figure
from monitoring.selectors.audience import board_rights
from monitoring.selectors.norms import norm_book
from monitoring.selectors.profiles import choices_for, openable, seen_by
from monitoring.services.board import board_now
from monitoring.views.live import STRIP
from tenants.asker import company_of
from tenants.people.models import User
from tenants.people.roles import Verb, demand

Entities = dict[EntityKey, dict[str, Any]]


@never_cache
@require_safe
def printed(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.SEE_PROFILE)
    user = request.user
    if not isinstance(user, User):
        raise Http404  # nobody comes here without having signed in
    profile = openable(user).filter(pk=pk).first()
    if profile is None:
        raise Http404
    company = company_of(request)
    now = time.time()
    context: dict[str, Any] = {
        "profile": profile,
        "at": datetime.fromtimestamp(now, ZoneInfo(company.time_zone)),
        "away": False,
    }
    try:
        context |= _figures(user, profile, now)
    except BusAway:
        context["away"] = True
    return render(request, "monitoring/profiles/print.html", context)


def _figures(user: User, profile: Any, now: float) -> dict[str, Any]:
    whole, cause = board_now()
    board = board_for(board_rights(user), now, whole)
    entities: Entities = {
        (kind, key): dict(row) for kind, rows in board.items() if kind != "at" for key, row in rows.items()
    }
    sight, book = seen_by(profile, user).sight, norm_book()
    known = {metric.key for metric in live_metrics()}
    limits = book.of(Scope(), profile=profile.pk)
    raw = counts(entities, sight, now)
    columns = [METRICS[key] for key in profile.columns if key in known]
    numbers = dict(choices_for(user).queues.values_list("pbx_name", "pk"))
    queues = [row for (kind, _key), row in entities.items() if kind == "queue" and sight.queue(row)]

    def cells(key: str) -> list[dict[str, Any]]:
        own = book.of(Scope("queue", str(numbers.get(key, ""))), profile=profile.pk)
        inside = _of_queue(entities, sight, key, now)
        return [cell(metric, inside, own.get(metric.key)) for metric in columns]

    return {
        "blind": bool(cause),
        "tiles": [cell(METRICS[key], raw, limits.get(key)) for key in profile.tiles or STRIP if key in known],
        "columns": [pgettext("metric", metric.title) for metric in columns],
        "queues": [
            {"title": row["title"], "cells": cells(row["key"])}
            for row in sorted(queues, key=lambda row: str(row["title"]))
        ],
        "people": _people(entities, sight),
    }


def _of_queue(entities: Entities, sight: Sight, key: str, now: float) -> dict[str, float]:
    """Counts of one queue of those in sight."""
    inside = {
        place: row
        for place, row in entities.items()
        if place[0] not in ("manager", "queue")
        or (place[0] == "manager" and key in row["queues"])
        or place == ("queue", key)
    }
    return counts(inside, Sight(sight.groups, frozenset({key}), sight.lines, sight.managers), now)


def cell(metric: Metric, raw: dict[str, float], limits: Limits | None) -> dict[str, Any]:
    value = metric.value(raw)
    if metric.key == "longest_wait" and not raw["now.waiting"]:
        value = None
    return {
        "title": pgettext("metric", metric.title),
        "text": figure(metric.unit, value),
        "grade": limits.grade(value) if limits else "none",
    }


def _people(entities: Entities, sight: Sight) -> list[dict[str, str]]:
    activities = {
        "talking": _("Talks"), "held": _("Holds a call"), "ringing": _("Phone rings"),
        "unavailable": _("Phone not registered"),
    }  # fmt: skip
    found = []
    for (kind, _key), row in entities.items():
        if kind == "manager" and sight.manager(row):
            status = entities.get(("status", str(row["status"])), {})
            doing = activities.get(row["activity"], "")
            found.append(
                {
                    "title": row["title"],
                    "extension": row["extension"],
                    "status": status.get("label", "") or "—",
                    "doing": doing,
                }
            )
    return sorted(found, key=lambda person: person["title"])

"""The live panel's page: a frame, its texts, figures and norms; whole, as a monitoring profile, or as a wall.

The state itself comes over the socket only. A profile tells the page what to leave out of what its opener may see.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext
from django.views.decorators.http import require_safe

from monitoring.domain.limits import Limits
from monitoring.domain.metrics import METRICS, Metric
from monitoring.domain.statistics import Scope
from monitoring.domain.watching import Sight, live_metrics
from monitoring.models.profiles import Profile
from monitoring.selectors.audience import board_rights
from monitoring.selectors.norms import NormBook, norm_book
from monitoring.selectors.profiles import choices_for, openable, seen_by
from monitoring.views.live_texts import catalogue
from tenants.asker import company_of
from tenants.lookup import CompanyRecord
from tenants.people.models import User
from tenants.people.roles import Verb, can, demand

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
# The caller's own clock is judged by it, whether or not it is among the figures.
ALWAYS = "longest_wait"
Norms = dict[str, dict[str, float | None] | None]


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows besides the board. ``addresses`` and ``profile`` are told to the script as they are."""

    tiles: Collection[str] = STRIP
    columns: Collection[str] = ()
    profile: Mapping[str, Any] | None = None
    addresses: Mapping[str, Any] = field(default_factory=dict)
    queue_norms: Mapping[str, Norms] = field(default_factory=dict)
    wall: bool = False


@require_safe
def live(request: HttpRequest, pk: int | None = None, *, wall: bool = False) -> HttpResponse:
    """``pk``: as this monitoring profile; 404 unless the person may open it, a word and its page when it is off."""
    demand(request, Verb.SEE_BOARD)
    user, company = request.user, company_of(request)
    if not isinstance(user, User):
        raise Http404  # nobody comes here without having signed in
    asked = request.GET.get("profile", "")
    if pk is None and asked:
        profile = _profile(user, int(asked) if asked.isdecimal() and len(asked) < 16 else 0)
        return redirect("monitoring:profile_live", pk=profile.pk)
    profile = None if pk is None else _profile(user, pk)
    if profile is not None and not profile.is_on:
        messages.warning(request, gettext("This profile is off. Switch it on to open it."))
        return redirect("monitoring:profiles")
    record: CompanyRecord = company
    return render(request, "monitoring/live.html", _context(user, record, profile, wall=wall))


def _profile(user: User, pk: int) -> Any:
    """Raises Http404 also for a profile that is there, but not for this person."""
    found = openable(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _context(user: User, company: CompanyRecord, profile: Profile | None, *, wall: bool) -> dict[str, Any]:
    book, rights = norm_book(), board_rights(user)
    own_group = next(iter(rights)) if rights is not None and len(rights) == 1 else None
    scope = Scope() if own_group is None else Scope("group", str(own_group))
    number = None if profile is None else profile.pk
    limits = book.of(scope, profile=number)
    known = {metric.key for metric in live_metrics()}
    tiles = [key for key in profile.tiles if key in known] if profile else list(STRIP)
    columns = [key for key in profile.columns if key in known] if profile else []
    view = View(
        tiles=tiles or STRIP,
        columns=columns,
        profile=None if profile is None else _told(profile, user),
        addresses={} if wall else _addresses(user, profile),
        queue_norms=_queue_norms(user, book, limits, number, {*columns, ALWAYS}),
        wall=wall,
    )
    config = page_config(company.time_zone, limits, view)
    return {"config": config, "profile": profile, "wall": wall}


def page_config(time_zone: str, limits: Mapping[str, Limits], view: View | None = None) -> dict[str, Any]:
    """Everything the panel's script knows before the socket opens, in the language in force."""
    view = view or View()
    wanted = dict.fromkeys([*view.tiles, *view.columns])
    if view.profile is not None:
        wanted.setdefault(ALWAYS)
    return {
        "language": get_language() or "ru",
        "timeZone": time_zone,
        "socket": SOCKET_PATH,
        "signIn": reverse("account_login"),
        "strip": list(view.tiles),
        "columns": list(view.columns),
        "metrics": [_metric(METRICS[key], limits.get(key)) for key in wanted],
        "profile": view.profile,
        "queueNorms": view.queue_norms,
        "wall": view.wall,
        **view.addresses,
        "texts": catalogue(),
    }


def _told(profile: Profile, user: User) -> dict[str, Any]:
    """The profile for the script: of what it is narrowed to, only what this person sees."""
    sight: Sight = seen_by(profile, user).sight

    def part(chosen: frozenset[Any] | None) -> list[Any] | None:
        return None if chosen is None else sorted(chosen)

    return {
        "id": profile.pk,
        "title": profile.title,
        "href": reverse("monitoring:profile_live", args=[profile.pk]),
        "print": reverse("monitoring:profile_print", args=[profile.pk]),
        "groups": part(sight.groups),
        "queues": part(sight.queues),
        "lines": part(sight.lines),
        "managers": part(sight.managers),
    }


def _addresses(user: User, profile: Profile | None) -> dict[str, Any]:
    views = [
        {"title": row.title, "href": reverse("monitoring:profile_live", args=[row.pk])}
        for row in openable(user).filter(is_on=True)
    ]
    wall = (
        reverse("monitoring:profile_wall", args=[profile.pk]) if profile else reverse("monitoring:live_wall")
    )
    manage = reverse("monitoring:profiles") if can(user, Verb.SEE_PROFILE) else None
    addresses = {"whole": reverse("monitoring:live"), "views": views, "manage": manage, "wallAt": wall}
    return addresses | _past(user) if can(user, Verb.SEE_STATISTICS) else addresses


def _past(user: User) -> dict[str, Any]:
    """Where the figures of what is on the panel are: the board knows queues and people by the PBX's names only."""
    reach = choices_for(user)
    ids = {
        "queue": dict(reach.queues.values_list("pbx_name", "pk")),
        "manager": dict(reach.managers.values_list("pbx_name", "pk")),
    }
    return {"statistics": reverse("monitoring:statistics"), "ids": ids}


def _queue_norms(
    user: User, book: NormBook, base: Mapping[str, Limits], profile: int | None, keys: Collection[str]
) -> dict[str, Norms]:
    """Where a queue's limits differ from the panel's: queue's PBX name → metric → limits."""
    if not any(kind in ("queue", "group") for kind, _number in book.rows):
        return {}
    found: dict[str, Norms] = {}
    for pk, name in choices_for(user).queues.values_list("pk", "pbx_name"):
        own = book.of(Scope("queue", str(pk)), profile=profile)
        differing = {
            key: _norm(own.get(key)) for key in sorted(keys) if _norm(own.get(key)) != _norm(base.get(key))
        }
        if differing:
            found[name] = differing
    return found


def _norm(limits: Limits | None) -> dict[str, float | None] | None:
    return None if limits is None else {"warn": limits.warning, "alarm": limits.alarm}


def _metric(metric: Metric, limits: Limits | None) -> dict[str, Any]:
    """The registry's entry for the page; the limits in force stand in for the usual ones."""
    norm = _norm(limits)
    if norm is None and metric.norm is not None:
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

"""A manager's own page: the status as big buttons, the day so far, the queues. Supervisors open it for their
people.

Parse, call ``services.statuses``, render; the PBX's answer is waited for briefly and said in words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from monitoring.models.people import Manager
from monitoring.models.presence import AutoInterval, AutoKind
from monitoring.models.statuses import Status, StatusInterval, StatusKind
from monitoring.selectors import board_rights
from monitoring.selectors.day import AutoSpan, Day, Span, day_of, queues_of
from monitoring.services import statuses
from monitoring.services.commands import Receipt
from monitoring.services.errors import Refused, ServiceError
from tenants.asker import company_of
from tenants.people.models import User
from tenants.people.roles import Verb, demand

# The design system's name for what a status does; it is a colour, an icon and part of a class.
TONES = {StatusKind.AVAILABLE: "free", StatusKind.BREAK: "break", StatusKind.AWAY: "away"}
SIGNS = {
    AutoKind.UNREGISTERED: {"tone": "alarm", "icon": "unregistered"},
    AutoKind.MISSING_CALLS: {"tone": "alarm", "icon": "missed"},
    AutoKind.WRAP_UP: {"tone": "talking", "icon": "wrap_up"},
}
LATEST = 3  # of what stood by itself, shown with its times
Notice = dict[str, str]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_OWN_DAY)
    manager = Manager.objects.live().filter(user=_person(request)).first()
    if manager is None:
        if request.method == "POST":
            raise Http404
        return render(request, "monitoring/status.html", {"own": True, "manager": None})
    return _page(request, manager, reverse("monitoring:status"), is_own=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def of(request: HttpRequest, pk: int) -> HttpResponse:
    """Another's status. Whose it is not to set learns not even that there is such a person."""
    demand(request, Verb.SET_STATUS)
    manager = get_object_or_404(Manager.objects.live(), pk=pk)
    rights = board_rights(_person(request))
    if rights is not None and not manager.is_headed_by(_person(request)):
        raise Http404
    return _page(request, manager, reverse("monitoring:status_of", args=[pk]), is_own=False)


@never_cache
@require_safe
def team(request: HttpRequest) -> HttpResponse:
    """The people of the groups one heads (an admin: everybody), each with the standing status."""
    demand(request, Verb.SEE_BOARD)
    rights = board_rights(_person(request))
    standing = StatusInterval.objects.filter(ended__isnull=True).select_related("status")
    people = Manager.objects.live().prefetch_related(
        Prefetch("intervals", queryset=standing, to_attr="open_ones"),
        Prefetch("automatic", queryset=AutoInterval.objects.filter(ended__isnull=True), to_attr="beside"),
    )
    if rights is not None:
        people = people.filter(groups__in=rights).distinct()
    zone, now = _zone(request), timezone.now().timestamp()
    rows = [
        {
            "pk": person.pk,
            "title": person.title,
            "extension": person.extension,
            "standing": _open_status(person.open_ones, zone, now),
            "beside": [_open_auto(row, zone, now) for row in person.beside],
        }
        for person in people
    ]
    return render(request, "monitoring/team.html", {"people": rows})


def _page(request: HttpRequest, manager: Manager, address: str, *, is_own: bool) -> HttpResponse:
    notice: Notice | None = None
    if request.method == "POST":
        notice = _declare(request, manager)
        if request.headers.get("HX-Request") != "true" and notice["tone"] == "good":
            return redirect(address)
    context = _day_context(request, manager) | {
        "manager": manager, "own": is_own, "address": address, "notice": notice,
    }  # fmt: skip
    part = request.headers.get("HX-Target") == "day"
    return render(request, "monitoring/status_day.html" if part else "monitoring/status.html", context)


def _declare(request: HttpRequest, manager: Manager) -> Notice:
    chosen = request.POST.get("status", "")
    if not chosen.isdecimal() or len(chosen) > 9:
        return _notice("alarm", _("Choose one of the statuses."))
    try:
        declared = statuses.declare(actor=_person(request), manager=manager, status_id=int(chosen))
    except Refused as refusal:
        return _notice("alarm", str(refusal.message))
    except ServiceError as refusal:
        return _notice("warn", str(refusal.message))
    if declared.receipt is None:
        return _notice("good", _("This status stands already."))
    return _told(declared.receipt)


def _told(receipt: Receipt) -> Notice:
    """What the PBX made of it, in words: saved it is in any case."""
    answer = receipt.answer()
    if answer is not None and answer.outcome == "done":
        return _notice("good", _("The PBX has taken it over."))
    if answer is not None:
        return _notice("warn", _("Saved, but the PBX answered: %(detail)s") % {"detail": answer.detail})
    return _notice(
        "warn", _("Saved. The PBX has not answered yet; it takes it over as soon as it is connected.")
    )


def _notice(tone: str, text: str) -> Notice:
    return {"tone": tone, "icon": tone, "text": text}


def _day_context(request: HttpRequest, manager: Manager) -> dict[str, Any]:
    zone, now = _zone(request), timezone.now().timestamp()
    day = day_of(manager, zone=zone, now=now)
    standing = day.standing
    return {
        "standing": _standing(standing.label, standing.kind, standing.since, standing.by_phone, zone, now)
        if standing
        else None,
        "choices": [
            {
                "pk": status.pk,
                "label": status.label,
                "colour": status.colour,
                "does": status.get_kind_display(),
                "tone": TONES[StatusKind(status.kind)],
                "chosen": standing is not None and standing.status == status.pk,
            }
            for status in Status.objects.live()
        ],
        "spans": [_span(span, day, zone) for span in day.spans],
        "sums": [
            {"title": kind.label, "tone": tone, "time": _duration(day.seconds(kind))}
            for kind, tone in TONES.items()
            if day.seconds(kind) >= 1
        ],
        "logged_in": _duration(day.logged_in),
        "beside": [
            _beside(kind, day, zone) for kind in AutoKind if any(a.kind == kind for a in day.automatic)
        ],
        "marks": [_mark(span, day, zone) for span in day.automatic],
        "queues": queues_of(manager),
    }


def _span(span: Span, day: Day, zone: str) -> dict[str, Any]:
    """``x`` and ``width``: on a bar of 1440 units for the whole day."""
    return {
        "label": span.label,
        "tone": TONES[span.kind],
        "phone": span.by_phone,
        **_place(span, day),
        "start": _clock(span.start, zone),
        "end": _("now") if span.open else _clock(span.end, zone),
        "time": _duration(span.end - span.start),
    }


def _place(span: Span | AutoSpan, day: Day) -> dict[str, str]:
    scale = 1440 / (day.end - day.start)
    return {
        "x": f"{(span.start - day.start) * scale:.1f}",
        "width": f"{max(1.0, (span.end - span.start) * scale):.1f}",
    }


def _mark(span: AutoSpan, day: Day, zone: str) -> dict[str, str]:
    """One automatic status on the bar."""
    return {
        "label": str(span.kind.label),
        **SIGNS[span.kind],
        **_place(span, day),
        "times": _times(span, zone),
    }


def _beside(kind: AutoKind, day: Day, zone: str) -> dict[str, Any]:
    """All of one kind on this day: how often, how long in all, the latest with their times."""
    spans = [span for span in day.automatic if span.kind == kind]
    return {
        "label": kind.label,
        **SIGNS[kind],
        "count": len(spans),
        "time": _duration(sum(span.end - span.start for span in spans)),
        "latest": [_times(span, zone) for span in reversed(spans[-LATEST:])],
        "more": len(spans) > LATEST,
    }


def _times(span: AutoSpan, zone: str) -> str:
    """From when till when; within one minute, that minute."""
    start, end = _clock(span.start, zone), _("now") if span.open else _clock(span.end, zone)
    return start if start == end else f"{start}–{end}"


def _open_auto(row: AutoInterval, zone: str, now: float) -> dict[str, Any]:
    kind = AutoKind(row.kind)
    return {
        "label": kind.label,
        **SIGNS[kind],
        "since": _since(row.started.timestamp(), zone, now),
    }


def _open_status(rows: list[StatusInterval], zone: str, now: float) -> dict[str, Any] | None:
    if not rows:
        return None
    row = rows[0]
    kind, since = StatusKind(row.status.kind), row.started.timestamp()
    return _standing(row.status.label, kind, since, row.source == "phone", zone, now)


def _standing(
    label: str, kind: StatusKind, since: float, phone: bool, zone: str, now: float
) -> dict[str, Any]:
    return {"label": label, "tone": TONES[kind], "since": _since(since, zone, now), "phone": phone}


def _since(at: float, zone: str, now: float) -> str:
    """What began on another day says so."""
    began = datetime.fromtimestamp(at, ZoneInfo(zone))
    today = began.date() == datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    return began.strftime("%H:%M" if today else "%d.%m %H:%M")


def _clock(at: float, zone: str) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M")


def _duration(seconds: float) -> str:
    """Hours and minutes; under a minute, seconds."""
    whole = int(seconds)
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    return f"{whole // 3600}:{whole % 3600 // 60:02}"


def _zone(request: HttpRequest) -> str:
    company = company_of(request)
    return company.time_zone


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user

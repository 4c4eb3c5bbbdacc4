"""The data-quality log: when a PBX was not heard, why, what its own records filled, and which calls that changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from django.core.paginator import Paginator
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from monitoring.models.quality import BlindWindow, Correction
from monitoring.selectors.audience import board_rights
from monitoring.selectors.pbxs import pbxs_of
from monitoring.views.history import words
from tenants.people.models import User
from tenants.people.roles import Verb, demand
from tenants.scope import current_company

PAGE: Final = 50
CALLS_SHOWN: Final = 20
State = BlindWindow.State

CAUSES: Final[dict[str, str | Promise]] = {
    "lost": _("the connection to the PBX broke off"),
    "silent": _("the PBX stopped answering"),
    "unreachable": _("the PBX could not be reached"),
    "unanswered": _("the PBX did not answer a question"),
    "unwatched": _("the service that listens was not running"),
    "overflow": _("more came at once than could be taken in"),
    "wrong_secret": _("the PBX refused our password"),
    "no_secret": _("the PBX's password could not be read"),
    "not_asterisk": _("something else answered in the PBX's place"),
    "refused": _("the PBX refused what we asked"),
}
REASONS: Final[dict[str, str | Promise]] = {
    "external": _("Your own PBX keeps no log for us: what happened then is not known here."),
    "no_records": _("The PBX has written no log of its calls: what happened then is not known here."),
    "incomplete": _("The PBX's own log has a hole there too: some calls stay as they were heard."),
    "gone": _("The PBX was switched off in the settings: its calls are not heard any more."),
}
SIGNS: Final[dict[str, tuple[str, str]]] = {
    State.OPEN: ("offline", "alarm"),
    State.WAITING: ("hourglass", "warn"),
    State.RECONCILED: ("good", "good"),
    State.UNFILLED: ("incomplete", "warn"),
}
FIELDS: Final[dict[str, str | Promise]] = {
    "started": _("beginning"),
    "answered": _("time of the answer"),
    "ended": _("end"),
    "disposition": _("outcome"),
    "direction": _("direction"),
    "line": _("line"),
    "hung_up_by": _("who hung up"),
    "talk": _("talk"),
    "hold": _("hold"),
    "people": _("who took part"),
    "queues": _("queues"),
    "route": _("route"),
}


@dataclass(frozen=True, slots=True)
class Differing:
    """One call that was written anew. ``fields``: what about it, in words."""

    correction: Correction
    number: str
    added: bool
    fields: str


@dataclass(frozen=True, slots=True)
class Row:
    """``calls``: those the reader may see, the first ones; ``more``: how many others there are."""

    window: BlindWindow
    pbx: str
    cause: str | Promise
    lasted: str
    reason: str | Promise
    icon: str
    tone: str
    calls: tuple[Differing, ...]
    more: int


@require_safe
def quality_log(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_STATISTICS)
    user = cast(User, request.user)
    page = Paginator(BlindWindow.objects.all(), PAGE).get_page(request.GET.get("page"))
    windows = list(page.object_list)
    seen = _calls_of(windows, user)
    titles = {row.key: row.name for row in pbxs_of(current_company())}
    now = timezone.now()
    context = {
        "page": page,
        "rows": [_row(window, titles, seen.get(window.pk, []), now) for window in windows],
        "several": len(titles) > 1,
    }
    return render(request, "monitoring/quality/log.html", context)


def _calls_of(windows: list[BlindWindow], user: User) -> dict[int, list[Correction]]:
    """Window → its corrected calls that ``user`` may see."""
    rights = board_rights(user)
    rows = Correction.objects.filter(window__in=[window.pk for window in windows]).select_related("call")
    if rights is not None:
        rows = rows.filter(call__groups__overlap=sorted(rights))
    found: dict[int, list[Correction]] = {}
    ranked = rows.annotate(place=Window(RowNumber(), partition_by=F("window"), order_by=["call__started", "pk"]))
    for row in ranked.filter(place__lte=CALLS_SHOWN).order_by("call__started", "pk"):
        found.setdefault(row.window_id, []).append(row)
    return found


def _row(window: BlindWindow, titles: dict[str, str], calls: list[Correction], now: datetime) -> Row:
    icon, tone = SIGNS.get(window.state, ("unknown", ""))
    changed = window.added + window.corrected
    return Row(
        window=window,
        pbx=titles.get(window.pbx, gettext("PBX %(key)s") % {"key": window.pbx}),
        cause=CAUSES.get(window.cause, _("the PBX was not heard")),
        lasted=words.clock(((window.ended or now) - window.began).total_seconds()),
        reason=REASONS.get(str(window.details.get("reason", "")), ""),
        icon=icon,
        tone=tone,
        calls=tuple(map(_differing, calls)),
        more=max(0, changed - len(calls)),
    )


def _differing(correction: Correction) -> Differing:
    fields = [_field(name, pair) for name, pair in correction.changes.items() if name in FIELDS]
    return Differing(
        correction, correction.call.number, correction.kind == Correction.Kind.ADDED, ", ".join(fields)
    )


def _field(name: str, pair: Any) -> str:
    """``talk 0:12 → 0:47``; of what cannot be said shortly only its name."""
    label = str(FIELDS[name])
    before, after = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
    if name in ("talk", "hold") and isinstance(before, int | float) and isinstance(after, int | float):
        return f"{label} {words.clock(before)} → {words.clock(after)}"
    if name == "disposition":
        return f"{label}: {words.outcome(str(before)).word} → {words.outcome(str(after)).word}"
    return label

"""The PBX page: how each link is, in words a person can act on. For platform staff all PBXs, for a company's admin
its own; the figures are the same as /healthz gives to machines.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.bus import BusAway, LinkHealth, get_links
from monitoring.selectors.pbxs import PbxRow, all_pbxs, pbxs_of
from tenants.people.roles import Verb, requires
from tenants.scope import current_company_or_none

TONES = {"connected": "good", "connecting": "warn", "stale": "warn"}
ICONS = {"connected": "good", "connecting": "connecting", "stale": "stale"}


@never_cache
@require_safe
@requires(Verb.SEE_PBX)
def pbxs(request: HttpRequest) -> HttpResponse:
    company = current_company_or_none()
    rows = all_pbxs() if company is None else pbxs_of(company)
    away = False
    links: dict[str, LinkHealth] = {}
    try:
        links = get_links(row.key for row in rows)
    except BusAway:
        away = True
    context = {
        "pbxs": [
            _described(row, links.get(row.key), whole=company is None or not row.managed) for row in rows
        ],
        "away": away,
        "staff": company is None,
        "address": request.path,
        "admin": reverse("admin:tenants_pbx_add") if company is None else "",
    }
    # htmx asks for the rows alone, every few seconds.
    part = getattr(request, "htmx", False)
    return render(request, "monitoring/pbx_rows.html" if part else "monitoring/pbx.html", context)


def _described(row: PbxRow, health: LinkHealth | None, *, whole: bool) -> dict[str, Any]:
    """One PBX as the page shows it. Moments become datetimes in the company's time zone by the template.

    ``whole``: with its address and figures; of a PBX they share, companies see the state and what it means.
    """
    state = "orphaned" if health is None else health.state
    described: dict[str, Any] = {
        "row": row,
        "whole": whole,
        "state": _state(state),
        "tone": TONES.get(state, "alarm"),
        "icon": ICONS.get(state, "alarm"),
        "advice": _advice(row, state, "" if health is None else health.status.error)
        if whole
        else _shared(state),
        "said": None,
        "error": "",
        "next_try": None,
    }
    if health is not None:
        code, _colon, words = health.status.error.partition(": ")
        described |= {
            "said": health.status,
            "error": (words or code) if whole else "",
            "since": _moment(health.status.since),
            "next_try": _moment(health.status.next_try),
            "age": _("%(seconds)s s ago") % {"seconds": round(health.age)},
        }
    return described


def _moment(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, tz=UTC) if at else None


def _state(state: str) -> str:
    words = {
        "connected": _("Connected"),
        "connecting": _("Connecting"),
        "stale": _("Silent or late"),
        "down": _("No connection"),
        "refused": _("Sign-in refused"),
        "orphaned": _("Nobody is listening"),
    }
    return words.get(state, state)


def _shared(state: str) -> str:
    """The same for a PBX that is not the company's own to mend."""
    return "" if state == "connected" else _("This PBX is the platform's. If this lasts, ask its staff.")


def _advice(row: PbxRow, state: str, error: str) -> str:
    """What the state means and what to do about it; nothing when all is well."""
    if state == "orphaned":
        return _(
            "No collector is watching this PBX. Start a collecting worker, or wait a few seconds if it was restarted."
        )
    causes = {
        "wrong_secret": _(
            "The PBX knows no AMI account “%(account)s” with this secret. Compare both with manager.conf."
        ),
        "unreachable": _("Nothing answers at %(address)s. Check host, port and firewall, and that AMI is on."),
        "not_asterisk": _("What answers at %(address)s is no Asterisk. Check host and port (as a rule 5038)."),
        "refused": _("The PBX refused a command of ours: the AMI account lacks a right."),
        "silent": _("The connection is open, but the PBX answers nothing. We connect anew."),
        "unanswered": _("The PBX left a question unanswered. We connect anew."),
        "late": _("Events arrive late, the panels are behind. The PBX or the network is overloaded."),
        "lost": _("The connection broke. We connect anew by ourselves."),
    }  # fmt: skip
    words = causes.get(error.partition(":")[0], "")
    return words % {"account": row.account, "address": row.address} if words else ""

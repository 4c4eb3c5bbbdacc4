"""/healthz, on every host: is this installation well? Machines read the status, people the details.

200 while pages can be served (database and Redis answer), 503 otherwise: a PBX in trouble is a reason to call
somebody, not to take the web server out of rotation; ``status`` says "degraded" then.

Details (per PBX) are shown to platform staff, on a company's host to its admins, and to a program on this very
machine that asks directly; of a PBX shared with other companies an admin sees nothing that would tell of them. A
proxy must therefore send X-Forwarded-For, as proxies do. Everybody else gets the three words only.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.bus import BusAway, LinkHealth, get_links, ping
from monitoring.selectors.pbxs import PbxRow, all_pbxs, pbxs_of
from tenants.people.roles import Verb, can
from tenants.scope import current_company_or_none

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")

# What a shared PBX's figures would tell of the platform's machines and of other companies' calls.
_PLATFORMS = frozenset({"owner", "error", "events", "quarantined", "spool"})


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    database, redis = _asked(_database), _asked(ping)
    well = database["ok"] and redis["ok"]
    answer: dict[str, Any] = {
        "status": "ok" if well else "down",
        "database": _word(database),
        "redis": _word(redis),
    }
    if well:
        rows, links = _rows(), get_links()
        if any(_state(links.get(row.key)) != "connected" for row in rows):
            answer["status"] = "degraded"
        if _may_see_details(request):
            shown = {row.key: _link(row, links.get(row.key)) for row in rows}
            if current_company_or_none() is not None and not _on_this_machine(request):
                for row in rows:
                    if row.managed:
                        shown[row.key] = {k: v for k, v in shown[row.key].items() if k not in _PLATFORMS}
            answer["pbx"] = shown
    if _may_see_details(request, with_session=well):
        answer["database"], answer["redis"] = database, redis
        if redis["ok"] and not well:
            # Without the database nobody can say what the PBXs are called, yet their collectors tell of the spool.
            answer["pbx"] = {key: _link(_nameless(key), link) for key, link in get_links().items()}
    return JsonResponse(answer, status=200 if well else 503)


def _asked(question: Callable[[], None]) -> dict[str, Any]:
    """Whether it answered, and in how many milliseconds or why not."""
    began = time.perf_counter()
    try:
        question()
    except (DatabaseError, BusAway) as error:
        return {
            "ok": False,
            "error": str(error).strip().splitlines()[0][:200] if str(error).strip() else "no answer",
        }
    return {"ok": True, "ms": round((time.perf_counter() - began) * 1000, 1)}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _word(found: dict[str, Any]) -> str:
    return "ok" if found["ok"] else "away"


def _rows() -> list[PbxRow]:
    company = current_company_or_none()
    return all_pbxs() if company is None else pbxs_of(company)


def _nameless(key: str) -> PbxRow:
    return PbxRow(key=key, name=key, address="", account="", managed=True, simulated=False)


def _state(health: LinkHealth | None) -> str:
    return "orphaned" if health is None else health.state


def _link(row: PbxRow, health: LinkHealth | None) -> dict[str, Any]:
    """One PBX in figures. Times: epoch seconds (UTC); ``age``: seconds since its collector's last heartbeat."""
    known: dict[str, Any] = {"name": row.name, "simulated": row.simulated, "state": _state(health)}
    if health is None:
        return known | dict.fromkeys(("owner", "lag_ms", "epoch", "since", "next_try", "age")) | {
            "events": 0, "quarantined": 0, "error": "", "spool": None,
        }  # fmt: skip
    said = health.status
    return known | {
        "owner": said.owner,
        "lag_ms": said.lag_ms,
        "epoch": said.epoch,
        "events": said.events,
        "quarantined": said.quarantined,
        "error": said.error,
        "since": said.since,
        "next_try": said.next_try,
        "age": round(health.age, 1),
        "spool": {
            "queued": said.spool_queued,
            "bytes": said.spool_bytes,
            "dropped": said.spool_dropped,
            "error": said.spool_error,
        },
    }


def _may_see_details(request: HttpRequest, *, with_session: bool = True) -> bool:
    """``with_session``: the database can be asked whose session this is."""
    if _on_this_machine(request):
        return True
    verb = Verb.SEE_HEALTH if current_company_or_none() is None else Verb.SEE_PBX
    return with_session and can(request.user, verb)


def _on_this_machine(request: HttpRequest) -> bool:
    if any(header in request.META for header in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False

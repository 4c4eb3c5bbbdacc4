"""Cases as ``manage.py rate`` reads them, in few words; and the pure domain's answer beside the command's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from billing.domain.periods import month_of
from billing.services.described import answer

MOSCOW = "Europe/Moscow"
JUNE = "2026-06"
Times = tuple[str, str | None]


def profiles(*times: Times) -> list[dict[str, Any]]:
    """Monitoring profiles p1, p2, …: when each was on."""
    return [{"id": f"p{n}", "from": begin, "to": until} for n, (begin, until) in enumerate(times, 1)]


def always(count: int) -> list[dict[str, Any]]:
    """``count`` profiles on since long ago."""
    return profiles(*[("2020-01-01T00:00:00", None)] * count)


def calls(times: Iterable[Times], kind: str = "handled", begin: str = "c") -> list[dict[str, Any]]:
    return [
        {"key": f"{begin}{n}", "intervals": [list(each)], "kind": kind} for n, each in enumerate(times, 1)
    ]


def at_once(count: int, start: str = "2026-06-10T12:00:00", end: str | None = None) -> list[dict[str, Any]]:
    """``count`` calls over the same five minutes, unless said otherwise."""
    until = end or (datetime.fromisoformat(start) + timedelta(minutes=5)).isoformat()
    return calls([(start, until)] * count, begin=f"{start}–")


def per_profile(start: str = "2020-01-01", **more: Any) -> dict[str, Any]:
    return {"plan": "per_profile", "from": start, "to": None, **more}


def per_concurrency(start: str = "2020-01-01", **more: Any) -> dict[str, Any]:
    return {"plan": "per_concurrency", "from": start, "to": None, **more}


def case(
    *subscriptions: dict[str, Any],
    month: str = JUNE,
    zone: str = MOSCOW,
    profiles: Sequence[dict[str, Any]] = (),
    calls: Sequence[dict[str, Any]] = (),
    vat: str = "included",
) -> dict[str, Any]:
    """The case of a whole calendar month."""
    period = month_of(date.fromisoformat(f"{month}-01"), zone)
    return {
        "time_zone": zone,
        "period": {"start": period.start.isoformat(), "end": period.end.isoformat()},
        "vat": {"mode": vat},
        "subscriptions": list(subscriptions),
        "profiles": list(profiles),
        "calls": list(calls),
    }


def told(described: dict[str, Any]) -> dict[str, Any]:
    """What the command prints of it."""
    return answer(json.dumps(described).encode(), name="case.json")


def rated(*subscriptions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return told(case(*subscriptions, **more))


def total(*subscriptions: dict[str, Any], **more: Any) -> str | None:
    """Of an invoice that is checked to add up on the way."""
    invoice = rated(*subscriptions, **more)
    found: str | None = invoice["total"]
    return found


def moment(text: str, zone: str = MOSCOW) -> datetime:
    """A local time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)

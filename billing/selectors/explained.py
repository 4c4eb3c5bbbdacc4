"""Why a line of an invoice is what it is: what was counted, when, by which calls or profiles, and the arithmetic.

Everything is read from the line itself, so an old invoice explains itself the same for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from billing.domain.metering import Measure
from billing.models import Invoice, InvoiceLine
from billing.selectors.rubles import rubles
from monitoring import facade
from monitoring.contracts import CallShown


@dataclass(frozen=True, slots=True)
class Explained:
    """Sentences in the language in force. ``at`` is local; ``keys``: calls' or profiles', as the line kept them.

    ``more``: how many of those counted are not among the keys. ``calls``: whether the keys are of calls.
    """

    line: InvoiceLine
    title: str
    days: str
    measured: str
    at: datetime | None
    formula: str
    vat: str
    keys: tuple[str, ...]
    more: int
    calls: bool

    @property
    def moment(self) -> str:
        """With its microseconds, for they may decide."""
        if self.at is None:
            return ""
        return f"{self.at:%d.%m.%Y %H:%M:%S}" + (f".{self.at:%f}" if self.at.microsecond else "")


@dataclass(frozen=True, slots=True)
class Behind:
    """One call or profile that was counted. ``url`` "": nowhere to go."""

    text: str
    when: str
    url: str = ""


def explained(line: InvoiceLine, *, zone: str) -> Explained:
    """``zone``: the subscription's."""
    details = line.details if isinstance(line.details, dict) else {}
    measure = _measure(details)
    keys = tuple(str(key) for key in details.get("keys") or ())
    quantity = _count(details, "measured", line.quantity)
    counted_by_key = measure is not None and measure is not Measure.PROFILE_DAYS
    return Explained(
        line=line,
        title=title_of(line),
        days=_days(line),
        measured=_measured(line, measure, quantity, details),
        at=_moment(details.get("at"), zone),
        formula=_formula(line, measure, quantity, details),
        vat=_vat(line, details),
        keys=keys,
        more=max(0, quantity - len(keys)) if keys and counted_by_key else 0,
        calls=measure is Measure.CALLS,
    )


def explained_lines(invoice: Invoice) -> list[Explained]:
    zone = invoice.subscription.time_zone
    return [
        explained(line, zone=zone) for line in invoice.lines.select_related("corrects").order_by("position")
    ]


def title_of(line: InvoiceLine) -> str:
    return line.title_en if (get_language() or "").startswith("en") else line.title_ru


def calls_of(company: str, lines: Iterable[Explained]) -> dict[str, CallShown]:
    """The calls behind all ``lines`` that are still there, by key, in one question; old ones may be removed."""
    keys = [key for one in lines if one.calls for key in one.keys]
    return {call.key: call for call in facade.calls_by_key(company, keys)} if keys else {}


def behind(one: Explained, calls: Mapping[str, CallShown], *, zone: str) -> list[Behind]:
    """For the platform's staff: when, never with whom. A company's own page says more."""
    if not one.calls:
        return [Behind(_("monitoring profile No. %(key)s") % {"key": key}, "") for key in one.keys]
    found = []
    for key in one.keys:
        call = calls.get(key)
        when = _("not kept any more") if call is None else span(call.started, call.ended, zone)
        found.append(Behind(key, when))
    return found


def span(begin: datetime, end: datetime | None, zone: str) -> str:
    """«12.06.2026 14:05:12–14:07:40», local."""
    clock = ZoneInfo(zone)
    start = begin.astimezone(clock)
    if end is None:
        return f"{start:%d.%m.%Y %H:%M:%S}–"
    stop = end.astimezone(clock)
    shape = "%H:%M:%S" if stop.date() == start.date() else "%d.%m.%Y %H:%M:%S"
    return f"{start:%d.%m.%Y %H:%M:%S}–{stop.strftime(shape)}"


def _measure(details: Mapping[str, Any]) -> Measure | None:
    try:
        return Measure(str(details.get("measure", "")))
    except ValueError:
        return None


def _moment(text: object, zone: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)) if isinstance(text, str) and text else None


def _count(details: Mapping[str, Any], name: str, missing: int = 0) -> int:
    value = details.get(name)
    return value if isinstance(value, int) else missing


def _days(line: InvoiceLine) -> str:
    last = line.end_on - timedelta(days=1)
    span_ = f"{line.begin_on:%d.%m.%Y}–{last:%d.%m.%Y}"
    if line.share_days == line.month_days:
        return span_
    return _("%(span)s, %(days)d of %(month)d days of the month") % {
        "span": span_, "days": line.share_days, "month": line.month_days,
    }  # fmt: skip


def _measured(line: InvoiceLine, measure: Measure | None, quantity: int, details: Mapping[str, Any]) -> str:
    if line.corrects is not None:
        words = {"was": _count(details, "was"), "now": quantity, "number": line.corrects.full_number}
        return _("Invoice No. %(number)s counted %(was)d; by what became known since it is %(now)d") % words
    match measure:
        case Measure.PROFILES:
            return _("The most monitoring profiles on at one moment: %(count)d") % {"count": quantity}
        case Measure.PROFILES_DISTINCT:
            return _("Monitoring profiles that were on at all: %(count)d") % {"count": quantity}
        case Measure.PROFILE_DAYS:
            return _("Monitoring profiles counted day by day, the most at one moment: %(count)d") % {
                "count": quantity
            }
        case Measure.CALLS:
            return _("The most calls handled at one moment: %(count)d") % {"count": quantity}
        case Measure.MANAGERS:
            return _("Managers who took at least one call: %(count)d") % {"count": quantity}
        case _:
            return ""


def _formula(line: InvoiceLine, measure: Measure | None, quantity: int, details: Mapping[str, Any]) -> str:
    """«4 профиля − 3 включено = 1 × 250,00 ₽ × 15/30 = 125,00 ₽»."""
    unit = rubles(line.unit_price)
    share = f" × {line.share_days}/{line.month_days}" if line.share_days != line.month_days else ""
    result = f" = {rubles(_before_tax_on_top(line, details))}" if line.amount is not None else ""
    match line.kind:
        case "base":
            if details.get("fee") == "once":
                return _("paid once, on connection: %(price)s") % {"price": unit}
            return f"{unit}{share}{result}" if share else _("a whole month: %(price)s") % {"price": unit}
        case "further_profiles" if measure is Measure.PROFILE_DAYS:
            return f"{_profile_days(line, details)} × {unit} / {line.month_days}{result}"
        case "further_profiles":
            return f"{_beyond(line, quantity, details)} × {unit}{share}{result}"
        case "tier" | "agreed" | "unagreed":
            return f"{_tier(line, details)}{share}{result if share else ''}"
        case _:
            return rubles(line.amount)


def _before_tax_on_top(line: InvoiceLine, details: Mapping[str, Any]) -> Decimal | None:
    return line.net if details.get("vat_mode") == "on_top" else line.amount


def _beyond(line: InvoiceLine, quantity: int, details: Mapping[str, Any]) -> str:
    said = ngettext("%(count)d profile", "%(count)d profiles", quantity) % {"count": quantity}
    included, paid = _count(details, "included"), _count(details, "paid_further")
    said += " − " + _("%(count)d included") % {"count": included}
    if paid:
        said += " − " + _("%(count)d paid for before") % {"count": paid}
    return f"{said} = {line.quantity}"


def _profile_days(line: InvoiceLine, details: Mapping[str, Any]) -> str:
    by_day = details.get("by_day")
    included = _count(details, "included")
    words = ngettext("%(count)d profile day", "%(count)d profile days", line.quantity) % {
        "count": line.quantity
    }
    if not isinstance(by_day, Sequence):
        return words
    days = sum(1 for count in by_day if isinstance(count, int) and count > included)
    return _("beyond %(included)d included, over %(days)d days: %(words)s") % {
        "included": included, "days": days, "words": words,
    }  # fmt: skip


def _tier(line: InvoiceLine, details: Mapping[str, Any]) -> str:
    low, high = _bounds(details)
    price = rubles(line.unit_price)
    if line.kind == "unagreed":
        return _("above %(above)d: the price is to be agreed") % {"above": max(0, low - 1)}
    if high is None:
        return _("above %(above)d, by agreement: %(price)s") % {"above": max(0, low - 1), "price": price}
    return _("tier %(low)d–%(high)d: %(price)s") % {"low": low, "high": high, "price": price}


def _bounds(details: Mapping[str, Any]) -> tuple[int, int | None]:
    bounds = details.get("bounds")
    if not isinstance(bounds, list) or len(bounds) != 2 or not isinstance(bounds[0], int):
        return 0, None
    return bounds[0], bounds[1] if isinstance(bounds[1], int) else None


def _vat(line: InvoiceLine, details: Mapping[str, Any]) -> str:
    if line.amount is None:
        return ""
    if line.vat_rate is None:
        return _("no VAT")
    rate = f"{line.vat_rate.normalize():f}"
    words = {"rate": rate, "vat": rubles(line.vat), "net": rubles(line.net), "amount": rubles(line.amount)}
    if details.get("vat_mode") == "on_top":
        return _("%(net)s + VAT %(rate)s %% %(vat)s = %(amount)s") % words
    words["base"] = f"{(100 + line.vat_rate).normalize():f}"
    return _("VAT within: %(amount)s × %(rate)s/%(base)s = %(vat)s") % words

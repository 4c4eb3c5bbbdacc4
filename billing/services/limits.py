"""Limits of use: said at 80 and at 100 %, once a month each; and the hard one a company may choose for itself.

What a company pays never stops a call. Only its own hard limit refuses a new one of the portal's; what is under way
goes on whatever any limit says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.domain.metering import Measure
from billing.domain.periods import Period, local_day, month_of
from billing.domain.pricing import PerConcurrency
from billing.models import Account, LimitMode, LimitNotice
from billing.selectors.meter import ShownMeter
from billing.selectors.rubles import rubles
from billing.selectors.usage import Usage, level_of, usage_today
from billing.services import letters
from monitoring import facade
from tenants.models import Company


@dataclass(frozen=True, slots=True)
class Reached:
    """``value`` of ``bound`` is used, first ``at``. ``what``: as LimitNotice has it; ``measure``: what is counted."""

    what: str
    measure: Measure
    level: int
    value: int
    bound: int
    at: datetime | None


def may_place_call(company: str) -> str:
    """Why the portal may not place one more call for ``company`` now; "" when it may. Asked by monitoring.

    Two calls asked for at one moment may both be let through: a call counts once somebody talks in it.
    """
    account = Account.objects.filter(
        company__schema_name=company, limit_mode=LimitMode.HARD, call_limit__isnull=False
    ).first()
    if account is None or account.call_limit is None:
        return ""
    if facade.handled_now(company) < account.call_limit:
        return ""
    return ngettext(
        "Your company allows %(limit)d call at once, and that is going on. Try again when it has ended.",
        "Your company allows %(limit)d calls at once, and so many are going on. Try again when one has ended.",
        account.call_limit,
    ) % {"limit": account.call_limit}


def watch(company: Company, *, now: datetime) -> list[LimitNotice]:
    """Write down what has been reached this month and tell it: a message to webhooks each, one letter a kind.

    What was told this month is not told again, whoever asks how often. Returns what is new.
    """
    usage = usage_today(company, now=now, fresh=0)
    month = usage.month if usage else month_of(local_day(now, company.time_zone), company.time_zone)
    found = [*_of_plan(usage), *_of_own_limits(company, usage, month)]
    new = []
    with transaction.atomic():
        for one in found:
            notice, made = LimitNotice.objects.get_or_create(
                company=company, period_start=month.start, what=one.what, level=one.level, bound=one.bound,
                defaults={"value": one.value, "at": now},
            )  # fmt: skip
            if made:
                new.append((one, notice))
                _to_webhooks(company, month, one, now)
    # Three tiers passed at once are three facts, and one letter about the last of them.
    for one, notice in {one.what: (one, notice) for one, notice in new}.values():
        if not _write(company, month, one, usage) and letters.addresses(company):
            notice.delete()  # the post is away: the next look finds it again and tries once more
    return [notice for _one, notice in new]


def _of_plan(usage: Usage | None) -> Iterator[Reached]:
    if usage is None:
        return
    if not isinstance(usage.model, PerConcurrency):
        if usage.level is not None and usage.bound is not None:
            yield Reached("profiles", usage.measure, usage.level, usage.quantity, usage.bound, usage.at)
        return
    for tier in usage.model.tiers:
        level = level_of(usage.quantity, tier.up_to)
        if level is not None:
            yield Reached("tier", usage.measure, level, usage.quantity, tier.up_to, usage.at)


def _of_own_limits(company: Company, usage: Usage | None, month: Period) -> Iterator[Reached]:
    account = Account.objects.filter(company=company).first()
    if account is None:
        return
    chosen = []
    if account.limit_mode != LimitMode.NONE and account.call_limit:
        chosen.append(("limit", Measure.CALLS, account.call_limit))
    if account.profile_limit:
        chosen.append(("profiles", Measure.PROFILES, account.profile_limit))
    meter = ShownMeter(company.slug, fresh=_JUST_NOW)
    for what, measure, bound in chosen:
        found = meter.measure(measure, month)
        level = level_of(found.quantity, bound)
        if level is not None:
            yield Reached(what, measure, level, found.quantity, bound, found.at)


_JUST_NOW = 20.0  # seconds: the counting for the tier, of the same window, was that long ago at most


def _to_webhooks(company: Company, month: Period, one: Reached, now: datetime) -> None:
    data = {
        "what": one.what,
        "measure": one.measure.value,
        "level": one.level,
        "value": one.value,
        "bound": one.bound,
        "at": one.at.isoformat() if one.at else None,
        "month": f"{month.start:%Y-%m}",
    }
    key = f"{month.start:%Y-%m}:{one.what}:{one.level}:{one.bound}"
    facade.tell(company.slug, "limit.reached", key, data, now)


def _write(company: Company, month: Period, one: Reached, usage: Usage | None) -> list[str]:
    with letters.speaking(company):
        subject = _("%(value)d of %(bound)d: %(what)s") % {
            "value": one.value, "bound": one.bound, "what": _titles(one),
        }  # fmt: skip
        parts = [_happened(one, month), _meaning(one, usage), _where(company)]
        text = "\n\n".join(part for part in parts if part) + "\n"
    return letters.send(company=company, subject=subject, text=text)


def _titles(one: Reached) -> str:
    match one.what, one.measure:
        case "limit", _any:
            return _("your own limit of calls at once")
        case "profiles", _any:
            return _("monitoring profiles")
        case _any, Measure.MANAGERS:
            return _("managers who took calls")
        case _:
            return _("calls at once")


def _happened(one: Reached, month: Period) -> str:
    words = {"value": one.value, "bound": one.bound, "what": _titles(one), "month": _named(month)}
    if one.at is None:
        return _("%(month)s: %(value)d of %(bound)d, %(what)s.") % words
    words["at"] = date_format(one.at.astimezone(ZoneInfo(month.zone)), "j E, H:i:s")
    return _("%(month)s: %(value)d of %(bound)d, %(what)s. First reached on %(at)s.") % words


def _named(month: Period) -> str:
    name = date_format(month.start, "F Y")
    return name[:1].upper() + name[1:]


def _meaning(one: Reached, usage: Usage | None) -> str:
    if one.what == "limit":
        return _(
            "Calls under way are never cut. With a hard limit the portal places no further call while so many go on."
        )
    if one.what == "profiles":
        return _("A further profile asks for your agreement to its price before it is switched on.")
    return _of_tier(one, usage) if usage is not None else ""


def _of_tier(one: Reached, usage: Usage) -> str:
    """What the month costs now, and what it would cost beyond."""
    said = []
    if usage.price is not None:
        said.append(_("So far the month costs %(price)s.") % {"price": rubles(usage.price)})
    else:
        said.append(_("For so much no price is agreed yet: we will write to you."))
    if one.value <= one.bound and isinstance(usage.model, PerConcurrency):
        beyond = usage.model.tier_of(one.bound + 1)
        if beyond is None:
            said.append(_("Beyond %(bound)d the price is agreed individually.") % {"bound": one.bound})
        else:
            price = usage.with_tax(beyond[1].price)
            said.append(
                _("Beyond %(bound)d it costs %(price)s.") % {"bound": one.bound, "price": rubles(price)}
            )
    said.append(_("No call is refused because of the plan."))
    return " ".join(said)


def _where(company: Company) -> str:
    return _("The month so far, and your limits: %(address)s") % {
        "address": letters.address_of(company, "billing:overview")
    }

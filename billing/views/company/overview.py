"""The company's tariff at a glance: usage so far against what it pays for, the invoice to come, papers, money."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.access import payer
from billing.domain.metering import Measure
from billing.domain.periods import DAY, Period, local_day, month_of, preceding
from billing.domain.pricing import PerProfile
from billing.domain.rating import Bill
from billing.models import LimitNotice
from billing.selectors.balance import balance, unpaid, with_owed
from billing.selectors.compare import what_plans_cost
from billing.selectors.course import Course, course
from billing.selectors.held import Held, held
from billing.selectors.papers import invoices_of, payments_of
from billing.selectors.profile_price import profiles_on
from billing.selectors.rubles import rubles_short
from billing.selectors.terms import Model
from billing.selectors.usage import Usage, forecast, present, usage_today
from billing.services import wording
from billing.views.platform.plan_words import model_in_words
from monitoring import facade
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.people.roles import Verb, can

LATEST = 5
MONTHS = 6  # of comparing plans
OLDEST_DAY = 12  # months back in which one may look for a day's busiest moment


@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    company, account = payer(request)
    now = timezone.now()
    has = held(company, now=now)
    context: dict[str, Any] = {
        "account": account,
        "held": has,
        "may_change": can(request.user, Verb.CHANGE_PLAN, account),
        "balance": balance(company),
        "unpaid": list(unpaid(company)[:LATEST]),
        "invoices": list(with_owed(invoices_of(company))[:LATEST]),
        "payments": list(payments_of(company)[:LATEST]),
        "section": "overview",
    }
    if has is not None and has.has_begun:
        context |= _month(company, has, now)
    return render(request, "billing/company/overview.html", context)


@never_cache
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """What every plan would have cost in the last months: a part of the overview that may take a second."""
    company, _account = payer(request)
    now = timezone.now()
    has = held(company, now=now)
    zone = has.subscription.time_zone if has else company.time_zone
    rows = what_plans_cost(company, months=MONTHS, today=local_day(now, zone))
    whole = request.headers.get("HX-Request") != "true"
    template = "billing/company/compare_page.html" if whole else "billing/company/compare.html"
    return render(request, template, {"rows": rows, "section": "overview"})


@never_cache
@require_safe
def peak(request: HttpRequest) -> HttpResponse:
    """The calls behind the busiest moment of this month, or of one day (``?day=``)."""
    company, _account = payer(request)
    now = timezone.now()
    has = held(company, now=now)
    if has is None:
        raise Http404
    zone = has.subscription.time_zone
    window = _window(request.GET.get("day", ""), local_day(now, zone), zone)
    today = present(company, now=now)
    internal = today is not None and today[1].model.internal
    found = facade.busiest(company.slug, window.begin, window.until, internal=internal)
    calls = facade.calls_by_key(company.slug, found.keys)
    # Whose calls they are is told to those who may see every call of the company: supervisors head some groups.
    named = isinstance(request.user, User) and request.user.role == Role.ADMIN
    context = {
        "window": window,
        "one_day": window.days == 1,
        "count": found.count,
        "at": found.at.astimezone(ZoneInfo(zone)) if found.at else None,
        "calls": calls,
        "missing": len(found.keys) - len(calls),
        "more": found.count - len(found.keys),
        "named": named,
        "zone": zone,
        "section": "overview",
    }
    return render(request, "billing/company/peak.html", context)


def _month(company: Company, has: Held, now: datetime) -> dict[str, Any]:
    zone = has.subscription.time_zone
    month = month_of(has.today, zone)
    usage = usage_today(company, now=now)
    bill = forecast(company, today=has.today)
    if usage is None or bill is None:
        return {}
    model = usage.model
    drawn = course(company.slug, model, month, now=now)
    return {
        "month": month,
        "usage": usage,
        "usage_at": usage.at.astimezone(ZoneInfo(zone)) if usage.at else None,
        "terms": model_in_words(model),
        "is_profiles": isinstance(model, PerProfile),
        "profiles": _profiles(company, model, now),
        "bill": bill,
        "lines": _lines(bill),
        "notices": list(
            LimitNotice.objects.filter(company=company, period_start=month.start).order_by("-at")[:LATEST]
        ),
        "course": drawn,
        "chart": _chart(drawn, usage, zone) if drawn else None,
    }


def _profiles(company: Company, model: Model, now: datetime) -> dict[str, int | None]:
    """On now, and how the plan counts them; without a plan by profiles they are all free."""
    on = profiles_on(company.slug, now=now)
    if not isinstance(model, PerProfile):
        return {"on": on, "included": None, "further": 0}
    return {"on": on, "included": model.included, "further": max(0, on - model.included)}


def _lines(bill: Bill) -> list[dict[str, Any]]:
    language = "en" if (get_language() or "ru").startswith("en") else "ru"
    return [
        {"title": wording.title(line, language), "amount": line.money.amount if line.money else None}
        for line in bill.lines
    ]


def _chart(drawn: Course, usage: Usage, zone: str) -> dict[str, Any]:
    """What the script draws: values by part, words for each, bounds as lines, where each part leads."""
    local = [part.begin.astimezone(ZoneInfo(zone)) for part in drawn.parts]
    hourly = drawn.measure is Measure.CALLS
    days = [[place, moment.day] for place, moment in enumerate(local) if not hourly or moment.hour == 0]
    return {
        "values": [part.most for part in drawn.parts],
        "labels": [date_format(moment, "j E, H:i" if hourly else "j E") for moment in local],
        "whole": drawn.whole,
        "days": days,
        "links": [f"{reverse('billing:peak')}?day={moment.date().isoformat()}" for moment in local]
        if hourly
        else [],
        "bounds": _bounds(usage.model),
        "peak": max(range(len(drawn.parts)), key=lambda n: drawn.parts[n].most) if drawn.most else None,
        "word": _("at once"),
    }


def _bounds(model: Model) -> list[dict[str, Any]]:
    if isinstance(model, PerProfile):
        return [{"at": model.included, "title": _("included: %(count)d") % {"count": model.included}}]
    return [
        {
            "at": tier.up_to,
            "title": _("up to %(count)d: %(price)s")
            % {"count": tier.up_to, "price": rubles_short(Decimal(tier.price))},
        }
        for tier in model.tiers
    ]


def _window(text: str, today: date, zone: str) -> Period:
    """A day of the last months, else this month until today. Raises Http404 for what is neither."""
    month = month_of(today, zone)
    if not text:
        return Period(month.start, today + DAY, zone)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Http404 from None
    if not preceding(month, OLDEST_DAY).start <= day <= today:
        raise Http404
    return Period(day, day + DAY, zone)

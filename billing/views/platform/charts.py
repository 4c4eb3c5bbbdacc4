"""Three pictures of the platform's money, each with its table beneath, and the same figures to take along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from billing.domain.money import ZERO
from billing.selectors import charts
from billing.selectors.rubles import rubles_short
from billing.services.tables import Cell, Column, workbook
from billing.views.platform.clock import months_back, today
from billing.views.platform.download import xlsx
from tenants.people.roles import Verb, requires

SPANS = (6, 12, 24)
WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 960, 260, 74, 26, 8


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of the drawing. ``series``: which of the legend's looks."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    blocks: list[Block]
    grid: list[Mark]
    below: list[Mark]


@require_safe
@requires(Verb.SEE_BILLING)
def overview(request: HttpRequest) -> HttpResponse:
    day = today()
    span = _span(request)
    months = _since_first(charts.revenue(months_back(day, span)))
    names = _names(months)
    ages = charts.debt(day)
    month = charts.last_billed()
    rows = charts.reached(month) if month else []
    plans = charts.plan_names()
    context: dict[str, Any] = {
        "span": span,
        "spans": SPANS,
        "names": list(enumerate(names.values(), start=1)),
        "months": [(one, [one.by_plan.get(code) for code in names]) for one in reversed(months)],
        "totals": [sum((one.by_plan.get(code, ZERO) for one in months), ZERO) for code in names],
        "given_back": sum((one.given_back for one in months), ZERO),
        "whole": sum((one.kept for one in months), ZERO),
        "any_revenue": any(one.issued for one in months),
        "revenue": _columns(
            [
                (
                    date_format(one.start, "m.y"),
                    [(one.by_plan.get(code, ZERO), name) for code, name in names.items()],
                )
                for one in months
            ]
        ),
        "ages": [(number, age, _age(age)) for number, age in enumerate(ages, start=1)],
        "debt": _bars([(_age(age), age.amount) for age in ages]),
        "owed": sum((age.amount for age in ages), ZERO),
        "month": month,
        "reached": [(row, _what(row), plans.get(row.plan, row.plan)) for row in rows],
        "tiers": _bars([(_what(row), Decimal(row.companies)) for row in rows], money=False),
    }
    return render(request, "billing/platform/charts.html", context)


@require_safe
@requires(Verb.SEE_BILLING)
def export(request: HttpRequest) -> HttpResponse:
    """Revenue by month, one row a month and plan."""
    day = today()
    months = charts.revenue(months_back(day, _span(request)))
    names = _names(months)
    columns = [
        Column(gettext_lazy("Month"), "month", 12),
        *(Column(name, "money", 22) for name in names.values()),
        Column(gettext_lazy("Given back"), "money", 16),
        Column(gettext_lazy("Revenue"), "money", 16),
    ]
    rows: list[list[Cell]] = [
        [one.start, *(one.by_plan.get(code, ZERO) for code in names), one.given_back, one.kept]
        for one in months
    ]
    return xlsx("revenue", workbook(columns, rows), on=day)


def _span(request: HttpRequest) -> int:
    asked = request.GET.get("months", "")
    return int(asked) if asked in {str(span) for span in SPANS} else SPANS[1]


def _since_first(months: list[charts.Month]) -> list[charts.Month]:
    """Without the empty months before the first that brought something; half a year is shown in any case."""
    first = next((place for place, month in enumerate(months) if month.by_plan), len(months))
    return months[min(first, max(0, len(months) - SPANS[0])) :]


def _names(months: Sequence[charts.Month]) -> dict[str, str]:
    """Titles of the plans that brought money, by code; corrections last."""
    known = charts.plan_names()
    codes = {code for month in months for code in month.by_plan}
    ordered = [code for code in known if code in codes] + sorted(codes - {*known, ""})
    found = {code: known.get(code, code) for code in ordered}
    return found | {"": _("Corrections")} if "" in codes else found


def _age(age: charts.Age) -> str:
    if age.first is None:
        return _("not due yet")
    if age.last is None:
        return _("more than %(days)s days late") % {"days": age.first - 1}
    return _("%(first)s–%(last)s days late") % {"first": age.first, "last": age.last}


def _what(row: charts.Reached) -> str:
    if row.bounds:
        first, last = row.bounds
        if last is None:
            return _("more than %(count)s at once, agreed") % {"count": first - 1}
        return _("%(first)s–%(last)s at once") % {"first": first, "last": last}
    return {"base": _("base fee"), "further_profiles": _("further profiles")}.get(row.kind, row.kind)


def _columns(groups: Sequence[tuple[str, list[tuple[Decimal, str]]]]) -> Drawing:
    """Stacked columns; amounts below zero (a correction that gives back) are left to the table."""
    most = max((sum((max(amount, ZERO) for amount, _ in parts), ZERO) for _, parts in groups), default=ZERO)
    top = _round_up(most)
    room, high = (WIDTH - LEFT) / max(1, len(groups)), HEIGHT - BELOW - ABOVE
    blocks, below = [], []
    for place, (label, parts) in enumerate(groups):
        x = LEFT + place * room + room * 0.18
        y = float(HEIGHT - BELOW)
        for series, (amount, name) in enumerate(parts, start=1):
            tall = float(max(amount, ZERO) / top) * high if top else 0.0
            y -= tall
            if tall:
                title = f"{label} · {name}: {rubles_short(amount)}"
                blocks.append(
                    Block(round(x, 1), round(y, 1), round(room * 0.64, 1), round(tall, 1), series, title)
                )
        below.append(Mark(round(x + room * 0.32, 1), HEIGHT - 8, label))
    grid = [
        Mark(LEFT, round(HEIGHT - BELOW - high * part / 4, 1), rubles_short(top * part / 4))
        for part in range(5)
    ]
    return Drawing(blocks, grid, below if len(below) <= 12 else below[:: len(below) // 12])


def _bars(rows: Sequence[tuple[str, Decimal]], *, money: bool = True) -> list[tuple[str, str, float]]:
    """(title, value in words, share of the longest in per cent)."""
    most = max((amount for _, amount in rows), default=ZERO)
    return [
        (
            title,
            rubles_short(amount) if money else f"{amount:f}",
            round(float(amount / most) * 100, 1) if most else 0.0,
        )
        for title, amount in rows
    ]


def _round_up(amount: Decimal) -> Decimal:
    """The next 1, 2, 4 or 8 of a power of ten: an axis of round figures."""
    if amount <= 0:
        return Decimal(1000)
    unit = Decimal(10) ** (amount.adjusted())
    return next(unit * step for step in (1, 2, 4, 8, 10) if unit * step >= amount)

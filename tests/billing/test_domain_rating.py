"""Invoices against a slow calculation that shares no code with them: by days, in fractions, rounded by hand."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.metering import CallTimes, Facts, Measure, Measured
from billing.domain.money import ZERO, kopecks
from billing.domain.periods import DAY, Period, month_of
from billing.domain.pricing import ChargeKind, Fee, PerConcurrency, PerProfile, Terms, Tier
from billing.domain.rating import Bill, Phase, State, further_paid, rate, segments
from billing.domain.vat import NoRate, VatMode, VatRates, taxed

# A busy machine draws slowly, which is no fault of anybody.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ZONE = "Europe/Moscow"
RATES = VatRates([(date(2019, 1, 1), Decimal(20)), (date(2026, 1, 1), Decimal(22))])
JUNE = month_of(date(2026, 6, 1), ZONE)

prices = st.integers(0, 1_000_000).map(lambda kopecks: Decimal(kopecks) / 100)
per_profile = st.builds(
    PerProfile, base=prices, included=st.integers(0, 4), further=prices,
    measure=st.sampled_from([Measure.PROFILES, Measure.PROFILES_DISTINCT, Measure.PROFILE_DAYS]),
)  # fmt: skip
per_concurrency = st.builds(
    PerConcurrency,
    tiers=st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True).flatmap(
        lambda bounds: st.tuples(
            *[st.builds(Tier, up_to=st.just(bound), price=prices) for bound in sorted(bounds)]
        )
    ),
    measure=st.sampled_from([Measure.CALLS, Measure.MANAGERS]),
    internal=st.booleans(),
)
models = per_profile | per_concurrency
june_days = st.dates(date(2026, 5, 25), date(2026, 7, 5))


@st.composite
def phases(draw: st.DrawFn) -> list[Phase]:
    """Up to four plans one after another, some with a gap between, each with up to three prices."""
    bounds = sorted(draw(st.lists(june_days, min_size=2, max_size=5, unique=True)))
    found = []
    for start, end in pairwise(bounds):
        if draw(st.booleans()) or not found:
            model = draw(models)
            later = per_profile if isinstance(model, PerProfile) else per_concurrency
            changes = draw(
                st.lists(st.tuples(june_days, st.just(model) | later), max_size=2, unique_by=lambda c: c[0])
            )
            agreed = draw(st.none() | prices)
            found.append(
                Phase(
                    start, end, [(date(2020, 1, 1), model), *changes], agreed, draw(st.sampled_from(VatMode))
                )
            )
    return found


# On and off at local noon only, so that a day is simply the set of what was on in it.
def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


spells = st.tuples(june_days, st.integers(1, 20))
profile_spells = st.lists(st.tuples(st.sampled_from("pqrstuv"), spells), max_size=8)
call_spells = st.lists(
    st.tuples(
        st.sampled_from("abcdefg"), spells, st.sampled_from(["handled", "internal", "listen"]),
        st.lists(st.sampled_from(["anna", "boris", "vera"]), max_size=2),
    ),
    max_size=8,
)  # fmt: skip


def facts_of(on: list, talks: list) -> Facts:  # type: ignore[type-arg] # what the strategies above draw
    return Facts(
        [(key, (noon(day), noon(day + length * DAY))) for key, (day, length) in on],
        [
            CallTimes(key, [(noon(day), noon(day + length * DAY))], kind, people)
            for key, (day, length), kind, people in talks
        ],
    )


def rounded(exact: Fraction) -> Decimal:
    """Half a kopeck goes up. With digits to spare, for a quotient has no end."""
    with localcontext() as context:
        context.prec = 80
        return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(
            Decimal("0.01"), ROUND_HALF_UP
        )


def held(phase: Phase, day: date) -> PerProfile | PerConcurrency:
    """The price in force on ``day``, by looking from the latest back."""
    for since, model in sorted(phase.prices, key=lambda each: each[0], reverse=True):
        if since <= day:
            return model
    raise AssertionError


def by_hand(found: Sequence[Phase], on: list, talks: list) -> list[tuple[Decimal, Decimal] | None]:  # type: ignore[type-arg]
    """(amount, VAT) of each line of June: day after day, a change of anything begins another stretch."""
    stretches: list[tuple[object, Phase, PerProfile | PerConcurrency, list[date]]] = []
    for number in range(30):
        day = date(2026, 6, 1) + number * DAY
        for phase in found:
            if phase.start <= day and (phase.end is None or day < phase.end):
                model = held(phase, day)
                alike = (model, phase.vat, phase.agreed if isinstance(model, PerConcurrency) else None)
                if stretches and stretches[-1][0] == alike and stretches[-1][3][-1] == day - DAY:
                    stretches[-1][3].append(day)
                else:
                    stretches.append((alike, phase, model, [day]))
    lines: list[tuple[Decimal, Decimal] | None] = []
    for _, phase, model, days in stretches:
        for exact in stretch_by_hand(phase, model, days, on, talks):
            lines.append(None if exact is None else with_vat(exact, phase.vat))
    return lines


def stretch_by_hand(
    phase: Phase,
    model: PerProfile | PerConcurrency,
    days: list[date],
    on: list,
    talks: list,  # type: ignore[type-arg]
) -> list[Fraction | None]:
    part = Fraction(len(days), monthrange(days[0].year, days[0].month)[1])
    # Whatever changes does so at noon: a day is its two halves.
    halves = [noon(day) + timedelta(hours=shift) for day in days for shift in (-5, +5)]
    if isinstance(model, PerProfile):
        there = [there_at(half, [(key, spell) for key, spell in on]) for half in halves]
        lines: list[Fraction | None] = [Fraction(model.base) * part]
        if model.measure is Measure.PROFILE_DAYS:
            daily = [max(len(there[2 * n]), len(there[2 * n + 1])) for n in range(len(days))]
            over = sum(count - model.included for count in daily if count > model.included)
            further = Fraction(model.further) * over / monthrange(days[0].year, days[0].month)[1]
        else:
            most = max(len(names) for names in there)
            count = most if model.measure is Measure.PROFILES else len(set().union(*there))
            over = max(count - model.included, 0)
            further = Fraction(model.further) * over * part
        return [*lines, further] if over else lines
    meant = [t for t in talks if t[2] == "handled" or (model.internal and t[2] == "internal")]
    if model.measure is Measure.CALLS:
        quantity = max(len(there_at(half, [(t[0], t[1]) for t in meant])) for half in halves)
    else:
        quantity = len(
            set().union(*[there_at(half, [(n, t[1]) for t in meant for n in t[3]]) for half in halves])
        )
    for tier in sorted(model.tiers, key=lambda tier: tier.up_to):
        if quantity <= tier.up_to:
            return [Fraction(tier.price) * part]
    return [None if phase.agreed is None else Fraction(phase.agreed) * part]


def there_at(moment: datetime, named: list[tuple[str, tuple[date, int]]]) -> set[str]:
    return {name for name, (day, length) in named if noon(day) <= moment < noon(day + length * DAY)}


def with_vat(exact: Fraction, mode: VatMode) -> tuple[Decimal, Decimal]:
    price = rounded(exact)
    match mode:
        case VatMode.NONE:
            return price, Decimal("0.00")
        case VatMode.ON_TOP:
            tax = rounded(Fraction(price) * 22 / 100)
            return price + tax, tax
        case VatMode.INCLUDED:
            return price, rounded(Fraction(price) * 22 / 122)


@settings(PATIENT, max_examples=1000)
@given(found=phases(), on=profile_spells, talks=call_spells)
def test_an_invoice_is_what_the_slow_calculation_says(found: list[Phase], on: list, talks: list) -> None:  # type: ignore[type-arg]
    bill = rate(JUNE, found, facts_of(on, talks), RATES)
    expected = by_hand(found, on, talks)
    assert [line.money and (line.money.amount, line.money.vat) for line in bill.lines] == expected
    if None in expected:
        assert (bill.state, bill.total, bill.vat) == (State.NEEDS_APPROVAL, None, None)
        unpriced = [line for line in bill.lines if line.charge.kind is ChargeKind.UNAGREED]
        assert len(unpriced) == expected.count(None)
    else:
        money = [each for each in expected if each is not None]
        assert (bill.state, bill.total, bill.vat) == (
            State.READY, sum((amount for amount, _ in money), ZERO), sum((vat for _, vat in money), ZERO)
        )  # fmt: skip


@settings(PATIENT, max_examples=400)
@given(found=phases(), data=st.data(), on=profile_spells, talks=call_spells)
def test_order_and_doubles_change_no_invoice(
    found: list[Phase],
    data: st.DataObject,
    on: list,
    talks: list,  # type: ignore[type-arg]
) -> None:
    turned = [
        replace(each, prices=data.draw(st.permutations(each.prices)))
        for each in data.draw(st.permutations(found))
    ]
    doubled = facts_of(data.draw(st.permutations(on + on)), data.draw(st.permutations(talks + talks[:1])))
    assert rate(JUNE, turned, doubled, RATES) == rate(JUNE, found, facts_of(on, talks), RATES)


@settings(PATIENT, max_examples=400)
@given(found=phases())
def test_segments_tile_the_served_days_and_each_stays_in_its_month(found: list[Phase]) -> None:
    period = Period(date(2026, 5, 20), date(2026, 7, 10), ZONE)
    cuts = segments(period, found)
    days = Counter(day for cut in cuts for day in cut.part.each_day())
    served = {
        period.start + n * DAY
        for n in range(period.days)
        for each in found
        if each.start <= period.start + n * DAY < (each.end or date.max)
    }
    assert days == Counter(served)
    assert all(cut.part.start.month == cut.part.last.month for cut in cuts)
    assert [cut.part.start for cut in cuts] == sorted(cut.part.start for cut in cuts)
    for one, other in pairwise(cuts):
        touching = one.part.end == other.part.start and other.part.start.day != 1
        assert not (touching and one.agreed == other.agreed), "a date at which nothing changes cuts nothing"


@settings(PATIENT, max_examples=400)
@given(found=phases(), on=profile_spells, talks=call_spells)
def test_every_line_adds_up_and_so_does_the_invoice(found: list[Phase], on: list, talks: list) -> None:  # type: ignore[type-arg]
    bill = rate(JUNE, found, facts_of(on, talks), RATES)
    for line in bill.lines:
        if line.money:
            assert line.money.net + line.money.vat == line.money.amount
            assert min(line.money.net, line.money.vat) >= 0
            assert all(each == each.quantize(Decimal("0.01")) for each in (line.money.net, line.money.vat))
    if bill.total is not None:
        assert bill.total == sum(line.money.amount for line in bill.lines if line.money)
        assert bill.vat == sum(line.money.vat for line in bill.lines if line.money)
    assert {each.part for each in bill.counted} == {cut.part for cut in segments(JUNE, found)}


@settings(PATIENT, max_examples=2000)
@given(
    amount=st.fractions(min_value=-(10**9), max_value=10**9)
    | st.integers(-(10**12), 10**12).map(lambda n: Fraction(n, 200))
)
def test_a_fraction_is_rounded_once_and_half_a_kopeck_goes_up(amount: Fraction) -> None:
    assert kopecks(amount) == rounded(amount)
    assert kopecks(amount).as_tuple().exponent == -2


@settings(PATIENT, max_examples=400)
@given(
    price=prices, percent=st.integers(0, 10000).map(lambda n: Decimal(n) / 100), mode=st.sampled_from(VatMode)
)
def test_vat_taken_out_of_what_it_was_put_on_is_the_same(
    price: Decimal, percent: Decimal, mode: VatMode
) -> None:
    rates = VatRates([(date(2020, 1, 1), percent)])
    money = taxed(price, mode=mode, rates=rates, supplied=date(2026, 6, 30))
    assert money.net + money.vat == money.amount
    if mode is VatMode.ON_TOP:
        back = taxed(money.amount, mode=VatMode.INCLUDED, rates=rates, supplied=date(2026, 6, 30))
        assert abs(back.vat - money.vat) <= Decimal("0.01")
    assert (money.rate is None) == (mode is VatMode.NONE)


def test_a_supply_before_the_first_known_rate_is_refused() -> None:
    with pytest.raises(NoRate, match="2018-12-31"):
        taxed(Decimal(1), mode=VatMode.INCLUDED, rates=RATES, supplied=date(2018, 12, 31))
    without = taxed(Decimal(1), mode=VatMode.NONE, rates=RATES, supplied=date(2018, 12, 31))
    assert (without.amount, without.vat) == (Decimal("1.00"), ZERO)


@pytest.mark.parametrize("bounds", [(), (5, 5), (15, 5), (-1,)])
def test_tiers_that_do_not_go_up_are_no_tariff(bounds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Tiers go up"):
        PerConcurrency([Tier(bound, Decimal(1)) for bound in bounds])


@settings(PATIENT, max_examples=300)
@given(model=per_concurrency, quantity=st.integers(0, 9))
def test_every_quantity_is_in_one_tier_or_above_them_all(model: PerConcurrency, quantity: int) -> None:
    (charge,) = model.charges(Measured(model.measure, quantity), Terms())
    assert charge.bounds is not None
    low, high = charge.bounds
    assert low <= quantity <= (quantity if high is None else high)
    assert (high is None) == (quantity > max(tier.up_to for tier in model.tiers))
    assert (charge.kind is ChargeKind.UNAGREED) == (high is None)


# A fee paid once

ONCE = PerProfile(Decimal(1000), 3, Decimal(250), Fee.ONCE)


@settings(PATIENT, max_examples=400)
@given(on=profile_spells, changes=st.lists(june_days, max_size=3, unique=True), start=june_days)
def test_a_connection_is_charged_once_however_the_time_is_cut(
    on: list, changes: list[date], start: date
) -> None:  # type: ignore[type-arg]
    """Month by month, with what was paid before told to the next, or all at once: the same profiles are charged."""
    model = replace(ONCE, included=1)
    phase = Phase(
        start,
        None,
        [(start, model), *((day, replace(model, base=Decimal(n))) for n, day in enumerate(changes))],
    )
    facts = facts_of(on, [])
    whole = Period(date(2026, 5, 1), date(2026, 9, 1), ZONE)
    at_once = rate(whole, [phase], facts, RATES)
    monthly: list[Bill] = []
    month = month_of(whole.start, ZONE)
    while month.start < whole.end:
        paid = further_paid(Period(whole.start, month.start, ZONE), [phase], facts) if monthly else 0
        monthly.append(rate(month, [replace(phase, paid_further=paid)], facts, RATES))
        month = month_of(month.end, ZONE)
    assert [line.money for bill in monthly for line in bill.lines] == [line.money for line in at_once.lines]
    kinds = Counter[ChargeKind]()
    for line in at_once.lines:
        kinds[line.charge.kind] += line.charge.quantity
    most = facts.measure(Measure.PROFILES, Period(start, whole.end, ZONE)).quantity
    assert kinds == Counter({ChargeKind.BASE: 1, ChargeKind.FURTHER: max(0, most - 1)})


def test_a_month_without_a_line_still_says_what_was_counted() -> None:
    phase = Phase(date(2026, 1, 1), None, [(date(2026, 1, 1), ONCE)])
    bill = rate(JUNE, [phase], facts_of([("p", (date(2026, 6, 3), 2))], []), RATES)
    assert (bill.lines, bill.total, bill.state) == ((), ZERO, State.READY)
    assert bill.peak is not None
    assert bill.peak.quantity == 1

"""What billing is told: when profiles were on, when calls were handled, to the microsecond and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import facade
from monitoring.contracts import ProfileActive
from monitoring.models import Call, Leg, ProfileActivity
from monitoring.selectors import billed
from monitoring.selectors.billed import united
from monitoring.services import profiles
from tenants.scope import UnknownCompany, company_scope, current_company_or_none
from tests.profiles.conftest import House, fresh

pytestmark = pytest.mark.django_db
JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 8))
SECOND, MICRO = timedelta(seconds=1), timedelta(microseconds=1)


def call(key: str, started: datetime, ended: datetime | None, **fields: Any) -> Call:
    defaults: dict[str, Any] = {
        "pbx": "1", "direction": "in", "number": "1", "line": "2", "revision": 0.0, "disposition": "answered",
    }  # fmt: skip
    return Call.objects.create(key=f"1:{key}", started=started, ended=ended, **{**defaults, **fields})


def leg(call: Call, *talk: tuple[datetime, datetime | None], hold: list[Any] | None = None) -> Leg:
    def epochs(spans: Any) -> list[list[float | None]]:
        return [[a.timestamp(), b.timestamp() if b else None] for a, b in spans]

    return Leg.objects.create(
        call=call, uniqueid="u", manager_name="alpha_101", queue_name="", rang=call.started, ended=call.ended,
        outcome="answered", available=True, talk=epochs(talk), hold=epochs(hold or []), talk_seconds=0,
        hold_seconds=0,
    )  # fmt: skip


def told(begin: datetime = JUNE, end: datetime = JULY, company: str = "alpha") -> dict[str, Any]:
    found = list(facade.handled_calls(company, begin, end))
    assert len({one.key for one in found}) == len(found)
    return {one.key.removeprefix("1:"): one for one in found}


def test_a_profiles_times_are_told_as_switched_and_to_its_own_company_only(
    house: House, beta_house: House
) -> None:
    with company_scope("alpha"):
        profiles.switch(actor=fresh(house.staff.supervisor), profile=house.mine, on=False)
        row = ProfileActivity.objects.get()
    end = row.started + timedelta(days=1)
    assert facade.profile_activity("alpha", row.started - SECOND, end) == [
        ProfileActive(house.mine.pk, row.started, row.ended)
    ]
    assert row.ended is not None
    assert facade.profile_activity("alpha", row.ended, end) == [], "half-open: over at its end"
    assert facade.profile_activity("alpha", row.started - SECOND, row.started) == []
    (other,) = facade.profile_activity("beta", row.started - SECOND, end)
    assert (other.profile, other.ended) == (beta_house.mine.pk, None)


def test_hold_is_in_overlaps_count_once_and_gaps_stay(house: House) -> None:
    at = JUNE + timedelta(hours=9)
    with company_scope("alpha"):
        one = call("one", at, at + 100 * SECOND)
        leg(one, (at + 10 * SECOND, at + 20 * SECOND), hold=[(at + 20 * SECOND, at + 30 * SECOND)])
        leg(one, (at + 25 * SECOND, at + 40 * SECOND), (at + 60 * SECOND, at + 70 * SECOND))
    assert told()["one"].intervals == (
        (at + 10 * SECOND, at + 40 * SECOND),
        (at + 60 * SECOND, at + 70 * SECOND),
    )


def test_ringing_abandoned_and_merged_calls_are_not_handled(house: House) -> None:
    at = JUNE + timedelta(hours=9)
    with company_scope("alpha"):
        call("abandoned", at, at + SECOND, disposition="abandoned")
        leg(call("rang", at, at + SECOND, disposition="no_answer"))
        leg(call("zero", at, at + SECOND), (at, at))
        merged = call("merged", at, at + SECOND, disposition="merged", merged_into="1:one")
        leg(merged, (at, at + SECOND))
        leg(call("inner", at, at + SECOND, direction="internal"), (at, at + SECOND))
        leg(call("out", at, at + SECOND, direction="out"), (at, at + SECOND))
    assert {key: one.kind for key, one in told().items()} == {"inner": "internal", "out": "handled"}


def test_a_call_over_midnight_of_the_month_is_in_both_months_unclipped(house: House) -> None:
    with company_scope("alpha"):
        late = call("late", JULY - 600 * SECOND, JULY + 600 * SECOND)
        leg(late, (JULY - 600 * SECOND, JULY + 600 * SECOND))
        edge = call("edge", JULY - 60 * SECOND, JULY)
        leg(edge, (JULY - 60 * SECOND, JULY))
    whole = ((JULY - 600 * SECOND, JULY + 600 * SECOND),)
    assert told(JUNE, JULY)["late"].intervals == whole == told(JULY, AUGUST)["late"].intervals
    assert "edge" in told(JUNE, JULY)
    assert "edge" not in told(JULY, AUGUST)


def test_microseconds_are_kept_so_that_one_of_them_can_make_a_sixth_call(house: House) -> None:
    at = JUNE + timedelta(hours=9, microseconds=123_457)
    with company_scope("alpha"):
        leg(call("one", at, at + MICRO), (at, at + MICRO))
    assert told()["one"].intervals == ((at, at + MICRO),)


def test_an_end_nobody_saw_is_the_calls_end_and_a_live_call_goes_on(house: House) -> None:
    at = JUNE + timedelta(hours=9)
    with company_scope("alpha"):
        leg(call("lost", at, at + 50 * SECOND, reconciled=True), (at, None))
        leg(call("live", at, None, disposition="open"), (at, None))
    assert told()["lost"].intervals == ((at, at + 50 * SECOND),)
    assert told()["live"].intervals == ((at, None),)


def test_many_calls_come_in_portions_and_no_scope_is_open_between(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(billed, "AT_ONCE", 3)
    at = JUNE + timedelta(hours=9)
    with company_scope("alpha"):
        for number in range(10):  # several begin at one moment: the place between two portions is exact
            leg(call(str(number), at + (number // 4) * SECOND, at + 9 * SECOND), (at, at + 9 * SECOND))
    seen = []
    for one in facade.handled_calls("alpha", JUNE, JULY):
        assert current_company_or_none() is None
        seen.append(one.key)
    assert seen == [f"1:{number}" for number in range(10)]


def test_another_companys_calls_are_not_told(house: House, beta_house: House) -> None:
    at = JUNE + timedelta(hours=9)
    with company_scope("beta"):
        leg(call("theirs", at, at + SECOND), (at, at + SECOND))
    assert told() == {}
    assert set(told(company="beta")) == {"theirs"}
    with pytest.raises(UnknownCompany):
        next(facade.handled_calls("gamma", JUNE, JULY))


moments = st.integers(0, 40)


@given(st.lists(st.tuples(moments, moments), max_size=12))
def test_united_spans_cover_the_same_moments_once(pairs: list[tuple[int, int]]) -> None:
    spans = [(JUNE + a * SECOND, JUNE + b * SECOND) for a, b in pairs]
    found = united(spans)
    ends = [end for _begin, end in found]
    assert None not in ends
    covered = [int((JUNE + n * SECOND).timestamp()) for n in range(41)]
    for second in covered:
        at = datetime.fromtimestamp(second, UTC)
        assert sum(a <= at < b for a, b in found if b) == any(a <= at < b for a, b in spans)

"""Every case with an exact answer, by name: what the two tariffs mean, in roubles. The table is in docs/billing.md.

Each goes the whole way of ``manage.py rate``; test_domain_rating.py asks the same of the domain at random.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.factories.cases import (
    always,
    at_once,
    calls,
    case,
    per_concurrency,
    per_profile,
    profiles,
    rated,
    told,
)

RAISED = {"2026-04-16": {"base": "1200.00"}}
NIGHT = ("2026-06-30T23:50:00", "2026-07-01T00:10:00")


def total(*subscriptions: dict[str, Any], **more: Any) -> str | None:
    """What is to pay; the lines are added up by hand on the way."""
    invoice = rated(*subscriptions, **more)
    lines = invoice["lines"]
    if invoice["total"] is None:
        assert invoice["state"] == "needs_approval"
        return None
    assert sum(Decimal(line["amount"]) for line in lines) == Decimal(invoice["total"])
    assert sum(Decimal(line["vat"]) for line in lines) == Decimal(invoice["vat"])
    assert all(Decimal(line["net"]) + Decimal(line["vat"]) == Decimal(line["amount"]) for line in lines)
    found: str = invoice["total"]
    return found


# Per monitoring profile


@pytest.mark.parametrize(
    ("count", "roubles"),
    [
        (0, "1000.00"), (1, "1000.00"), (3, "1000.00"), (4, "1250.00"), (5, "1500.00"), (10, "2750.00"),
    ],
)  # fmt: skip
def test_three_profiles_are_included_and_each_further_one_costs_250(count: int, roubles: str) -> None:
    assert total(per_profile(), profiles=always(count)) == roubles


def test_the_base_and_the_further_profiles_are_lines_of_their_own() -> None:
    invoice = rated(per_profile(), profiles=always(5))
    assert [(line["quantity"], line["amount"]) for line in invoice["lines"]] == [
        (1, "1000.00"),
        (2, "500.00"),
    ]
    assert invoice["peak"] == 5


def test_a_profile_swapped_at_the_same_instant_is_free() -> None:
    swapped = profiles(
        ("2026-05-01", None), ("2026-05-01", None),
        ("2026-05-01", "2026-06-10T12:00:00"), ("2026-06-10T12:00:00", None),
    )  # fmt: skip
    assert total(per_profile(), profiles=swapped) == "1000.00"


def test_a_swap_that_overlaps_by_a_second_is_a_fourth_profile() -> None:
    swapped = profiles(
        ("2026-05-01", None), ("2026-05-01", None),
        ("2026-05-01", "2026-06-10T12:00:01"), ("2026-06-10T12:00:00", None),
    )  # fmt: skip
    invoice = rated(per_profile(), profiles=swapped)
    assert (invoice["total"], invoice["peak_at"]) == ("1250.00", "2026-06-10T12:00:00+03:00")


def test_a_start_on_16_june_with_four_profiles_pays_15_of_30_days() -> None:
    assert total(per_profile("2026-06-16"), profiles=always(4)) == "625.00"


def test_only_31_december_is_a_31st_of_the_month() -> None:
    assert total(per_profile("2026-12-31"), profiles=always(3), month="2026-12") == "32.26"


def test_a_new_base_from_16_april_applied_to_a_subscriber_is_paid_by_halves() -> None:
    invoice = rated(per_profile(prices=RAISED), profiles=always(3), month="2026-04")
    assert [line["amount"] for line in invoice["lines"]] == ["500.00", "600.00"]
    assert invoice["total"] == "1100.00"


def test_a_new_base_from_16_april_not_applied_leaves_the_old_one() -> None:
    assert total(per_profile(), profiles=always(3), month="2026-04") == "1000.00"


# Per calls handled at once


def test_a_month_without_calls_pays_the_first_tier() -> None:
    invoice = rated(per_concurrency())
    assert (invoice["total"], invoice["peak"], invoice["peak_at"]) == ("1500.00", 0, None)


@pytest.mark.parametrize(
    ("count", "roubles"),
    [
        (1, "1500.00"), (5, "1500.00"), (6, "3000.00"), (15, "3000.00"), (16, "5000.00"), (40, "5000.00"),
    ],
)  # fmt: skip
def test_a_tier_holds_its_bounds(count: int, roubles: str) -> None:
    assert total(per_concurrency(), calls=at_once(count)) == roubles


def test_a_sixth_call_that_overlaps_by_a_microsecond_is_the_second_tier() -> None:
    sixth = calls([("2026-06-10T12:04:59.999999", "2026-06-10T12:09:00")], begin="sixth")
    invoice = rated(per_concurrency(), calls=at_once(5) + sixth)
    assert (invoice["total"], invoice["peak"]) == ("3000.00", 6)
    assert invoice["peak_at"] == "2026-06-10T12:04:59.999999+03:00"


def test_five_that_end_and_five_that_start_at_one_instant_are_five() -> None:
    assert total(per_concurrency(), calls=at_once(5) + at_once(5, "2026-06-10T12:05:00")) == "1500.00"


def test_41_at_once_and_nothing_agreed_waits_for_approval_without_an_amount() -> None:
    invoice = rated(per_concurrency(), calls=at_once(41))
    assert (invoice["state"], invoice["total"], invoice["vat"]) == ("needs_approval", None, None)
    assert [(line["quantity"], line["amount"]) for line in invoice["lines"]] == [(41, None)]


def test_41_at_once_pay_what_was_agreed() -> None:
    assert total(per_concurrency(agreed="7300.00"), calls=at_once(41)) == "7300.00"


def test_an_agreed_price_is_not_paid_below_the_last_tiers_bound() -> None:
    assert total(per_concurrency(agreed="7300.00"), calls=at_once(40)) == "5000.00"


def test_an_agreed_price_holds_from_its_day() -> None:
    agreed = {"2026-06-16": "7300.00", "2026-07-01": None}
    first, second = (at_once(41, f"2026-06-{day}T12:00:00") for day in ("10", "20"))
    assert total(per_concurrency(agreed=agreed), calls=second) == "4400.00"  # 1500 / 2 + 7300 / 2
    assert total(per_concurrency(agreed=agreed), calls=first) is None
    july = at_once(41, "2026-07-10T12:00:00")
    assert total(per_concurrency(agreed=agreed), calls=july, month="2026-07") is None


def test_a_call_delivered_twice_is_one() -> None:
    five = at_once(5)
    assert total(per_concurrency(), calls=[*five, five[0]]) == "1500.00"


def test_ringing_calls_have_no_interval_and_count_for_nothing() -> None:
    ringing = [{"key": f"r{n}", "intervals": [], "kind": "handled"} for n in range(10)]
    assert total(per_concurrency(), calls=at_once(5) + ringing) == "1500.00"


def test_a_listener_is_no_call() -> None:
    listener = calls([("2026-06-10T12:00:00", "2026-06-10T12:05:00")], "listen", "ear")
    assert total(per_concurrency(), calls=at_once(5) + listener) == "1500.00"


def test_a_call_between_colleagues_counts_only_where_the_plan_says_so() -> None:
    inside = calls([("2026-06-10T12:00:00", "2026-06-10T12:05:00")], "internal", "in")
    assert total(per_concurrency(), calls=at_once(5) + inside) == "1500.00"
    counted = per_concurrency(prices={"internal": True})
    assert total(counted, calls=at_once(5) + inside) == "3000.00"


def test_a_transfer_and_a_conference_are_one_call() -> None:
    """Two legs' times of one call overlap; hold is a part of the talk."""
    transferred = {
        "key": "t", "kind": "handled",
        "intervals": [
            ["2026-06-10T12:00:00", "2026-06-10T12:03:00"], ["2026-06-10T12:02:00", "2026-06-10T12:05:00"],
        ],
    }  # fmt: skip
    assert total(per_concurrency(), calls=[*at_once(4), transferred]) == "1500.00"


def test_nothing_is_counted_between_two_talks_of_one_call() -> None:
    """In the IVR again, it is with nobody."""
    twice = {
        "key": "t", "kind": "handled",
        "intervals": [
            ["2026-06-10T11:00:00", "2026-06-10T12:00:00"], ["2026-06-10T12:05:00", "2026-06-10T12:10:00"],
        ],
    }  # fmt: skip
    assert total(per_concurrency(), calls=[*at_once(5), twice]) == "1500.00"


def test_a_call_of_no_length_is_nothing() -> None:
    none = calls([("2026-06-10T12:01:00", "2026-06-10T12:01:00")], begin="none")
    assert total(per_concurrency(), calls=at_once(5) + none) == "1500.00"


def test_a_call_that_goes_on_counts_until_the_month_ends() -> None:
    going = calls([("2026-06-10T12:01:00", None)], begin="going")
    late = at_once(5, "2026-06-30T23:59:59.999999", "2026-07-01T00:00:00")
    assert total(per_concurrency(), calls=going + late) == "3000.00"


def test_a_call_over_midnight_belongs_to_each_month_while_it_lasts() -> None:
    crossing = calls([NIGHT], begin="night") + at_once(5, "2026-07-01T00:05:00")
    assert total(per_concurrency(), calls=crossing) == "1500.00"
    assert total(per_concurrency(), calls=crossing, month="2026-07") == "3000.00"


def test_2230_utc_on_30_june_is_july_in_moscow() -> None:
    late = at_once(6, "2026-06-30T22:30:00+00:00", "2026-06-30T22:40:00+00:00")
    assert total(per_concurrency(), calls=late) == "1500.00"
    assert total(per_concurrency(), calls=late, month="2026-07") == "3000.00"


def test_calls_that_end_at_midnight_are_of_the_month_that_ends() -> None:
    ending = at_once(6, "2026-06-30T23:50:00", "2026-07-01T00:00:00")
    assert total(per_concurrency(), calls=ending) == "3000.00"
    assert total(per_concurrency(), calls=ending, month="2026-07") == "1500.00"


def test_a_start_on_11_june_with_a_peak_of_12_pays_20_of_30_days() -> None:
    assert total(per_concurrency("2026-06-11"), calls=at_once(12, "2026-06-20T12:00:00")) == "2000.00"


def test_calls_before_the_start_are_not_paid() -> None:
    assert total(per_concurrency("2026-06-11"), calls=at_once(12, "2026-06-10T12:00:00")) == "1000.00"


def test_a_late_sixth_call_makes_the_month_1500_dearer() -> None:
    """In grace the draft says the second; after it the difference is a line of the next invoice (test_runs.py)."""
    late = calls([("2026-06-10T12:01:00", "2026-06-10T12:02:00")], begin="late")
    before = total(per_concurrency(), calls=at_once(5))
    after = total(per_concurrency(), calls=at_once(5) + late)
    assert before is not None
    assert after is not None
    assert (after, Decimal(after) - Decimal(before)) == ("3000.00", Decimal("1500.00"))


@pytest.mark.parametrize(
    ("setting", "count", "roubles"), [("managers", 6, "3000.00"), ("calls", 6, "1500.00")]
)
def test_managers_who_took_calls_may_be_what_is_counted(setting: str, count: int, roubles: str) -> None:
    """One call after another, each by somebody else; two of them in another month."""
    one_by_one = [
        {
            "key": f"c{n}", "managers": [f"m{n}"],
            "intervals": [[f"2026-06-{n + 1:02}T12:00:00", f"2026-06-{n + 1:02}T12:05:00"]],
        }
        for n in range(count)
    ]  # fmt: skip
    other = {
        "key": "x",
        "managers": ["x", "y"],
        "intervals": [["2026-07-02T12:00:00", "2026-07-02T12:01:00"]],
    }
    plan = per_concurrency(prices={"measure": setting})
    assert total(plan, calls=[*one_by_one, other]) == roubles


# VAT


def test_vat_inside_1500_is_250_in_december_2025() -> None:
    assert rated(per_concurrency(), month="2025-12")["vat"] == "250.00"


def test_vat_inside_1500_is_270_49_in_january_2026() -> None:
    invoice = rated(per_concurrency(), month="2026-01")
    assert (invoice["total"], invoice["vat"], invoice["lines"][0]["net"]) == ("1500.00", "270.49", "1229.51")


def test_22_percent_on_top_of_1500_is_1830() -> None:
    invoice = rated(per_concurrency(), vat="on_top")
    assert (invoice["total"], invoice["vat"], invoice["lines"][0]["amount"]) == (
        "1830.00",
        "330.00",
        "1830.00",
    )


def test_without_vat_the_price_is_the_amount() -> None:
    invoice = rated(per_concurrency(), vat="none")
    assert (invoice["total"], invoice["vat"]) == ("1500.00", "0.00")


def test_vat_is_rounded_in_each_line_and_then_added() -> None:
    """1000 and 250 at 22 %: 180.33 and 45.08; of 1250 at once it would be 225.41 too, of 3 × 83.33 it would not."""
    invoice = rated(per_profile(prices={"base": "0.03", "further": "0.03"}), profiles=always(4))
    assert [line["vat"] for line in invoice["lines"]] == ["0.01", "0.01"]
    assert (invoice["total"], invoice["vat"]) == ("0.06", "0.02")  # 22/122 of 0.06 would be 0.01


def test_at_new_year_each_month_is_taxed_by_the_rate_of_its_own_supply() -> None:
    described = case(per_profile(), profiles=always(3), month="2025-12")
    described["period"]["end"] = "2026-02-01"
    invoice = told(described)
    assert [(line["to"], line["vat"]) for line in invoice["lines"]] == [
        ("2026-01-01", "166.67"), ("2026-02-01", "180.33"),
    ]  # fmt: skip


def test_each_segment_of_a_changed_month_has_its_own_vat() -> None:
    invoice = rated(per_profile(prices=RAISED), profiles=always(3), month="2026-04")
    assert [line["vat"] for line in invoice["lines"]] == ["90.16", "108.20"]
    assert invoice["vat"] == "198.36"


# A month that is not whole or not even


def test_february_of_a_leap_year_has_29_days() -> None:
    assert total(per_profile("2028-02-29"), profiles=always(3), month="2028-02") == "34.48"
    assert total(per_profile("2027-02-28"), profiles=always(3), month="2027-02") == "35.71"


def test_a_service_that_stops_pays_the_days_before() -> None:
    assert total(per_profile(to="2026-06-16"), profiles=always(4)) == "625.00"
    assert total(per_profile(to="2026-06-01"), profiles=always(4)) == "0.00"


def test_a_change_of_plan_pays_each_by_its_days_and_its_own_quantity() -> None:
    invoice = rated(
        per_profile(to="2026-06-11"), per_concurrency("2026-06-11"),
        profiles=always(4), calls=at_once(41, "2026-06-10T12:00:00") + at_once(6, "2026-06-11T00:00:00"),
    )  # fmt: skip
    assert [line["amount"] for line in invoice["lines"]] == ["333.33", "83.33", "2000.00"]
    assert (invoice["total"], invoice["peak"]) == ("2416.66", 6)


def test_two_tariffs_at_once_are_both_billed() -> None:
    assert total(per_profile(), per_concurrency(), profiles=always(4), calls=at_once(6)) == "4250.00"


def test_a_stop_and_a_start_on_one_day_with_the_same_terms_cut_nothing() -> None:
    again = (per_concurrency(to="2026-06-16"), per_concurrency("2026-06-16"))
    invoice = rated(*again, calls=at_once(6))
    assert [line["amount"] for line in invoice["lines"]] == ["3000.00"]


def test_peaks_of_segments_are_not_mixed() -> None:
    dearer = {"2026-06-16": {"tiers": [{"up_to": 5, "price": 1800}, {"up_to": 15, "price": 3600.5}]}}
    invoice = rated(per_concurrency(prices=dearer), calls=at_once(6, "2026-06-10T12:00:00"))
    assert [(line["quantity"], line["amount"]) for line in invoice["lines"]] == [
        (6, "1500.00"), (0, "900.00"),
    ]  # fmt: skip


# Days of a zone


def test_a_company_in_vladivostok_has_its_own_midnight() -> None:
    """00:00 on 1 July there is 17:00 on 30 June in Moscow."""
    evening = at_once(6, "2026-06-30T17:00:00+03:00", "2026-06-30T17:05:00+03:00")
    assert total(per_concurrency(), calls=evening, zone="Asia/Vladivostok") == "1500.00"
    assert total(per_concurrency(), calls=evening, zone="Asia/Vladivostok", month="2026-07") == "3000.00"
    assert total(per_concurrency(), calls=evening) == "3000.00"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Tongatapu", "Pacific/Apia", "Asia/Kamchatka"])
def test_zones_far_in_the_east_begin_the_month_first(zone: str) -> None:
    first = at_once(6, "2026-06-01T00:00:00", "2026-06-01T00:00:01")
    invoice = rated(per_concurrency(), calls=first, zone=zone)
    assert (invoice["total"], invoice["peak_at"][:19]) == ("3000.00", "2026-06-01T00:00:00")
    assert total(per_concurrency(), calls=first, zone=zone, month="2026-05") == "1500.00"


@pytest.mark.parametrize(
    ("zone", "month", "day"),
    [
        ("America/New_York", "2026-03", "2026-03-08"),
        ("America/New_York", "2026-11", "2026-11-01"),
        ("Europe/Berlin", "2026-03", "2026-03-29"),
        ("Europe/Berlin", "2026-10", "2026-10-25"),
    ],
)
def test_a_day_of_23_or_25_hours_is_a_day(zone: str, month: str, day: str) -> None:
    """Served on that day alone: one of 31 (or 30) days, whatever the clocks did."""
    after = f"{day[:8]}{int(day[8:]) + 1:02}"
    roubles = {"2026-11": "50.00"}.get(month, "48.39")  # 1500 / 30, 1500 / 31
    assert total(per_concurrency(day, to=after), zone=zone, month=month) == roubles


def test_the_hour_that_comes_twice_is_two_hours_of_calls() -> None:
    """02:30 in Berlin on 25 October 2026 is at 00:30 and at 01:30 UTC."""
    first = at_once(3, "2026-10-25T02:30:00+02:00", "2026-10-25T02:35:00+02:00")
    second = at_once(3, "2026-10-25T02:30:00+01:00", "2026-10-25T02:35:00+01:00")
    for each, more in zip(first, second, strict=True):
        more["key"] += each["key"]
    berlin: dict[str, Any] = {"zone": "Europe/Berlin", "month": "2026-10"}
    assert total(per_concurrency(), calls=first + second, **berlin) == "1500.00"
    told_twice = at_once(6, "2026-10-25T02:30:00", "2026-10-25T02:35:00")
    invoice = rated(per_concurrency(), calls=told_twice, **berlin)
    assert (invoice["total"], invoice["peak_at"]) == ("3000.00", "2026-10-25T02:30:00+02:00")


def test_a_time_the_clocks_skip_is_read_as_if_they_went_on() -> None:
    invoice = rated(
        per_concurrency(), calls=at_once(6, "2026-03-29T02:30:00"), zone="Europe/Berlin", month="2026-03"
    )
    assert invoice["peak_at"] == "2026-03-29T03:30:00+02:00"


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_do() -> None:
    """In Cairo 24 April 2026 began at 01:00, which is 22:00 UTC of the 23rd."""
    edge = at_once(6, "2026-04-23T21:59:59+00:00", "2026-04-23T22:00:00+00:00")
    cairo: dict[str, Any] = {"zone": "Africa/Cairo", "month": "2026-04"}
    assert total(per_concurrency("2026-04-24"), calls=edge, **cairo) == "350.00"  # 1500 · 7/30
    edge = at_once(6, "2026-04-23T22:00:00+00:00", "2026-04-23T22:00:01+00:00")
    invoice = rated(per_concurrency("2026-04-24"), calls=edge, **cairo)
    assert (invoice["total"], invoice["peak_at"]) == ("700.00", "2026-04-24T01:00:00+03:00")


# Settings of a plan


def test_distinct_counts_every_profile_that_was_on() -> None:
    swapped = profiles(
        ("2026-05-01", None), ("2026-05-01", None),
        ("2026-05-01", "2026-06-10T12:00:00"), ("2026-06-10T12:00:00", None),
    )  # fmt: skip
    invoice = rated(per_profile(profile_measure="distinct"), profiles=swapped)
    assert (invoice["total"], invoice["peak"]) == ("1250.00", 4)


def test_prorated_days_pay_a_further_profile_by_its_days() -> None:
    """A fourth profile on 11 and 12 June, for an hour of the 13th: 3 of 30 days of 250."""
    on = [*always(3), {"id": "further", "from": "2026-06-11", "to": "2026-06-13T01:00:00"}]
    invoice = rated(per_profile(profile_measure="prorated_days"), profiles=on)
    assert [(line["quantity"], line["amount"]) for line in invoice["lines"]] == [(1, "1000.00"), (3, "25.00")]


def test_prorated_days_are_shares_of_their_own_month() -> None:
    on = [*always(3), {"id": "further", "from": "2026-02-11", "to": "2026-02-14"}]
    invoice = rated(per_profile(profile_measure="prorated_days"), profiles=on, month="2026-02")
    assert invoice["lines"][1]["amount"] == "26.79"  # 250 · 3/28


def test_prorated_days_of_a_served_part_are_not_divided_twice() -> None:
    invoice = rated(per_profile("2026-06-16", profile_measure="prorated_days"), profiles=always(4))
    assert [line["amount"] for line in invoice["lines"]] == ["500.00", "125.00"]


def test_a_fee_once_is_paid_whole_in_the_month_of_connection_and_never_again() -> None:
    once = per_profile("2026-06-16", prices={"fee": "once"})
    assert total(once, profiles=always(4)) == "1250.00"
    assert total(once, profiles=always(4), month="2026-07") == "0.00"


def test_a_profile_connected_later_is_paid_once() -> None:
    once = per_profile("2026-05-16", prices={"fee": "once"})
    on = [*always(4), {"id": "fifth", "from": "2026-06-20", "to": None}]
    assert [total(once, profiles=on, month=f"2026-0{month}") for month in (5, 6, 7)] == [
        "1250.00", "250.00", "0.00",
    ]  # fmt: skip


def test_a_new_price_does_not_charge_a_connection_again() -> None:
    prices = {"2020-01-01": {"fee": "once"}, "2026-06-20": {"further": "300.00"}}
    on = [*always(4), {"id": "fifth", "from": "2026-06-25", "to": None}]
    invoice = rated(per_profile("2026-06-16", prices=prices), profiles=on)
    assert [line["amount"] for line in invoice["lines"]] == ["1000.00", "250.00", "300.00"]

"""``manage.py rate``: a described case becomes an invoice with no database; a wrong one is told where and why."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from billing.selectors.json_reading import Wrong
from billing.services.described import answer
from tests.factories.cases import always, at_once, case, per_concurrency, per_profile, rated, told

# A busy machine draws slowly, which is no fault of anybody.
PATIENT = effort(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What every wrong file is made of by one change. No test here may open a database: none is marked to.
SOUND = case(
    per_profile(to="2026-06-16", prices={"2026-04-16": {"base": "1200.00"}}, profile_measure="peak"),
    per_concurrency("2026-06-16", agreed={"2026-06-20": "7000.00"}),
    profiles=always(4),
    calls=at_once(2),
)
Change = Callable[[dict[str, Any]], object]


def run(
    file: Path | str, *options: str, given: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """A real process on a machine whose database does not answer."""
    return subprocess.run(
        [sys.executable, "manage.py", "rate", str(file), *options],
        cwd=settings.BASE_DIR,
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env=os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", **environment},
    )


def test_it_prints_one_utf_8_object_without_a_database_in_any_locale(tmp_path: Path) -> None:
    file = tmp_path / "случай.json"
    file.write_text(json.dumps(SOUND), "utf-8")
    ran = run(file, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, b"")
    printed = ran.stdout.decode("utf-8")
    assert json.loads(printed) == told(SOUND)
    assert printed.startswith('{\n  "lines": [\n    {\n      "what": ')
    assert "Абонентская плата" in printed


def test_it_reads_standard_input_and_speaks_english_when_asked() -> None:
    ran = run("-", "--language", "en", given=json.dumps(SOUND).encode("utf-8-sig"))
    assert ran.returncode == 0
    assert "Monthly fee" in json.loads(ran.stdout)["lines"][0]["what"]


def test_a_wrong_file_is_told_in_one_line_with_exit_2_and_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps(SOUND | {"time_zone": "Европа/\ud800\n"}), "utf-8")
    ran = run(file, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr == b"time_zone: there is no such time zone; one like Europe/Moscow is wanted\n"


def test_the_command_in_this_process_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("rate", str(tmp_path / "none.json"))
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{tmp_path / 'none.json'}: cannot be read: No such file or directory\n")


def test_an_invoice_has_these_fields_and_no_others() -> None:
    invoice = rated(per_concurrency(), calls=at_once(1))
    assert list(invoice) == ["lines", "total", "vat", "state", "peak", "peak_at"]
    assert list(invoice["lines"][0]) == ["what", "quantity", "amount", "vat", "net", "from", "to"]


def test_what_is_left_out_has_its_first_meaning() -> None:
    """VAT is included, nothing is agreed, a call is a handled one, an end that is not said is none."""
    short = {
        "time_zone": "Europe/Moscow",
        "period": {"start": "2026-06-01", "end": "2026-07-01"},
        "subscriptions": [
            {"plan": "per_profile", "from": "2026-06-01"}, {"plan": "per_concurrency", "from": "2026-06-16"},
        ],
        "profiles": [{"id": "p1", "from": "2026-06-01"}],
        "calls": [{"key": "c1", "intervals": [["2026-06-20T12:00", None]]}],
    }  # fmt: skip
    assert told(short) == rated(
        per_profile("2026-06-01", prices=None, agreed=None, profile_measure="peak"),
        per_concurrency("2026-06-16", prices={}, agreed=None),
        profiles=[{"id": "p1", "from": "2026-06-01T00:00:00+03:00", "to": None}],
        calls=[{"key": "c1", "intervals": [["2026-06-20T12:00:00.000000", None]], "kind": "handled"}],
    )


@pytest.mark.parametrize("base", ["1200.50", 1200.5, "1200.5"])
def test_prices_are_texts_or_numbers_whole_or_by_date(base: object) -> None:
    on = always(4)
    for prices in ({"base": base}, {"2026-01-01": {"base": base}}, {"2026-01-01": base}):
        assert rated(per_profile(prices=prices), profiles=on)["total"] == "1450.50"


def test_a_price_says_only_what_it_changes() -> None:
    prices = {"2026-03-01": {"included": 1}, "2026-05-01": {"further": 100}, "2026-06-16": "3000"}
    invoice = rated(per_profile(prices=prices), profiles=always(4))
    amounts = [line["amount"] for line in invoice["lines"]]
    assert amounts == ["500.00", "150.00", "1500.00", "150.00"]


def test_vat_rates_of_the_case_come_on_top_of_the_known_ones() -> None:
    described = case(per_concurrency(), month="2027-02")
    described["vat"]["rates"] = {"2027-01-01": "25"}
    assert told(described)["vat"] == "300.00"
    described["period"] = {"start": "2026-12-01", "end": "2027-01-01"}
    assert told(described)["vat"] == "270.49"


def test_the_order_of_a_file_means_nothing() -> None:
    turned = SOUND | {key: SOUND[key][::-1] for key in ("subscriptions", "profiles", "calls")}
    assert told(turned) == told(SOUND)


def at(*path: str | int, value: object) -> Change:
    """Put ``value`` at a place of the case."""

    def change(described: dict[str, Any]) -> None:
        inside: Any = described
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = value

    return change


def without(*path: str | int) -> Change:
    def change(described: dict[str, Any]) -> None:
        inside: Any = described
        for step in path[:-1]:
            inside = inside[step]
        del inside[path[-1]]

    return change


FIRST, SECOND, CALL = ("subscriptions", 0), ("subscriptions", 1), ("calls", 0)
WRONG: list[tuple[Change, str, str]] = [
    (without("time_zone"), "time_zone", "is missing"),
    (without("period", "end"), "period.end", "is missing"),
    (without("subscriptions"), "subscriptions", "is missing"),
    (without(*FIRST, "plan"), "subscriptions[0].plan", "is missing"),
    (without(*CALL, "key"), "calls[0].key", "is missing"),
    (at("colour", value=1), "colour", "no such key"),
    (at("a\nb\u202e", value=1), '["a\\nb\\u202e"]', "no such key"),
    (at("x" * 5000, value=1), '["' + "x" * 60 + '\\u2026"]', "no such key"),
    (at(*FIRST, "form", value=1), "subscriptions[0].form", "no such key"),
    (at("time_zone", value="Moscow"), "time_zone", "no such time zone"),
    (at("time_zone", value="../../etc/passwd"), "time_zone", "no such time zone"),
    (at("time_zone", value="localtime"), "time_zone", "no such time zone"),
    (at("time_zone", value=3), "time_zone", "a text"),
    (at("period", value=[]), "period", "an object"),
    (at("period", "start", value="2026-02-30"), "period.start", "in no calendar"),
    (at("period", "start", value="01.06.2026"), "period.start", "a date like"),
    (at("period", "start", value="20260601"), "period.start", "a date like"),
    (at("period", "start", value="0001-01-01"), "period.start", "a year from"),
    (at("period", "end", value="2026-06-01"), "period.end", "not after the start"),
    (at("period", "end", value="2126-06-01"), "period.end", "more than 120 months"),
    (at("vat", "mode", value="inside"), "vat.mode", "one of included, on_top, none"),
    (at("vat", "mode", value=None), "vat.mode", "one of included, on_top, none"),
    (at("vat", "rates", value={"2026-06-01": -1}), 'vat.rates["2026-06-01"]', "an amount from 0"),
    (at("vat", "rates", value={"2026-06-01": 101}), 'vat.rates["2026-06-01"]', "a percent"),
    (at("vat", "rates", value={"now": 20}), 'vat.rates.now', "a date like"),
    (at("subscriptions", value={}), "subscriptions", "a list"),
    (at("subscriptions", value=[7]), "subscriptions[0]", "an object"),
    (at(*FIRST, "plan", value="per_call"), "subscriptions[0].plan", "one of per_profile, per_concurrency"),
    (at(*FIRST, "plan", value=["per_profile"]), "subscriptions[0].plan", "one of per_profile"),
    (at(*FIRST, "from", value=None), "subscriptions[0].from", "a date like"),
    (at(*FIRST, "to", value="2020-01-01"), "subscriptions[0].to", "not after its from"),
    (at(*FIRST, "agreed", value="5000"), "subscriptions[0].agreed", "only per_concurrency"),
    (at(*FIRST, "profile_measure", value="most"), "subscriptions[0].profile_measure", "one of peak"),
    (at(*FIRST, "prices", value={"base": -1}), "subscriptions[0].prices.base", "an amount from 0"),
    (at(*FIRST, "prices", value={"base": "1000,00"}), "subscriptions[0].prices.base", "an amount like"),
    (at(*FIRST, "prices", value={"base": "0.005"}), "subscriptions[0].prices.base", "two decimal places"),
    (at(*FIRST, "prices", value={"included": 2.5}), "subscriptions[0].prices.included", "a whole number"),
    (at(*FIRST, "prices", value={"bonus": 1}), "subscriptions[0].prices.bonus", "no such setting"),
    (at(*FIRST, "prices", value={"2026-04-16": None}), 'subscriptions[0].prices["2026-04-16"]', "an amount"),
    (at(*FIRST, "prices", value={"2026-04-16": 1, "base": 2}), "subscriptions[0].prices.base", "a date like"),
    (at(*FIRST, "prices", value={"2026-04-31": 1}), 'subscriptions[0].prices["2026-04-31"]', "in no calendar"),
    (at(*FIRST, "prices", value=[1]), "subscriptions[0].prices", "an amount"),
    (at(*SECOND, "prices", value=900), "subscriptions[1].prices", "an object"),
    (at(*SECOND, "prices", value={"tiers": []}), "subscriptions[1].prices.tiers", "a list of"),
    (
        at(*SECOND, "prices", value={"tiers": [{"up_to": 5, "price": 1}, {"up_to": 5, "price": 2}]}),
        "subscriptions[1].prices.tiers", "Tiers go up",
    ),
    (
        at(*SECOND, "prices", value={"2026-06-01": {"tiers": [{"up_to": 5, "price": "x"}]}}),
        'subscriptions[1].prices["2026-06-01"].tiers[0].price', "an amount",
    ),
    (
        at(*SECOND, "prices", value={"tiers": [{"up_to": 5, "price": 1, "to": 6}]}),
        "subscriptions[1].prices.tiers[0].to", "no such key",
    ),
    (at(*SECOND, "agreed", value=-5), "subscriptions[1].agreed", "an amount from 0"),
    (at(*SECOND, "agreed", value=True), "subscriptions[1].agreed", "an amount from 0"),
    (at(*SECOND, "agreed", value={"2026-06-20": "NaN"}), 'subscriptions[1].agreed["2026-06-20"]', "an amount"),
    (at(*SECOND, "agreed", value=10**11), "subscriptions[1].agreed", "an amount from 0"),
    (
        at("subscriptions", value=[per_profile(), per_concurrency(), per_profile("2026-06-16")]),
        "subscriptions[2]", "shares days with subscriptions[0]",
    ),
    (at("profiles", value=None), "profiles", "a list"),
    (at("profiles", 0, "id", value=""), "profiles[0].id", "a text"),
    (at("profiles", 0, "id", value=1), "profiles[0].id", "a text"),
    (at("profiles", 0, "from", value="2026-06-01T25:00:00"), "profiles[0].from", "on no clock"),
    (at("profiles", 0, "from", value="2026-06-01T12:00:00.1234567"), "profiles[0].from", "a time like"),
    (at("profiles", 0, "from", value="9999-12-31T23:00:00"), "profiles[0].from", "a year from"),
    (at("profiles", 0, "to", value="2019-01-01T00:00:00"), "profiles[0].to", "before the start"),
    (at(*CALL, "kind", value="ringing"), "calls[0].kind", "one of handled, internal, listen"),
    (at(*CALL, "intervals", value=[["2026-06-01"]]), "calls[0].intervals[0]", "two times"),
    (at(*CALL, "intervals", 0, 0, value=None), "calls[0].intervals[0][0]", "a time like"),
    (at(*CALL, "intervals", 0, 1, value="2026-06-10T11:59:59"), "calls[0].intervals[0][1]", "before the start"),
    (at(*CALL, "managers", value="m1"), "calls[0].managers", "a list"),
    (at("period", value={"start": "2018-12-01", "end": "2019-01-01"}), "vat.rates", "2018-12-31"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "why"), WRONG)
def test_a_wrong_value_is_told_with_its_place(change: Change, where: str, why: str) -> None:
    described = copy.deepcopy(SOUND)
    if where == "vat.rates":
        described["subscriptions"] = [per_concurrency("2018-01-01")]
    change(described)
    with pytest.raises(Wrong) as error:
        told(described)
    assert error.value.where == where
    assert why in error.value.why
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b'{\n "period": 1,,\n}', "line 2, column 14: Expecting property name enclosed in double quotes"),
        (b'{"a": 1} {}', "line 1, column 10: Extra data"),
        (b"[1, 2]", "an object {…} is wanted"),
        (b"\xff\xfe{", "is not UTF-8 (byte 1)"),
        (b"[" * 200_000, "is nested too deep"),
        (b'{"time_zone": ' + b"9" * 5000 + b"}", "has a number that is too long"),
    ],
)
def test_a_file_that_is_no_case_is_told_by_its_name(data: bytes, why: str) -> None:
    with pytest.raises(Wrong) as error:
        answer(data, name="case.json")
    assert str(error.value) == f"case.json: {why}"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"time_zone": "UTC", "time_zone": "UTC"}', "time_zone"),
        (json.dumps(SOUND).replace('"plan"', '"from": "2026-01-01", "plan"', 1), "subscriptions[0].from"),
    ],
)
def test_a_key_said_twice_is_a_mistake(text: str, where: str) -> None:
    with pytest.raises(Wrong) as error:
        answer(text.encode(), name="case.json")
    assert (error.value.where, error.value.why) == (where, "is said twice")


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["2026-06-10", "2026-06-10T12:00:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00+14:00",
                     "1e999999999999999999999", "per_profile", "once", "managers", "profile_days", 10**30]),
)  # fmt: skip
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(["base", "tiers", "up_to", "price", "measure", "2026-06-05"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        found += places(each, (*path, key))
    return found


@effort(PATIENT, max_examples=500)
@given(place=st.sampled_from(places(SOUND)), value=anything)
def test_whatever_stands_somewhere_the_answer_is_an_invoice_or_a_reason(
    place: tuple[str | int, ...], value: Any
) -> None:
    described = copy.deepcopy(SOUND)
    at(*place, value=value)(described)
    said = told_or_refused(described)
    if isinstance(said, Wrong):
        assert f"{said.where}{said.why}".isprintable()
    else:
        assert said["state"] in ("ready", "needs_approval")
        assert (said["total"] is None) == (said["state"] == "needs_approval")


def told_or_refused(described: dict[str, Any]) -> dict[str, Any] | Wrong:
    try:
        return told(described)
    except Wrong as error:
        return error


@effort(PATIENT, max_examples=200)
@given(data=st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_file_holds_it_is_never_a_traceback(data: bytes) -> None:
    with pytest.raises(Wrong):
        answer(data, name="case.json")

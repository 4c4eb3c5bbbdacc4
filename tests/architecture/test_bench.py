"""The table of `make bench` judges rightly, and docs/performance.md shows what it measured, also what was missed."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.bench.__main__ import NAMES
from tests.bench.report import BEGIN, END, PAGE, TITLES
from tests.bench.table import Row, markdown, printed

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row(what="x", unit="ms", ours=99.0, most=100.0), True),
        (Row(what="x", unit="ms", ours=101.0, most=100.0), False),
        (Row(what="x", unit="ms", ours=50.0, ratio=60.0, most=100.0, least_ratio=50.0), True),
        (Row(what="x", unit="ms", ours=50.0, ratio=49.0, most=100.0, least_ratio=50.0), False),
        (Row(what="x", unit="ms", ours=50.0, least_ratio=2.0), False),
        (Row(what="x", unit="ms", ours=1.2, ratio=1.2, most_ratio=1.1), False),
        (Row(what="x", unit="ms", ours=1.0, ratio=1.0, most_ratio=1.1), True),
        (Row(what="x", unit="ms", ours=50.0, ratio=3.0), None),
    ],
)
def test_a_goal_is_met_missed_or_absent(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_a_missed_goal_is_said_in_both_tables() -> None:
    rows = [Row(what="age", unit="ms", baseline=5.0, ours=120.0, ratio=0.04, most=100.0)]
    assert "NO" in printed(rows)
    assert "| age | 5 ms | 120 ms | 0.04× | ≤ 100 ms | NO |" in markdown(rows)


def test_every_measurement_has_its_place_on_the_page() -> None:
    assert tuple(TITLES) == NAMES
    for name in NAMES:
        assert callable(import_module(f"tests.bench.{name}").rows)
    figures = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert re.findall(r"^### (.+)$", figures, flags=re.M) == list(TITLES.values())
    assert re.search(r"Measured on \d{4}-\d\d-\d\d by `make bench`: .+ cores, Python 3", figures)
    missed = re.findall(r"^\| ([^|]+) \|.*\| NO \|$", figures, flags=re.M)
    said = figures.rpartition("Missed in this run: ")[2]
    assert all(what in said for what in missed)


def test_make_bench_runs_the_table() -> None:
    assert "-m tests.bench " in (ROOT / "Makefile").read_text()

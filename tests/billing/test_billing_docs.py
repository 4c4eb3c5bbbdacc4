"""docs/billing.md says what the program does: its example is run, its cases are tests, its prices are the data's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from billing.services.described import answer
from tests.factories.cases import per_concurrency, per_profile, rated

BASE = Path(settings.BASE_DIR)
PAGE = (BASE / "docs" / "billing.md").read_text("utf-8")
CASE, ANSWER = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| `(test_\w+)` \|$", PAGE, re.MULTILINE)


CASES = (BASE / "tests" / "billing" / "test_cases.py").read_text("utf-8")


def test_the_worked_example_gives_what_the_page_says() -> None:
    assert answer(CASE.encode(), name="docs/billing.md", language="en") == json.loads(ANSWER)


@pytest.mark.parametrize("file", ["README.md", "README.ru.md"])
def test_the_readmes_example_gives_what_it_says(file: str) -> None:
    text = (BASE / file).read_text("utf-8")
    found = re.search(r"echo '(\{.*?\})' \| \S+ manage\.py rate -\n```\n.*?(\d+[.,]\d\d) ₽", text, re.DOTALL)
    assert found is not None
    assert answer(found[1].encode(), name=file)["total"] == found[2].replace(",", ".")


@pytest.mark.parametrize(("case", "roubles", "name"), ROWS)
def test_a_case_of_the_page_is_a_test_that_says_these_roubles(case: str, roubles: str, name: str) -> None:
    """Its source, with the parameters above it."""
    (source,) = [part for part in CASES.split("\n\n\n") if f"def {name}(" in part]
    for amount in re.findall(r"\d+\.\d\d", roubles):
        assert amount in source, case


def test_the_table_has_every_case() -> None:
    assert len(ROWS) >= 28


def test_prices_and_rates_of_the_page_are_the_datas() -> None:
    data: dict[str, Any] = json.loads((BASE / "billing" / "data" / "tariffs.json").read_text("utf-8"))
    terms = {plan["code"]: plan["versions"][0]["terms"] for plan in data["plans"]}
    one, tiers = terms["per_profile"], terms["per_concurrency"]["tiers"]
    assert (
        f"{float(one['base']):,.0f} ₽ with {one['included']} monitoring profiles, {float(one['further']):.0f} ₽"
        in PAGE
    )
    first = 0
    for tier in tiers:
        bounds = f"up to {tier['up_to']}" if not first else f"{first}–{tier['up_to']}"
        assert f"{bounds} → {float(tier['price']):,.0f} ₽" in PAGE
        first = tier["up_to"] + 1
    assert rated(per_concurrency())["total"] == tiers[0]["price"]
    assert rated(per_profile())["total"] == one["base"]
    for rate in data["vat"]:
        assert f"{rate['percent']} %" in PAGE

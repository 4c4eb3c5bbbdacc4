"""The mark of a month's calls tells every later change of them, and when fewer calls mean nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.selectors.meter import CompanyMeter
from monitoring import facade
from monitoring.models import Call, Cleaning, Leg, Policy
from monitoring.models.retention import Kind, Progress
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories import money

pytestmark = pytest.mark.django_db
BEGIN, END = money.moscow(2026, 6, 1, 0), money.moscow(2026, 7, 1, 0)
NOW = money.moscow(2026, 7, 4)
AT = money.moscow(2026, 6, 10)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def mark(company: str = "alpha") -> dict[str, Any]:
    return CompanyMeter(company).mark(BEGIN, END, now=NOW)


def test_a_mark_counts_handled_calls_of_its_company_and_its_window(alpha: Company, beta: Company) -> None:
    money.handled(alpha, (AT, AT + 60 * SECOND))
    money.handled(alpha, (AT, None))
    money.handled(alpha, (END, END + SECOND))
    money.handled(beta, (AT, AT + 30 * SECOND))
    found = mark()
    assert (found["calls"], found["open"], found["talk_seconds"], found["whole"]) == (2, 1, 60.0, True)
    assert (mark("beta")["calls"], mark("beta")["talk_seconds"]) == (1, 30.0)
    assert mark() == found, "the same facts, the same mark"


def test_a_change_that_keeps_every_sum_still_shows(alpha: Company) -> None:
    key = money.handled(alpha, (AT, AT + 60 * SECOND))
    before = mark()

    def change(**fields: object) -> dict[str, Any]:
        with company_scope("alpha"):
            Leg.objects.filter(call__key=key).update(**fields)
        return mark()

    start = AT.timestamp()
    moved = change(talk=[[start + 10, start + 70]])
    assert {k: moved[k] for k in ("calls", "open", "talk_seconds")} == {
        k: before[k] for k in ("calls", "open", "talk_seconds")
    }
    assert moved["digest"] != before["digest"]
    assert change(talk=[[start, start + 60]]) == before
    assert change(hold=[[start, start + 60]])["digest"] != before["digest"]
    change(hold=[])
    with company_scope("alpha"):
        Call.objects.filter(key=key).update(direction="internal")
    assert mark()["digest"] != before["digest"]


def test_a_removed_call_and_a_late_one_show(alpha: Company, beta: Company) -> None:
    key = money.handled(alpha, (AT, AT + 60 * SECOND))
    before = mark()
    money.handled(beta, (AT, AT + 60 * SECOND))
    assert mark() == before, "another company's call"
    money.handled(alpha, (AT, AT + 60 * SECOND))
    assert mark()["calls"] == 2
    with company_scope("alpha"):
        Leg.objects.all().delete()
        Call.objects.all().delete()
    assert (mark()["calls"], mark()["whole"]) == (0, True), key


def test_where_calls_may_have_been_removed_the_window_is_not_whole(alpha: Company, beta: Company) -> None:
    with company_scope("alpha"):
        policy = Policy.objects.get_or_create(pk=1)[0]
        policy.keep_calls = 30
        policy.save()
    assert mark()["whole"] is False
    assert mark("beta")["whole"] is True, "each company's own rule"
    with company_scope("alpha"):
        policy.keep_calls = 60
        policy.save()
    assert mark()["whole"] is True


def test_what_was_removed_by_an_earlier_stricter_rule_stays_removed(alpha: Company) -> None:
    with company_scope("alpha"):
        Cleaning.objects.create(kind=Kind.RECORDINGS, before=NOW, state=Progress.DONE, started=NOW, moved=NOW)
    assert facade.calls_mark("alpha", BEGIN, END, now=NOW).whole is True, "recordings are no calls"
    with company_scope("alpha"):
        Cleaning.objects.create(
            kind=Kind.CALLS, before=BEGIN + DAY, state=Progress.DONE, started=NOW, moved=NOW
        )
    assert facade.calls_mark("alpha", BEGIN, END, now=NOW).whole is False

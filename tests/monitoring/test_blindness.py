"""One row for one window in which a PBX was not heard, however many collectors tell of it and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from monitoring.domain.facts import BlindFact
from monitoring.models.quality import BlindWindow
from monitoring.selectors.quality import gaps
from monitoring.services import fact_json, ingest
from tenants.models import Company
from tenants.scope import company_scope

pytestmark = pytest.mark.django_db

BASE = 1_795_338_000.0
State = BlindWindow.State


def tell(*facts: BlindFact, pbx: str = "7") -> None:
    for fact in facts:
        ingest.store(pbx, [fact])


def opened(began: float, cause: str = "lost") -> BlindFact:
    return BlindFact(BASE + began, None, cause)


def closed(began: float, ended: float, cause: str = "lost") -> BlindFact:
    return BlindFact(BASE + began, BASE + ended, cause, skew=0.5)


def kept() -> list[tuple[float, float | None, str, str]]:
    return [
        (
            row.began.timestamp() - BASE,
            row.ended.timestamp() - BASE if row.ended is not None else None,
            row.cause,
            row.state,
        )
        for row in BlindWindow.objects.order_by("began")
    ]


def test_a_window_is_open_while_it_lasts_and_waits_to_be_filled_afterwards(alpha: Company, beta: Company) -> None:
    with company_scope("alpha"):
        tell(opened(0))
        assert kept() == [(0, None, "lost", State.OPEN)]
        tell(closed(0, 10))
        assert kept() == [(0, 10, "lost", State.WAITING)]
        assert BlindWindow.objects.get().skew == 0.5
    with company_scope("beta"):
        assert kept() == []


def test_told_twice_it_is_the_same_row_and_is_not_filled_again(alpha: Company) -> None:
    with company_scope("alpha"):
        tell(opened(0), closed(0, 10))
        BlindWindow.objects.update(state=State.RECONCILED)
        tell(opened(0), closed(0, 10), opened(3))
        assert kept() == [(0, 10, "lost", State.RECONCILED)]


def test_what_one_collector_did_not_live_to_close_its_successor_closes(alpha: Company) -> None:
    with company_scope("alpha"):
        tell(opened(0, "lost"))
        tell(opened(3, "unwatched"), closed(3, 9, "unwatched"))
        assert kept() == [(0, 9, "lost", State.WAITING)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_overlapping_windows_become_one_in_any_order(alpha: Company, order: tuple[int, ...]) -> None:
    told = (closed(0, 5), closed(4, 9), closed(8, 12))
    with company_scope("alpha"):
        tell(*(told[place] for place in order))
        assert [row[:2] for row in kept()] == [(0, 12)]


def test_windows_that_only_touch_or_are_of_another_pbx_stay_apart(alpha: Company) -> None:
    with company_scope("alpha"):
        tell(closed(0, 5), closed(5, 9))
        tell(closed(2, 7), pbx="8")
        assert [row[:2] for row in kept()] == [(0, 5), (2, 7), (5, 9)]


def test_a_beginning_told_late_opens_nothing(alpha: Company) -> None:
    with company_scope("alpha"):
        tell(closed(3, 60), opened(0))
        assert [row[:2] for row in kept()] == [(3, 60)]


def test_a_later_end_makes_a_filled_window_wait_again(alpha: Company) -> None:
    with company_scope("alpha"):
        tell(closed(0, 5))
        BlindWindow.objects.update(state=State.RECONCILED)
        tell(closed(0, 8))
        assert kept() == [(0, 8, "lost", State.WAITING)]


def test_a_window_survives_the_disk_spool() -> None:
    fact = BlindFact(BASE, BASE + 1, "silent", 0.25, BASE + 0.5)
    assert fact_json.load(fact_json.dump("alpha", [fact])) == ("alpha", [fact])


def test_reports_are_told_the_holes_their_period_touches(alpha: Company, beta: Company) -> None:
    with company_scope("alpha"):
        tell(closed(0, 10), closed(100, 110), opened(200))
        BlindWindow.objects.filter(began=datetime.fromtimestamp(BASE, UTC)).update(state=State.RECONCILED)
        found = gaps(BASE + 5, BASE + 105)
        assert [(gap.begin - BASE, gap.end and gap.end - BASE, gap.settled) for gap in found] == [
            (0, 10, True),
            (100, 110, False),
        ]
        assert [gap.end for gap in gaps(BASE + 1000, BASE + 2000)] == [None]
        assert gaps(BASE + 10, BASE + 100) == ()
    with company_scope("beta"):
        assert gaps(BASE, BASE + 10_000) == ()

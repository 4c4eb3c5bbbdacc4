"""What follows from facts is told in their own transaction, of the right company, with what really changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitoring.models import Call, QueueVisit
from monitoring.services import ingest
from monitoring.services.after import AFTER
from monitoring.services.stored import Stored
from tenants.models import Company
from tenants.scope import company_scope, current_company
from tests.factories.told import NOON, call, visit


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Stored]]]:
    """What a hook heard, with the company it heard it in."""
    told: list[tuple[str, Stored]] = []

    def hook(stored: Stored) -> None:
        assert Call.objects.filter(pk__in=stored.call_ids).count() == len(stored.call_ids)
        told.append((current_company(), stored))

    AFTER.append(hook)
    yield told
    AFTER.remove(hook)


def test_a_hook_hears_what_a_batch_changed(
    alpha: Company, beta: Company, heard: list[tuple[str, Stored]]
) -> None:
    told, seen = call("1:a"), visit("1:a", "alpha_sales")
    with company_scope("alpha"):
        ingest.store("1", [told, seen])
        row = Call.objects.get()
    with company_scope("beta"):
        ingest.store("1", [visit("1:b", "beta_sales")])
    assert [company for company, _ in heard] == ["alpha", "beta"]
    assert (heard[0][1].call_ids, heard[0][1].calls, heard[0][1].visits) == ([row.pk], [told], [seen])
    assert (heard[1][1].call_ids, heard[1][1].calls) == ([], [])


def test_a_call_told_again_with_less_is_not_among_the_changed(
    alpha: Company, heard: list[tuple[str, Stored]]
) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", revision=5)])
        ingest.store("1", [call("1:a", revision=4)])
    assert [len(stored.call_ids) for _, stored in heard] == [1, 0]


def test_a_hook_that_refuses_takes_the_whole_batch_back(alpha: Company, beta: Company) -> None:
    def refuse(_stored: Stored) -> None:
        raise ValueError("no")

    AFTER.append(refuse)
    try:
        with company_scope("alpha"), pytest.raises(ValueError, match="no"):
            ingest.store("1", [call("1:a"), visit("1:a", "alpha_sales")])
    finally:
        AFTER.remove(refuse)
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            assert (Call.objects.count(), QueueVisit.objects.count()) == (0, 0)


def test_closing_what_was_interrupted_is_heard_too(alpha: Company, heard: list[tuple[str, Stored]]) -> None:
    with company_scope("alpha"):
        ingest.store("1", [call("1:a", talk=None), visit("1:a", "alpha_sales", outcome="open")])
        ingest.close_interrupted("1", NOON + 100)
        assert heard[-1][1].call_ids == [Call.objects.get().pk]
        assert list(heard[-1][1].moments) == pytest.approx([NOON + 100])
        ingest.close_interrupted("1", NOON + 100)
    assert len(heard) == 2

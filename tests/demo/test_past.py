"""The demo's past is believable: every call adds up, twice is once, and each company has its own."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from ccenter.demo.past.write import NothingToFill, write
from monitoring.models import Call, Leg, Line, Manager, QueueVisit, Status, StatusInterval
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff


@pytest.fixture
def staff(alpha: Company, beta: Company) -> dict[str, Staff]:
    """Four people and a line for the sales queue in each company; the numbers are the same."""
    made = {slug: make_staff(slug) for slug in ("alpha", "beta")}
    for slug, people in made.items():
        with company_scope(slug):
            for extension in ("103", "104", "105"):
                make_manager(people.pbx, extension, f"М{extension}", people.sales)
            Line.objects.create(number="74951110001", title="Главная", pbx=people.pbx, queue=people.queue)
    return made


def counted(slug: str) -> dict[str, Any]:
    with company_scope(slug):
        return {
            "calls": Call.objects.count(),
            "legs": Leg.objects.count(),
            "visits": QueueVisit.objects.count(),
            "statuses": StatusInterval.objects.count(),
            "talk": round(Leg.objects.aggregate(all=Sum("talk_seconds"))["all"] or 0, 3),
        }


def test_a_past_written_twice_is_written_once_and_is_its_company_s_own(staff: dict[str, Staff]) -> None:
    write("alpha", months=1)
    once = counted("alpha")
    assert once["calls"] > 300
    assert counted("beta") == {"calls": 0, "legs": 0, "visits": 0, "statuses": 0, "talk": 0}
    write("alpha", months=1)
    assert counted("alpha") == once
    write("beta", months=1)
    with company_scope("alpha"):
        ours = set(Call.objects.values_list("customer", flat=True)) - {""}
    with company_scope("beta"):
        assert not ours & set(Call.objects.values_list("customer", flat=True))


def test_what_is_missing_is_filled_from_the_last_day_on(staff: dict[str, Staff]) -> None:
    write("alpha", months=1)
    whole = counted("alpha")
    days: list[int] = []
    write("alpha", months=1, missing=True, told=lambda done, of: days.append(of))
    assert days == []
    with company_scope("alpha"):
        Call.objects.filter(started__gte=timezone.now() - timedelta(days=3)).delete()
        QueueVisit.objects.filter(joined__gte=timezone.now() - timedelta(days=3)).delete()
    write("alpha", months=1, missing=True, told=lambda done, of: days.append(of))
    assert 2 <= days[-1] <= 5
    assert counted("alpha") == whole


def test_what_happened_adds_up(staff: dict[str, Staff]) -> None:
    write("alpha", months=1)
    with company_scope("alpha"):
        assert set(QueueVisit.objects.values_list("outcome", flat=True)) <= {"answered", "abandoned", "flow-out"}
        assert not Call.objects.filter(ended__lt=F("started")).exists()
        assert not Leg.objects.filter(Q(ended__lt=F("rang")) | Q(talk_seconds__lt=0)).exists()
        answered = Call.objects.filter(direction="in", disposition="answered")
        assert answered.count() == answered.filter(legs__talk_seconds__gt=0).distinct().count()
        share = answered.count() / Call.objects.filter(direction="in").count()
        assert 0.5 < share < 0.99
        assert Call.objects.filter(direction="out", disposition="answered").exists()
        assert QueueVisit.objects.filter(outcome="abandoned").exists()


def test_nobody_talks_to_two_customers_at_once_or_is_rung_while_away(staff: dict[str, Staff]) -> None:
    write("alpha", months=1)
    with company_scope("alpha"):
        for manager in Manager.objects.all():
            busy = [span for talk in manager.legs.values_list("talk", flat=True) for span in talk]
            busy.sort()
            assert all(before[1] <= after[0] for before, after in pairwise(busy))
            away = StatusInterval.objects.filter(manager=manager).exclude(status__kind="available")
            rings = Leg.objects.filter(manager=manager, origin=False)
            for interval in away:
                assert not rings.filter(rang__gte=interval.started, rang__lt=interval.ended).exists()


def test_statuses_stand_without_a_gap_until_the_first_real_one(staff: dict[str, Staff]) -> None:
    write("alpha", months=1)
    with company_scope("alpha"):
        for manager in Manager.objects.all():
            chain = list(manager.intervals.order_by("started").values_list("started", "ended"))
            assert len(chain) > 20
            assert all(before[1] == after[0] for before, after in pairwise(chain))
        assert StatusInterval.objects.filter(ended__isnull=True).count() == 0
        kinds = Status.objects.annotate(used=Count("intervals")).filter(used__gt=0)
        assert set(kinds.values_list("kind", flat=True)) == {"available", "break", "away"}


def test_the_troubled_one_misses_far_more_than_the_others(staff: dict[str, Staff]) -> None:
    write("alpha", months=1)
    with company_scope("alpha"):
        shares = {}
        for manager in Manager.objects.filter(groups=staff["alpha"].sales):
            rung = manager.legs.filter(origin=False)
            missed, answered = (rung.filter(outcome=word).count() for word in ("missed", "answered"))
            shares[manager.extension] = missed / (missed + answered)
        worst = max(shares, key=lambda extension: shares[extension])
        assert worst == "105"
        assert shares.pop(worst) > 2 * max(shares.values())


def test_the_command_says_what_is_wrong(staff: dict[str, Staff]) -> None:
    with pytest.raises(CommandError, match="1 to 36"):
        call_command("demo_history", months=40)
    with pytest.raises(CommandError, match="no company nobody"):
        call_command("demo_history", company=["nobody"])
    with company_scope("beta"):
        Line.objects.all().delete()
    with pytest.raises(NothingToFill):
        write("beta", months=1)
    assert counted("beta")["calls"] == 0

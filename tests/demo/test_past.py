"""The demo's past is believable: every call adds up, twice is once, and each company has its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from ccenter.demo.past import voices
from ccenter.demo.past.write import NothingToFill, write
from monitoring.models import Call, Leg, Line, LostCall, Manager, QueueVisit, Status, StatusInterval
from monitoring.models.recordings import Recording
from monitoring.models.reviews import Review
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
    write("alpha", days=6)
    once = counted("alpha")
    assert once["calls"] > 60
    assert counted("beta") == {"calls": 0, "legs": 0, "visits": 0, "statuses": 0, "talk": 0}
    write("alpha", days=6)
    assert counted("alpha") == once
    write("beta", days=6)
    with company_scope("alpha"):
        ours = set(Call.objects.values_list("customer", flat=True)) - {""}
    with company_scope("beta"):
        assert not ours & set(Call.objects.values_list("customer", flat=True))


def test_what_is_missing_is_filled_from_the_last_day_on(staff: dict[str, Staff]) -> None:
    write("alpha", days=6)
    whole = counted("alpha")
    days: list[int] = []
    write("alpha", days=6, missing=True, told=lambda done, of: days.append(of))
    assert days == []
    with company_scope("alpha"):
        Call.objects.filter(started__gte=timezone.now() - timedelta(days=3)).delete()
        QueueVisit.objects.filter(joined__gte=timezone.now() - timedelta(days=3)).delete()
    write("alpha", days=6, missing=True, told=lambda done, of: days.append(of))
    assert 2 <= days[-1] <= 5
    assert counted("alpha") == whole


@pytest.fixture
def alpha_past(staff: dict[str, Staff]) -> Iterator[Staff]:
    """Two weeks of alpha, with its scope open."""
    write("alpha", days=14)
    with company_scope("alpha"):
        yield staff["alpha"]


def test_what_happened_adds_up(alpha_past: Staff) -> None:
    assert set(QueueVisit.objects.values_list("outcome", flat=True)) <= {"answered", "abandoned", "flow-out"}
    assert not Call.objects.filter(ended__lt=F("started")).exists()
    assert not Leg.objects.filter(Q(ended__lt=F("rang")) | Q(talk_seconds__lt=0)).exists()
    answered = Call.objects.filter(direction="in", disposition="answered")
    assert answered.count() == answered.filter(legs__talk_seconds__gt=0).distinct().count()
    share = answered.count() / Call.objects.filter(direction="in").count()
    assert 0.5 < share < 0.99
    assert Call.objects.filter(direction="out", disposition="answered").exists()
    assert QueueVisit.objects.filter(outcome="abandoned").exists()
    assert LostCall.objects.filter(state="called_back").exists()
    assert LostCall.objects.filter(state="closed").exists()
    assert not LostCall.objects.filter(state="open", lost_at__lt=timezone.now() - timedelta(days=3)).exists()


def test_people_live_one_life(alpha_past: Staff) -> None:
    shares = {}
    for manager in Manager.objects.filter(groups=alpha_past.sales):
        busy = [span for talk in manager.legs.values_list("talk", flat=True) for span in talk]
        busy.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(busy))
        rings = manager.legs.filter(origin=False)
        for interval in manager.intervals.exclude(status__kind="available"):
            assert not rings.filter(rang__gte=interval.started, rang__lt=interval.ended).exists()
        chain = list(manager.intervals.order_by("started").values_list("started", "ended"))
        assert len(chain) > 10
        assert all(before[1] == after[0] for before, after in pairwise(chain))
        missed, answered = (rings.filter(outcome=word).count() for word in ("missed", "answered"))
        shares[manager.extension] = missed / (missed + answered)
    worst = max(shares, key=lambda extension: shares[extension])
    assert worst == "105"  # the one who lets it ring although available
    assert shares.pop(worst) > 2 * max(shares.values())
    kinds = Status.objects.annotate(used=Count("intervals")).filter(used__gt=0)
    assert set(kinds.values_list("kind", flat=True)) == {"available", "break", "away"}


def test_the_command_says_what_is_wrong(staff: dict[str, Staff]) -> None:
    with pytest.raises(CommandError, match="1 to 36"):
        call_command("demo_history", months=40)
    with pytest.raises(CommandError, match="no company nobody"):
        call_command("demo_history", company=["nobody"])
    with company_scope("beta"):
        Line.objects.all().delete()
    with pytest.raises(NothingToFill):
        write("beta", days=6)
    assert counted("beta")["calls"] == 0


def test_the_latest_talks_can_be_heard_and_some_are_reviewed(
    staff: dict[str, Staff], settings: Any, tmp_path: Path
) -> None:
    settings.STATE_DIR, settings.RECORDINGS_INBOX = tmp_path / "state", tmp_path / "inbox"
    settings.STORAGES = {
        **settings.STORAGES,
        "recordings": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "kept", "base_url": None},
        },
    }
    write("alpha", days=6)
    assert voices.leave("alpha", voices=(), amount=2) == 2
    assert voices.leave("alpha", voices=(), amount=2) == 0
    assert voices.judge("alpha", amount=2) > 0
    with company_scope("alpha"):
        for recording in Recording.objects.select_related("call"):
            assert recording.call is not None
            assert recording.call.recorded
            assert recording.channels == 2
            assert abs(recording.seconds - recording.call.talk_seconds) < 60
        assert set(Review.objects.values_list("state", flat=True)) <= {"given", "appealed", "answered"}
    with company_scope("beta"):
        assert not Recording.objects.exists()

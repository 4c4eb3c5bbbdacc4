"""A manager's status: who may set it, what it tells the PBX, what a pause on the phone makes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from monitoring import bus
from monitoring.domain.commands import Command, SetStatus
from monitoring.models import AuditEntry, Manager, Status, StatusInterval
from monitoring.services import statuses
from monitoring.services.errors import Busy, NotThere, Refused
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff

LATELY = float(int(datetime.now(UTC).timestamp()) - 600)

Sent = list[tuple[str, Command]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What went to the collectors. The bus has tests of its own; here only what is said matters."""
    said: Sent = []

    def note(pbx: str, command: Command, **_: object) -> str:
        said.append((pbx, command))
        return "id"

    monkeypatch.setattr(bus, "send_command", note)
    return said


@pytest.fixture
def staff(db: None, sent: Sent) -> Staff:
    make_staff("beta")
    return make_staff("alpha")


def status(label: str) -> Status:
    return Status.objects.get(label=label)


def history(manager: Manager) -> list[tuple[str, bool]]:
    rows = StatusInterval.objects.filter(manager=manager).order_by("started", "pk").select_related("status")
    return [(row.status.label, row.ended is None) for row in rows]


def test_a_new_company_has_statuses_of_every_kind(db: None) -> None:
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            assert {row.kind for row in Status.objects.live()} == {"available", "break", "away"}


def test_own_status_is_set_told_and_written_down(
    staff: Staff, sent: Sent, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"), django_capture_on_commit_callbacks(execute=True):
        assert staff.anna.user is not None
        lunch = status("Обед")
        statuses.declare(actor=staff.anna.user, manager=staff.anna, status_id=lunch.pk)
        assert history(staff.anna) == [("Обед", True)]
        assert AuditEntry.objects.get().outcome == "done"
        assert sent == [], "the PBX is told after the commit, not before"
    ((pbx, command),) = sent
    assert pbx == str(staff.pbx.pk)
    assert isinstance(command, SetStatus)
    assert (command.company, command.manager, command.status_kind, command.reason) == (
        "alpha",
        "alpha_101",
        "break",
        "Обед",
    )
    with company_scope("beta"):
        assert not StatusInterval.objects.exists()


def test_the_next_status_closes_the_one_before_at_the_same_moment(staff: Staff) -> None:
    with company_scope("alpha"):
        for label in ("Доступен", "Обед"):
            statuses.declare(actor=staff.admin, manager=staff.anna, status_id=status(label).pk)
        first, second = StatusInterval.objects.order_by("started")
        assert first.ended == second.started
        assert second.ended is None


def test_the_same_status_again_writes_nothing_and_sends_nothing(
    staff: Staff, sent: Sent, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        for _ in range(3):
            with django_capture_on_commit_callbacks(execute=True):
                statuses.declare(actor=staff.admin, manager=staff.anna, status_id=status("Обед").pk)
        assert history(staff.anna) == [("Обед", True)]
        assert AuditEntry.objects.count() == 1
    assert len(sent) == 1


def the_supervisor(staff: Staff) -> User:
    return staff.supervisor


def another_manager(staff: Staff) -> User:
    assert staff.anna.user is not None
    return staff.anna.user


def a_disabled_admin(staff: Staff) -> User:
    staff.admin.is_active = False
    staff.admin.save()
    return staff.admin


@pytest.mark.parametrize("actor_of", [the_supervisor, another_manager, a_disabled_admin])
def test_who_has_no_right_changes_nothing_and_is_written_down(
    staff: Staff,
    sent: Sent,
    actor_of: Callable[[Staff], User],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with company_scope("alpha"), django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(Refused):
            statuses.declare(actor=actor_of(staff), manager=staff.boris, status_id=status("Обед").pk)
        assert not StatusInterval.objects.exists()
        assert AuditEntry.objects.get().outcome == "refused"
    assert sent == []


def test_another_companys_admin_is_refused(staff: Staff, sent: Sent) -> None:
    with company_scope("beta"):
        foreign = User.objects.get(role=Role.ADMIN)
    with company_scope("alpha"):
        with pytest.raises(Refused):
            statuses.declare(actor=foreign, manager=staff.anna, status_id=status("Обед").pk)
        assert not StatusInterval.objects.exists()
        assert AuditEntry.objects.get().actor is None, "a stranger's number is one of our own people's here"


def test_a_supervisor_sets_the_status_of_own_people(staff: Staff) -> None:
    with company_scope("alpha"):
        statuses.declare(actor=staff.supervisor, manager=staff.anna, status_id=status("Обед").pk)
        assert history(staff.anna) == [("Обед", True)]


def test_an_archived_or_unknown_status_changes_nothing(staff: Staff, sent: Sent) -> None:
    with company_scope("alpha"):
        gone = status("Обед")
        gone.archived_at = datetime.now(UTC)
        gone.save()
        for status_id in (gone.pk, 10**9):
            with pytest.raises(NotThere):
                statuses.declare(actor=staff.admin, manager=staff.anna, status_id=status_id)
        assert not StatusInterval.objects.exists()
        assert not AuditEntry.objects.exists()
    assert sent == []


def test_redis_away_keeps_the_status(
    staff: Staff,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def away(*_: object, **__: object) -> str:
        raise bus.BusAway("no Redis")

    monkeypatch.setattr(bus, "send_command", away)
    with company_scope("alpha"):
        with django_capture_on_commit_callbacks(execute=True):
            declared = statuses.declare(actor=staff.admin, manager=staff.anna, status_id=status("Обед").pk)
        assert history(staff.anna) == [("Обед", True)]
    assert declared.receipt is not None
    assert declared.receipt.answer(timeout=0.01) is None


# ---------------------------------------------------------------- from the phone


@pytest.mark.parametrize(
    ("reason", "label"), [("обед", "Обед"), ("Отсутствую", "Отсутствую"), ("", "Перерыв"), ("Чай", "Перерыв")]
)
def test_a_pause_on_the_phone_becomes_the_status_its_reason_names(
    staff: Staff, sent: Sent, reason: str, label: str
) -> None:
    with company_scope("alpha"):
        told = statuses.from_phone(manager="alpha_101", paused=True, reason=reason, at=LATELY)
        assert told is not None
        assert (told.manager, told.status) == ("alpha_101", status(label).pk)
        row = StatusInterval.objects.get()
        assert (row.status.label, row.source, row.started.timestamp()) == (label, "phone", LATELY)
    assert sent == [], "what came from the PBX is not sent back to it"
    with company_scope("beta"):
        assert not StatusInterval.objects.exists()


def test_the_end_of_the_pause_makes_the_manager_available(staff: Staff) -> None:
    with company_scope("alpha"):
        statuses.from_phone(manager="alpha_101", paused=True, reason="", at=LATELY)
        statuses.from_phone(manager="alpha_101", paused=False, reason="", at=LATELY + 60)
        assert history(staff.anna) == [("Перерыв", False), ("Доступен", True)]


def test_an_echo_of_the_portals_own_pause_changes_nothing(staff: Staff) -> None:
    with company_scope("alpha"):
        statuses.declare(actor=staff.admin, manager=staff.anna, status_id=status("Обед").pk)
        later = datetime.now(UTC).timestamp() + 5
        for reason in ("Обед", "", "Что-то ещё"):
            assert statuses.from_phone(manager="alpha_101", paused=True, reason=reason, at=later) is None
        assert history(staff.anna) == [("Обед", True)]


def test_a_repeated_or_late_message_changes_nothing(staff: Staff) -> None:
    messages = [(True, LATELY), (False, LATELY + 60)]
    with company_scope("alpha"):
        for paused, at in messages + messages + messages[:1]:
            statuses.from_phone(manager="alpha_101", paused=paused, reason="", at=at)
        assert history(staff.anna) == [("Перерыв", False), ("Доступен", True)]


def test_an_unknown_phone_is_nobodys(staff: Staff) -> None:
    with company_scope("alpha"):
        assert statuses.from_phone(manager="beta_101", paused=True, reason="", at=LATELY) is None
        assert not StatusInterval.objects.exists()


# ---------------------------------------------------------------- races and invariants


@pytest.mark.django_db(transaction=True)
def test_two_at_once_leave_one_open_interval_and_no_gap(sent: Sent) -> None:
    staff = make_staff("alpha")
    with company_scope("alpha"):
        choices = list(Status.objects.live())
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def press(number: int) -> None:
        try:
            start.wait(5)
            with company_scope("alpha"):
                for turn in range(12):
                    chosen = choices[(number + turn) % len(choices)]
                    statuses.declare(actor=staff.admin, manager=staff.anna, status_id=chosen.pk)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with company_scope("alpha"):
        rows = list(StatusInterval.objects.order_by("pk"))
        assert [row.ended is None for row in rows].count(True) == 1
        rows.sort(key=lambda row: (row.started, row.ended or datetime.max.replace(tzinfo=UTC)))
        assert all(before.ended == after.started for before, after in pairwise(rows))


Press = tuple[bool, str, int]


@pytest.mark.django_db(transaction=True)
def test_whatever_is_pressed_the_intervals_tile_the_time(sent: Sent) -> None:
    """Σ statuses = logged-in time: no gap, no overlap, the last one open, whatever order messages come in."""
    staff = make_staff("alpha")

    @settings(deadline=None)  # the machine may be busy; it is the rows that matter
    @given(
        st.lists(
            st.tuples(
                st.booleans(), st.sampled_from(["", "Обед", "Отсутствую", "?"]), st.integers(1, 10_000)
            ),
            min_size=1,
            max_size=25,
        )
    )
    def tiles(presses: list[Press]) -> None:
        with company_scope("alpha"):
            StatusInterval.objects.all().delete()
            for paused, reason, at in presses:
                statuses.from_phone(manager="alpha_101", paused=paused, reason=reason, at=LATELY - at)
            rows = list(StatusInterval.objects.filter(manager=staff.anna).order_by("started"))
            assert rows[-1].ended is None
            spent = sum((row.ended - row.started).total_seconds() for row in rows if row.ended is not None)
            assert spent == (rows[-1].started - rows[0].started).total_seconds()

    tiles()


@pytest.mark.parametrize("at", [9e10, 4e9])
def test_a_pause_from_the_far_future_does_not_hold_a_status_for_ever(staff: Staff, at: float) -> None:
    """A PBX's clock gone wrong for a moment would else keep every later pause out: none of them were later."""
    with company_scope("alpha"):
        told = statuses.from_phone(manager="alpha_101", paused=True, reason="", at=at)
        assert told is not None
        assert abs(told.at - datetime.now(UTC).timestamp()) < 60
        back = statuses.from_phone(
            manager="alpha_101", paused=False, reason="", at=datetime.now(UTC).timestamp() + 1
        )
        assert back is not None
        assert [is_open for _label, is_open in history(staff.anna)] == [False, True]
    with company_scope("beta"):
        assert not StatusInterval.objects.exists()


def test_nobody_floods_a_shared_pbx_with_changes_of_own_status(
    staff: Staff, sent: Sent, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    monkeypatch.setattr(statuses, "MOST_A_MINUTE", 4)
    with company_scope("alpha"), django_capture_on_commit_callbacks(execute=True):
        assert staff.anna.user is not None
        lunch, back = status("Обед"), Status.objects.live().filter(kind="available")[0]
        for chosen in (lunch, back, lunch, back):
            statuses.declare(actor=staff.anna.user, manager=staff.anna, status_id=chosen.pk)
        with pytest.raises(Busy):
            statuses.declare(actor=staff.anna.user, manager=staff.anna, status_id=lunch.pk)
        assert history(staff.anna)[-1] == (back.label, True)
        statuses.declare(actor=staff.admin, manager=staff.boris, status_id=lunch.pk)
    assert len(sent) == 5, "another's change is not held up"

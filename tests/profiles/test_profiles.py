"""Profiles: made, shared, switched and archived by whom they belong to, and every switch is kept as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import Error, connection, transaction

from monitoring.domain.watching import Sight
from monitoring.models import AuditEntry, Norm, Profile, ProfileActivity
from monitoring.selectors.profiles import openable, seen_by
from monitoring.services import profiles
from monitoring.services.errors import NotThere, Refused
from monitoring.services.profiles import BadProfile, View
from tenants.scope import company_scope
from tests.profiles.conftest import TILES, House, fresh

pytestmark = pytest.mark.django_db

VERBS: dict[str, Callable[..., object]] = {
    "change": lambda actor, profile: profiles.change(
        actor=actor, profile=profile, view=View(title="Иначе", tiles=("lost",))
    ),
    "switch": lambda actor, profile: profiles.switch(actor=actor, profile=profile, on=False),
    "archive": lambda actor, profile: profiles.archive(actor=actor, profile=profile),
}


def state(house: House) -> object:
    profile = Profile.objects.get(pk=house.mine.pk)
    return (
        Profile.objects.count(), profile.title, profile.archived_at, profile.tiles, profile.for_supervisors,
        list(profile.groups.values_list("pk", flat=True)), list(profile.people.values_list("pk", flat=True)),
        list(ProfileActivity.objects.values_list("pk", "started", "ended")),
    )  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", ["admin", "maker"])
def test_the_maker_and_an_admin_change_a_profile(house: House, role: str, verb: str) -> None:
    with company_scope("alpha"):
        before = state(house)
        VERBS[verb](fresh(house.person(role)), house.mine)
        assert state(house) != before
        assert AuditEntry.objects.filter(verb="profile.edit", outcome="done").count() == 2


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", ["other", "manager"])
def test_whoever_it_is_only_shared_with_changes_nothing(house: House, role: str, verb: str) -> None:
    with company_scope("alpha"):
        profiles.change(
            actor=fresh(house.staff.supervisor), profile=house.mine,
            view=View(title="Общий", tiles=TILES, people=[house.other], for_supervisors=True),
        )  # fmt: skip
        before = state(house)
        with pytest.raises(Refused):
            VERBS[verb](fresh(house.person(role)), house.mine)
        assert state(house) == before
        assert AuditEntry.objects.filter(outcome="refused").count() == 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", ["admin", "maker", "other", "manager"])
def test_people_of_another_company_change_nothing(
    house: House, beta_house: House, role: str, verb: str
) -> None:
    with company_scope("beta"):
        stranger = fresh(beta_house.person(role))
    with company_scope("alpha"):
        before = state(house)
        with pytest.raises(Refused):
            VERBS[verb](stranger, house.mine)
        assert state(house) == before


@pytest.mark.parametrize(
    ("role", "may"), [("admin", True), ("maker", True), ("other", True), ("manager", False)]
)
def test_supervisors_and_admins_make_profiles_managers_do_not(house: House, role: str, may: bool) -> None:
    with company_scope("alpha"):
        before = Profile.objects.count()
        try:
            made = profiles.make(actor=fresh(house.person(role)), view=View(title="Новый", tiles=TILES))
        except Refused:
            assert not may
        else:
            assert may
            assert made.activity.filter(ended=None).count() == 1
        assert Profile.objects.count() == before + may


def test_a_profile_is_opened_by_its_maker_by_those_named_and_by_admins(house: House) -> None:
    def who() -> set[str]:
        roles = ("admin", "maker", "other", "manager")
        return {role for role in roles if openable(fresh(house.person(role))).filter(pk=house.mine.pk)}

    with company_scope("alpha"):
        assert who() == {"admin", "maker"}
        house.mine.people.add(house.other, house.manager)
        assert who() == {"admin", "maker", "other"}
        house.mine.people.clear()
        Profile.objects.filter(pk=house.mine.pk).update(for_supervisors=True)
        assert who() == {"admin", "maker", "other"}
        profiles.archive(actor=fresh(house.staff.admin), profile=house.mine)
        assert who() == set()


def test_a_profile_only_narrows(house: House) -> None:
    with company_scope("alpha"):
        house.mine.managers.add(house.staff.anna)
        own = seen_by(house.mine, fresh(house.staff.supervisor))
        assert own.sight == Sight(
            frozenset({house.staff.sales.pk}), frozenset({"alpha_sales"}), None, frozenset({"alpha_101"})
        )
        assert not own.missing
        shared = seen_by(house.mine, fresh(house.other))
        assert shared.sight == Sight(frozenset(), frozenset(), None, frozenset())
        assert shared.missing


def test_nobody_puts_into_a_profile_what_they_do_not_see(house: House, beta_house: House) -> None:
    with company_scope("alpha"):
        before = state(house)
        for view in (
            View(title="Чужое", tiles=TILES, groups=[house.staff.support]),
            View(title="Чужое", tiles=TILES, managers=[house.staff.boris]),
            View(title="Чужое", tiles=TILES, people=[house.manager]),
        ):
            with pytest.raises(NotThere):
                profiles.change(actor=fresh(house.staff.supervisor), profile=house.mine, view=view)
        assert state(house) == before


def test_what_an_admin_chose_beyond_the_makers_sight_survives_the_makers_edit(house: House) -> None:
    with company_scope("alpha"):
        house.mine.groups.add(house.staff.support)
        profiles.change(
            actor=fresh(house.staff.supervisor), profile=house.mine, view=View(title="Мой", tiles=TILES)
        )
        assert set(house.mine.groups.all()) == {house.staff.support}


@pytest.mark.parametrize("tiles", [(), ("no_such",), ("waiting", "waiting")])
def test_a_profile_shows_known_figures_each_once(house: House, tiles: tuple[str, ...]) -> None:
    with company_scope("alpha"):
        before = state(house)
        with pytest.raises(BadProfile):
            profiles.make(actor=fresh(house.staff.admin), view=View(title="Нет", tiles=tiles))
        assert state(house) == before


def test_a_copy_is_the_copiers_own_with_the_norms_and_off(house: House) -> None:
    with company_scope("alpha"):
        Norm.objects.create(metric="waiting", scope="profile", scope_id=house.mine.pk, warning=1, alarm=2)
        with pytest.raises(Refused):
            profiles.copy(actor=fresh(house.other), profile=house.mine)
        house.mine.people.add(house.other)
        made = profiles.copy(actor=fresh(house.other), profile=house.mine)
        assert (made.maker, list(made.groups.all()), made.tiles) == (
            house.other, [house.staff.sales], list(TILES),
        )  # fmt: skip
        assert Norm.objects.get(scope_id=made.pk).alarm == 2
        assert not made.activity.exists()
        assert not made.people.exists()


def test_a_switch_that_changes_nothing_leaves_no_interval(house: House) -> None:
    with company_scope("alpha"):
        actor = fresh(house.staff.supervisor)
        assert not profiles.switch(actor=actor, profile=house.mine, on=True)
        assert profiles.switch(actor=actor, profile=house.mine, on=False)
        assert not profiles.switch(actor=actor, profile=house.mine, on=False)
        assert profiles.switch(actor=actor, profile=house.mine, on=True)
        first, second = house.mine.activity.all()
        assert first.ended is not None
        assert first.started < first.ended <= second.started
        assert (first.by_off, second.ended, second.by_on) == (actor, None, actor)


def test_archiving_ends_the_interval_and_bringing_back_begins_none(house: House) -> None:
    with company_scope("alpha"):
        actor = fresh(house.staff.supervisor)
        gone = profiles.archive(actor=actor, profile=house.mine)
        assert house.mine.activity.get().ended is not None
        with pytest.raises(NotThere):
            profiles.switch(actor=actor, profile=gone, on=True)
        profiles.restore(actor=actor, profile=gone)
        assert not house.mine.activity.filter(ended=None).exists()
        profiles.archive(actor=actor, profile=house.mine)
        profiles.restore(actor=actor, profile=house.mine, on=True)
        assert house.mine.activity.filter(ended=None).count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM monitoring_profileactivity",
        "UPDATE monitoring_profileactivity SET ended = now() + interval '1 day' WHERE ended IS NOT NULL",
        "UPDATE monitoring_profileactivity SET ended = NULL WHERE ended IS NOT NULL",
        "UPDATE monitoring_profileactivity SET started = started - interval '1 day'",
        "UPDATE monitoring_profileactivity SET by_on_id = NULL WHERE ended IS NULL",
    ],
)
def test_the_database_itself_refuses_to_rewrite_what_is_billed(house: House, statement: str) -> None:
    with company_scope("alpha"):
        actor = fresh(house.staff.supervisor)
        profiles.switch(actor=actor, profile=house.mine, on=False)
        profiles.switch(actor=actor, profile=house.mine, on=True)
        before = state(house)
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert state(house) == before

"""What a collector reads of the database: each company's own rows, and a plain word when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from django.db import connections

from monitoring.models import Call
from monitoring.pbx.portal import DatabasePortal, PortalAway
from tenants.models import Company, Pbx
from tenants.scope import company_scope
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rows(db: None) -> dict[str, str]:
    """Each company's PBX key; alpha's is shared by both, a third is off."""
    staff = {slug: make_staff(slug) for slug in ("alpha", "beta")}
    shared = staff["alpha"].pbx
    shared.secret = "hush"
    shared.managed = True
    shared.save()
    shared.companies.set(Company.objects.all())
    off = Pbx.objects.create(name="off", host="x", username="x", enabled=False)
    off.companies.set(Company.objects.all())
    Pbx.objects.create(name="nobody's", host="x", username="x")
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            for uid in ("1.1", "2.1"):
                Call.objects.create(
                    key=f"1:{uid}", pbx="1", direction="in", disposition="open", revision=1.0,
                    started="2026-11-22T03:00:00Z",
                )  # fmt: skip
    return {slug: str(one.pbx.pk) for slug, one in staff.items()}


@pytest.fixture
async def portal() -> AsyncIterator[DatabasePortal]:
    portal = DatabasePortal()
    yield portal
    await asyncio.to_thread(portal.close)


async def test_only_enabled_pbxs_of_somebody_are_collected_and_only_a_sole_owner_owns_everything(
    rows: dict[str, str], portal: DatabasePortal
) -> None:
    entries = {entry.key: entry for entry in await portal.pbxs()}
    assert {key: entry.companies for key, entry in entries.items()} == {
        rows["alpha"]: ("alpha", "beta"), rows["beta"]: ("beta",),
    }  # fmt: skip
    assert entries[rows["alpha"]].sole is None
    assert entries[rows["beta"]].sole == "beta"
    assert entries[rows["alpha"]].address.secret == "hush"
    assert "hush" not in repr(entries)


async def test_a_closed_company_is_no_longer_heard(rows: dict[str, str], portal: DatabasePortal) -> None:
    await asyncio.to_thread(_close_company, "beta")
    assert [entry.companies for entry in await portal.pbxs()] == [("alpha",)]


def _close_company(slug: str) -> None:
    Company.objects.filter(schema_name=slug).update(active=False)
    connections.close_all()


async def test_each_companys_directory_holds_its_own_people_alone(
    rows: dict[str, str], portal: DatabasePortal
) -> None:
    for counted in (True, False):
        loaded = await portal.directories(("alpha", "beta", "gone"), counted=counted)
        assert set(loaded) == {"alpha", "beta"}
        for slug, (directory, standing) in loaded.items():
            assert {manager.key for manager in directory.managers} == {f"{slug}_101", f"{slug}_102"}
            assert (standing.day is not None) is counted


async def test_calls_nobody_saw_end_are_closed_in_their_company_alone(
    rows: dict[str, str], portal: DatabasePortal
) -> None:
    assert await portal.close_interrupted("alpha", "1", before=4e9, alive=["1:2.1"]) == 1

    def left(slug: str) -> list[str]:
        with company_scope(slug):
            found = list(
                Call.objects.filter(disposition="open").order_by("key").values_list("key", flat=True)
            )
        connections.close_all()
        return found

    assert await asyncio.to_thread(left, "alpha") == ["1:2.1"]
    assert await asyncio.to_thread(left, "beta") == ["1:1.1", "1:2.1"]


async def test_a_database_that_does_not_answer_is_said_in_one_word_and_is_back_by_itself(
    rows: dict[str, str], portal: DatabasePortal
) -> None:
    settings = connections["default"].settings_dict
    port = settings["PORT"]

    def break_it() -> None:
        connections.close_all()
        settings["PORT"], settings["HOST"] = "1", "127.0.0.1"

    host = settings["HOST"]
    portal._thread.submit(break_it).result()
    with pytest.raises(PortalAway):
        await portal.pbxs()
    with pytest.raises(PortalAway):
        await portal.directories(("alpha",), counted=True)
    settings["PORT"], settings["HOST"] = port, host
    assert await portal.pbxs()

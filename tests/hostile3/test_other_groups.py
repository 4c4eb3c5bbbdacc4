"""What belongs to a group one does not head is not there: every address of the map, asked by the wrong supervisor.

All tables of the company are filled with rows of a stranger's group; by their numbers nothing opens or changes.
"""

from __future__ import annotations

import hashlib

import pytest
from django.db import connection

from monitoring.models import Group, Profile, Supervisor
from tenants.models import Pbx
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories.anything import Filler, company_models
from tests.factories.people import signed_in
from tests.tenants.test_crawler import ALL, ALPHAS, MARK

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

# Written by a refusal, a look or a session itself; and one's own switches.
ALSO = frozenset({"tenant_people_refusal", "people_refusal", "monitoring_auditentry", "django_session"})
# Marks are the company's, not a group's; their number on a call of one's own is fine.
SKIPPED = ("sign-out", "account/", "i18n/", "healthz")


@pytest.fixture
def filled() -> None:
    pbx = Pbx.objects.create(name="АТС", host="127.0.0.1", username="x")
    with company_scope("alpha"):
        filler = Filler(mark=MARK, number=ALPHAS, given={Pbx: pbx})
        for model in company_models():
            filler.row(model)
        Profile.objects.update(for_supervisors=False)


def tables() -> dict[str, str]:
    """Table → digest of its rows, of those a stranger's request must not change."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'alpha' ORDER BY 1")
        for (table,) in cursor.fetchall():
            if table in ALSO or "refusal" in table or "session" in table:
                continue
            rows = "SELECT coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') FROM"
            cursor.execute(f'{rows} "alpha"."{table}" t')  # the names come from the catalogue itself
            found[table] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return found


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MANAGER])
def test_by_their_numbers_nothing_of_a_strangers_group_opens_or_changes(filled: None, role: Role) -> None:
    client, user = signed_in("alpha", role)
    client.raise_request_exception = False
    with company_scope("alpha"):
        if role == Role.SUPERVISOR:
            Supervisor.objects.create(user=user).groups.add(Group.objects.create(title="Своя"))
        user.refresh_from_db()
    before = tables()
    opened = []
    for address in ALL:
        if "int" not in address.converters or address.route.startswith(SKIPPED):
            continue
        path = address.at(number=ALPHAS, word="resume")
        for answer in (client.get(path), client.post(path, {"do": "close", "reason": "spam", "on": "1"})):
            if answer.status_code not in (401, 403, 404, 405):
                opened.append(f"{answer.request['REQUEST_METHOD']} {path}: {answer.status_code}")
    assert not opened, "\n".join(opened)
    after = tables()
    assert [table for table in before if before[table] != after[table]] == []

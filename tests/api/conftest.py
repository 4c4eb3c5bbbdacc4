"""Two companies with the same numbers and names on both sides, a lost call and an answered one in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.domain.facts import CallFact, LegFact, StepFact, VisitFact
from monitoring.models import Call, Line
from monitoring.services import ingest
from tenants.models import Company
from tenants.people import tokens
from tenants.people.models import Scope, User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff


class Past(NamedTuple):
    staff: Staff
    answered: int
    lost: int


def tell(slug: str, staff: Staff) -> Past:
    """In sales: a call Anna answered after 4 s, and a caller who gave up after 40 s; in support: a call of Boris."""
    now = timezone.now().timestamp() - 7200
    with company_scope(slug):
        line = Line.objects.create(number="74951110001", title="Главная", pbx=staff.pbx, queue=staff.queue)
        line.groups.add(staff.sales)
        legs = (
            LegFact(
                "1.2",
                f"{slug}_101",
                f"{slug}_sales",
                now,
                now + 4,
                now + 64,
                "answered",
                ((now + 4, now + 64),),
                (),
            ),
        )
        steps = (
            StepFact("line", "74951110001", now, now),
            StepFact("talk", f"{slug}_101", now + 4, now + 64),
        )
        foreign = (
            LegFact("3.2", f"{slug}_102", "", now, now + 4, now + 14, "answered", ((now + 4, now + 14),), ()),
        )
        ingest.store(
            str(staff.pbx.pk),
            [
                CallFact("1:1.1", "in", "+79161234567", f"из {slug}", "74951110001", now, now + 4, now + 64, "answered",
                         "customer", legs, steps, revision=now + 64),
                VisitFact("1.1", "1:1.1", f"{slug}_sales", now, now + 4, "answered", "", f"{slug}_101", 4.0, 1, 20, 5),
                CallFact("1:2.1", "in", "+79167654321", f"из {slug}", "74951110001", now + 100, None, now + 140,
                         "abandoned", "customer", (), (), revision=now + 140),
                VisitFact("2.1", "1:2.1", f"{slug}_sales", now + 100, now + 140, "abandoned", "", "", 40.0, 1, 20, 5),
                CallFact("1:3.1", "in", "+79160000000", f"из {slug}", "", now, now + 4, now + 14, "answered",
                         "customer", foreign, (), revision=now + 14),
            ],
        )  # fmt: skip
        ids = dict(Call.objects.values_list("key", "pk"))
    return Past(staff, ids["1:1.1"], ids["1:2.1"])


@pytest.fixture
def past(alpha: Company, beta: Company) -> dict[str, Past]:
    return {slug: tell(slug, make_staff(slug)) for slug in ("alpha", "beta")}


Ask = Callable[..., Any]


@pytest.fixture
def ask(past: dict[str, Past]) -> Ask:
    """``ask(path, who=…, slug=…, scopes=…, **parameters)``: GET below /api/v1 with a fresh token of that person."""

    def asked(
        path: str, *, who: Callable[[Staff], User | None] = lambda staff: staff.admin, slug: str = "alpha",
        host: str = "", scopes: tuple[str, ...] = tuple(Scope.values), post: Any = None, **parameters: Any,
    ) -> Any:  # fmt: skip
        with company_scope(slug):
            person = who(past[slug].staff)
            assert person is not None
            row, token = tokens.issue(user=person, name="t", scopes=scopes)
        headers = {"host": f"{host or slug}.localhost", "authorization": f"Bearer {token}"}
        client = Client(headers=headers)
        if post is not None:
            answer = client.post(f"/api/v1{path}", post, content_type="application/json")
        else:
            answer = client.get(f"/api/v1{path}", parameters)
        with company_scope(slug):
            tokens.revoke(user=person, token_id=row.pk)
        return answer

    return asked

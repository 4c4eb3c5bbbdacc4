"""What a caller or a strange PBX writes arrives as harmless text wherever facts are shown, sent or put in a file."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from monitoring.domain.facts import StepFact
from monitoring.models import Call, Webhook
from monitoring.models.webhooks import Delivery, Happening
from monitoring.services import exports, ingest, journal_export
from monitoring.services.exports import Asked
from tenants.people import tokens
from tenants.people.models import Scope
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.factories.told import call, leg, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

EVIL = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0",
    "a\r\nBcc: x@y.example\r\n\r\nx", "a\x00b", "\u202eevil\u2066", "\ud800lone\udfff", "😀" * 300, "я" * 10_000,
    "{{7*7}}{% debug %}",
    "';DROP TABLE x;--", "\u2028\u2029\ufeff\u200b",
)  # fmt: skip
BAD = ("<script>alert", "<img src=x", "\u202e", "\u2066", "\x00", "49}", "\u2028")
KIND = journal_export


@pytest.fixture
def staff() -> Staff:
    return make_staff("alpha")


def tell() -> None:
    import time

    now = time.time() - 3600
    with company_scope("alpha"):
        for number, evil in enumerate(EVIL):
            at = now + number * 60
            steps = (StepFact("line", evil, at, at), StepFact("transfer", evil, at, at + 1, f"blind:{evil}"))
            told = call(
                f"1:{at:.2f}", started=at, number=evil, name=evil, steps=steps, disposition="abandoned",
                legs=(leg(evil, rang=at, queue=evil),),
            )._replace(line=evil, hung_up_by=evil, answered=None)  # fmt: skip
            ingest.store(
                "1", [told, visit(told.key, evil, joined=at, outcome="abandoned", wait=30, manager=evil)]
            )


def test_every_page_and_answer_shows_it_as_text(staff: Staff) -> None:
    tell()
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        assert Call.objects.count() == len(EVIL)
        client.force_login(staff.admin, backend="tenants.people.backend.EmailBackend")
        ids = list(Call.objects.values_list("pk", flat=True))
        _row, token = tokens.issue(user=staff.admin, name="t", scopes=tuple(Scope.values))
    program = Client(headers={"host": "alpha.localhost", "authorization": f"Bearer {token}"})
    pages = [
        "/calls/", "/lost/?show=open", "/lost/?show=not_needed", "/statistics/", "/statistics/lines/",
        "/statistics/explain/?metric=calls_in&period=days7", "/quality/", "/manage/audit/",
        *(f"/calls/{pk}/" for pk in ids),
    ]  # fmt: skip
    for path in pages:
        answer = client.get(path)
        assert answer.status_code == 200, path
        text = answer.content.decode()
        assert [bad for bad in BAD if bad in text] == [], path
    for path in ("/api/v1/calls", "/api/v1/lost", *(f"/api/v1/calls/{pk}" for pk in ids)):
        answer = program.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"].startswith("application/json")
        text = json.dumps(answer.json(), ensure_ascii=False)
        assert [bad for bad in BAD[2:5] if bad in text] == [], path


def test_files_and_messages_hold_it_as_text(staff: Staff) -> None:
    with company_scope("alpha"):
        hook = Webhook(
            url="https://crm.example.com/x", title="t", events=list(Happening.values), made_by=staff.admin
        )
        hook.secret = "whsec_AAAA"
        hook.save()
    tell()
    with company_scope("alpha"):
        bodies = [json.loads(body) for body in Delivery.objects.values_list("body", flat=True)]
        assert len(bodies) >= 2 * len(EVIL)
        assert all(len(str(body)) < 3_000 for body in bodies)
        rows = list(exports.KINDS["calls"].rows(Asked(staff.admin, {"query": ""}, "Asia/Kathmandu")))
    assert len(rows) == len(EVIL)
    assert not any(bad in str(cell) for row in rows for cell in row for bad in ("\u202e", "\x00", "\r", "\n"))

"""A right that ended yesterday has ended for what was made with it: files, reports, letters, other programs."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from monitoring.models import AuditEntry, Export, LostCall
from monitoring.models.reports import ReportDelivery, ReportRun, ScheduledReport
from monitoring.services import exports, journal_export, report_letters, reports, webhooks
from tenants.people import tokens
from tenants.people.models import Role, Scope, User
from tenants.scope import company_scope
from tests.api.conftest import Past, tell
from tests.factories.staff import make_staff

ZONE = "Europe/Moscow"
WHAT = journal_export  # registers the journal's file


@pytest.fixture
def past(db: None, settings: Settings, tmp_path: Path) -> dict[str, Past]:
    settings.STATE_DIR = tmp_path
    return {slug: tell(slug, make_staff(slug)) for slug in ("alpha", "beta")}


def browser(user: User | None) -> Client:
    assert user is not None
    client = Client(headers={"host": "alpha.localhost"})
    with company_scope("alpha"):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client


def export_of(user: User, capture: DjangoCaptureOnCommitCallbacks) -> Export:
    with company_scope("alpha"):
        with capture(execute=False):
            made = exports.ask(owner=user, kind="calls", question={"query": ""}, form="csv", zone=ZONE)
        exports.make(made.pk)
        made.refresh_from_db()
    assert made.state == "ready"
    return made


def fetched(user: User, export: Export) -> int:
    answer = browser(user).get(f"/exports/{export.pk}/file/")
    with company_scope("alpha"):
        told = AuditEntry.objects.filter(kind="export", details__fetched=export.pk).count()
    assert told == (answer.status_code == 200)
    return answer.status_code


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_a_file_made_for_a_group_is_not_given_out_after_the_group_was_taken_away(
    past: dict[str, Past], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    staff = past["alpha"].staff
    lost = export_of(staff.supervisor, django_capture_on_commit_callbacks)
    with company_scope("alpha"):
        staff.supervisor.supervisor.groups.set([staff.support])
    assert fetched(staff.supervisor, lost) == 302
    kept = export_of(staff.supervisor, django_capture_on_commit_callbacks)
    with company_scope("alpha"):
        staff.supervisor.supervisor.groups.add(staff.sales)
    assert fetched(staff.supervisor, kept) == 200
    assert browser(staff.admin).get(f"/exports/{kept.pk}/file/").status_code == 404


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_an_admins_file_is_not_given_out_to_the_supervisor_he_became(
    past: dict[str, Past], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    staff = past["alpha"].staff
    whole = export_of(staff.admin, django_capture_on_commit_callbacks)
    with company_scope("alpha"):
        User.objects.filter(pk=staff.admin.pk).update(role=Role.SUPERVISOR)
        staff.admin.refresh_from_db()
    assert fetched(staff.admin, whole) == 302


def scheduled(user: User, **more: Any) -> ScheduledReport:
    return reports.save(
        actor=user, report=None, title="Отчёт", page="queues", every="day", at=time(9), zone=ZONE,
        recipients=[("boss@alpha.example", "ru")], **{"query": "", **more},
    )  # fmt: skip


def sent_run(report: ScheduledReport) -> ReportDelivery:
    now = timezone.now()
    run = ReportRun.objects.create(
        report=report, first=now.date(), last=now.date(), began=now, beat=now, asked=True
    )
    report_letters.send(run.pk, company="Альфа", zone=ZONE)
    return ReportDelivery.objects.get(run=run)


def test_a_report_tells_what_its_owner_may_see_when_it_goes_and_stops_with_the_owner(
    past: dict[str, Past],
) -> None:
    staff = past["alpha"].staff
    with company_scope("alpha"):
        report = scheduled(staff.supervisor, query=f"scope=group:{staff.sales.pk}")
        staff.supervisor.supervisor.groups.set([staff.support])
        assert sent_run(report).state == ReportDelivery.State.FAILED
        assert mail.outbox == []
        staff.supervisor.supervisor.groups.set([staff.sales])
        assert sent_run(report).state == ReportDelivery.State.SENT
        assert len(mail.outbox) == 1
        User.objects.filter(pk=staff.supervisor.pk).update(is_active=False)
        fresh = ScheduledReport.objects.get(pk=report.pk)
        assert sent_run(fresh).state == ReportDelivery.State.FAILED
        ScheduledReport.objects.update(next_run=timezone.now() - timedelta(minutes=1))
        assert reports.claim_due(zone=ZONE) == []
        assert not ScheduledReport.objects.get().active
    assert len(mail.outbox) == 1


def test_a_letter_has_the_headers_we_wrote_and_no_others(past: dict[str, Past]) -> None:
    staff = past["alpha"].staff
    with company_scope("alpha"):
        report = scheduled(staff.supervisor)
        # Past every form and check, as a row from elsewhere would be.
        ScheduledReport.objects.update(title="a\r\nBcc: evil@example.org\r\n\r\n<script>")
        report.refresh_from_db()
        assert sent_run(report).state == ReportDelivery.State.SENT
    (letter,) = mail.outbox
    headers = letter.message().keys()
    assert letter.recipients() == ["boss@alpha.example"]
    assert {"Bcc", "bcc"}.isdisjoint(headers)
    assert isinstance(letter, EmailMultiAlternatives)
    html = str(letter.alternatives[0][0])
    assert "<script>" not in html


def test_a_program_settles_a_lost_call_within_its_persons_reach_alone(past: dict[str, Past]) -> None:
    staff = past["alpha"].staff
    with company_scope("alpha"):
        row = LostCall.objects.get(call=past["alpha"].lost)

        def token(user: User) -> str:
            return tokens.issue(user=user, name="t", scopes=(Scope.LOST,))[1]

        programs = {"admin": token(staff.admin), "supervisor": token(staff.supervisor)}
        staff.supervisor.supervisor.groups.set([staff.support])
    with company_scope("beta"):
        programs["foreign"] = tokens.issue(
            user=past["beta"].staff.admin, name="t", scopes=(Scope.LOST,)
        )[1]  # fmt: skip

    def close(who: str, note: str, host: str = "alpha") -> int:
        client = Client(headers={"host": f"{host}.localhost", "authorization": f"Bearer {programs[who]}"})
        body = {"reason": "spam", "note": note}
        return client.post(f"/api/v1/lost/{row.pk}/close", body, content_type="application/json").status_code

    assert close("supervisor", "x") == 404
    assert close("foreign", "x") == 401
    with company_scope("alpha"):
        row.refresh_from_db()
        assert row.state == "open"
    assert close("admin", "a\x00b\u202e=1+1" + "x" * 10_000) == 200
    with company_scope("alpha"):
        row.refresh_from_db()
        assert row.note.startswith("ab=1+1xxx")
        assert len(row.note) == 200
    assert close("admin", "again") == 409


def test_a_webhook_to_an_address_no_longer_allowed_can_be_stopped_but_not_saved(
    past: dict[str, Past], settings: Settings
) -> None:
    staff = past["alpha"].staff
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    with company_scope("alpha"):
        hook, _secret = webhooks.make(
            actor=staff.admin, url="http://127.0.0.1:9/x", title="CRM", events=["call.ended"]
        )
        settings.WEBHOOKS_TO_PRIVATE_NETWORKS = False
        webhooks.pause(actor=staff.admin, webhook=hook)
        with pytest.raises(ValidationError):
            webhooks.change(
                actor=staff.admin, webhook=hook, url=hook.url, title="CRM 2", events=["call.ended"]
            )
        hook.refresh_from_db()
        assert (hook.title, hook.paused_at is not None) == ("CRM", True)
        webhooks.remove(actor=staff.admin, webhook=hook)
        hook.refresh_from_db()
        assert hook.archived_at is not None

"""Reports that come by themselves: once for each period, cut to what their owner may see, stopped when the owner is."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from monitoring.models import ReportDelivery, ReportRun, ScheduledReport
from monitoring.services import report_letters, reports
from monitoring.services.errors import ServiceError
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.statistics_pages.conftest import signed_in

pytestmark = pytest.mark.django_db

MOSCOW = "Europe/Moscow"
MONDAY = datetime(2026, 11, 23, 6, 0, 30, tzinfo=UTC)  # 09:00:30 in Moscow


def report(owner: User, *, query: str = "", page: str = "managers", **more: str) -> ScheduledReport:
    """Weekly, due on MONDAY. In the open scope."""
    made = reports.save(
        actor=owner, report=None, title=more.get("title", "Неделя"), page=page, query=query, every="week",
        at=time(9), recipients=[("boss@client.example", "ru"), ("chef@client.example", "en")], zone=MOSCOW,
    )  # fmt: skip
    ScheduledReport.objects.filter(pk=made.pk).update(next_run=MONDAY - timedelta(seconds=30))
    return made


def send_due() -> None:
    for run in reports.claim_due(zone=MOSCOW, now=MONDAY):
        report_letters.send(run, company="Альфа", zone=MOSCOW)


def pdf_of(letter: mail.EmailMessage) -> str:
    content = letter.attachments[0][1]
    assert isinstance(content, bytes)
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_each_recipient_gets_summary_and_pdf_in_the_own_language(
    alpha_staff: Staff, beta_staff: Staff
) -> None:
    with company_scope("alpha"):
        report(alpha_staff.admin)
        send_due()
        assert ReportDelivery.objects.filter(state="sent").count() == 2
    with company_scope("beta"):
        assert reports.claim_due(zone=MOSCOW, now=MONDAY) == []
    russian, english = mail.outbox
    assert russian.to == ["boss@client.example"]
    assert "Обработано: 11" in russian.body
    assert "Handled: 11" in english.body
    assert "Анна" in pdf_of(russian)


def test_a_period_is_sent_once_whoever_looks_and_however_often(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        made = report(alpha_staff.admin)
        send_due()
        send_due()
        ScheduledReport.objects.filter(pk=made.pk).update(next_run=MONDAY - timedelta(seconds=30))
        send_due()
        assert ReportRun.objects.count() == 1
        made.refresh_from_db()
        assert made.next_run == datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert len(mail.outbox) == 2


def test_a_sender_killed_in_the_middle_is_taken_over_and_no_letter_goes_twice(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        report(alpha_staff.admin)
        (run,) = reports.claim_due(zone=MOSCOW, now=MONDAY)
        ReportDelivery.objects.create(
            run_id=run, email="boss@client.example", at=MONDAY
        )  # claimed, then killed
        assert reports.claim_due(zone=MOSCOW, now=MONDAY + timedelta(minutes=1)) == []
        assert reports.claim_due(zone=MOSCOW, now=MONDAY + timedelta(minutes=6)) == [run]
        assert reports.claim_due(zone=MOSCOW, now=MONDAY + timedelta(minutes=6)) == []
        report_letters.send(run, company="Альфа", zone=MOSCOW)
        report_letters.send(run, company="Альфа", zone=MOSCOW)
    assert [letter.to for letter in mail.outbox] == [["chef@client.example"]]


def test_recipients_get_what_the_owner_may_see_when_it_is_sent(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        report(alpha_staff.supervisor)
        alpha_staff.supervisor.supervisor.groups.set([alpha_staff.support])
        send_due()
    said = pdf_of(mail.outbox[0])
    assert "Борис" in said
    assert "Анна" not in said


def test_a_scope_its_owner_lost_is_not_sent_and_said(alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        report(alpha_staff.supervisor, query=f"scope=group:{alpha_staff.sales.pk}")
        alpha_staff.supervisor.supervisor.groups.clear()
        send_due()
        assert set(ReportDelivery.objects.values_list("state", flat=True)) == {"failed"}
    assert mail.outbox == []


def test_a_disabled_owner_stops_it_and_the_list_says_so(alpha_client: Client, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        made = report(alpha_staff.supervisor)
        User.objects.filter(pk=alpha_staff.supervisor.pk).update(is_active=False)
        send_due()
        made.refresh_from_db()
        assert (made.active, made.next_run, made.stopped) == (False, None, "owner")
    assert mail.outbox == []
    page = signed_in(alpha_client, "alpha", alpha_staff.admin).get("/statistics/scheduled/").text
    assert "Остановлен" in page


@pytest.mark.parametrize(
    ("every", "first", "last"),
    [
        ("day", date(2026, 11, 22), date(2026, 11, 22)),
        ("week", date(2026, 11, 16), date(2026, 11, 22)),
        ("month", date(2026, 10, 1), date(2026, 10, 31)),
    ],
)
def test_it_covers_the_last_whole_period(every: str, first: date, last: date) -> None:
    assert reports.covers(every, date(2026, 11, 23)) == (first, last)


def test_the_time_of_day_is_the_companys_also_when_clocks_change() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first = reports.next_run("day", time(9), "Europe/Berlin", after=before)
    assert first == datetime(2026, 10, 25, 8, tzinfo=UTC), "clocks went back that night"
    assert reports.next_run("month", time(9), MOSCOW, after=before) == datetime(2026, 11, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "language"),
    [("nobody", "ru"), ("a@b.example\nBcc: x@y.example", "ru"), ("a@b.example", "xx"), ("", "ru")],
)
def test_a_bad_recipient_is_refused_and_nothing_is_kept(
    alpha_staff: Staff, address: str, language: str
) -> None:
    with company_scope("alpha"):
        with pytest.raises(ServiceError):
            reports.save(
                actor=alpha_staff.admin, report=None, title="x", page="queues", query="", every="day", at=time(9),
                recipients=[(address, language)] if address else [], zone=MOSCOW,
            )  # fmt: skip
        assert not ScheduledReport.objects.exists()


FORM = {
    "title": "Отчёт недели", "page": "queues", "every": "week", "at": "09:00", "email": ["a@b.example", ""],
    "language": ["ru", "ru"], "query": "scope=",
}  # fmt: skip


def test_who_may_make_and_touch_which(
    alpha_client: Client, beta_client: Client, alpha_staff: Staff, beta_staff: Staff
) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.anna.user)
    assert client.post("/statistics/scheduled/new/", FORM).status_code == 403
    with company_scope("alpha"):
        made = report(alpha_staff.admin)
    own = f"/statistics/scheduled/{made.pk}/"
    stranger = signed_in(alpha_client, "alpha", alpha_staff.supervisor)
    foreigner = signed_in(beta_client, "beta", beta_staff.admin)
    for visitor in (stranger, foreigner):
        assert visitor.get(own).status_code == 404
        for verb in ("pause/", "resume/", "send/", "delete/"):
            assert visitor.post(own + verb).status_code == 404
        assert visitor.post(own, FORM).status_code == 404
        assert "Неделя" not in visitor.get("/statistics/scheduled/").text
    with company_scope("alpha"):
        made.refresh_from_db()
        assert (made.title, made.active) == ("Неделя", True)
    assert stranger.post("/statistics/scheduled/new/", FORM).status_code == 302
    with company_scope("alpha"):
        assert ScheduledReport.objects.get(title="Отчёт недели").owner == alpha_staff.supervisor


def test_pause_start_again_send_now_and_delete(
    alpha_client: Client, alpha_staff: Staff, django_capture_on_commit_callbacks: object
) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    assert client.post("/statistics/scheduled/new/", FORM).status_code == 302
    with company_scope("alpha"):
        made = ScheduledReport.objects.get()
    own = f"/statistics/scheduled/{made.pk}/"
    client.post(own + "pause/")
    with company_scope("alpha"):
        made.refresh_from_db()
        assert (made.active, made.next_run) == (False, None)
    client.post(own + "resume/")
    with company_scope("alpha"):
        made.refresh_from_db()
        assert made.next_run is not None
        assert made.next_run > timezone.now()
    assert callable(django_capture_on_commit_callbacks)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(own + "send/")
    assert len(mail.outbox) == 1
    page = client.get("/statistics/scheduled/").text
    assert "отправлено писем: 1" in page
    assert client.get(own).status_code == 200
    client.post(own + "delete/")
    with company_scope("alpha"):
        assert not ScheduledReport.objects.exists()


def test_a_form_with_a_mistake_keeps_what_was_typed(alpha_client: Client, alpha_staff: Staff) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    answer = client.post("/statistics/scheduled/new/", FORM | {"email": ["nonsense", ""]})
    assert answer.status_code == 422
    assert "nonsense" in answer.text
    assert "Отчёт недели" in answer.text

"""Reports that come by themselves: making, pausing, and deciding what is due. Sending is ``report_letters``.

Times of day are the company's; a report covers the last whole day, week or month before the moment it is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.models.reports import Every, ReportPage, ReportRecipient, ReportRun, ScheduledReport
from monitoring.services import audit
from monitoring.services.directory import check
from monitoring.services.errors import NotThere, ServiceError
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

MOST_RECIPIENTS = 20
MOST_OF_ONE = 50
SILENT = timedelta(minutes=5)  # a sender that has shown no sign of life for so long is dead
OWNER_GONE = "owner"


def save(
    *, actor: User, report: ScheduledReport | None, title: str, page: str, query: str, every: str, at: time,
    recipients: Sequence[tuple[str, str]], zone: str,
) -> ScheduledReport:  # fmt: skip
    """Make one, or change one's own. ``recipients``: (address, language). Raises ServiceError with what is wrong."""
    check(actor=actor, verb=Verb.SCHEDULE_REPORT, what=report or "report")
    if report is not None:
        _own(actor, report)
    elif ScheduledReport.objects.filter(owner=actor).count() >= MOST_OF_ONE:
        raise ServiceError(_("You have as many scheduled reports as one person may have. Delete one first."))
    chosen = _checked(recipients)
    if page not in ReportPage.values or every not in Every.values:
        raise ServiceError(_("There is no such report."))
    row = report or ScheduledReport(owner=actor)
    row.title, row.page, row.query, row.every, row.at = title.strip(), page, query, every, at
    row.stopped = ""
    row.next_run = next_run(every, at, zone, after=timezone.now()) if row.active else None
    try:
        row.clean_fields(exclude=["owner"])
    except ValidationError as error:
        raise ServiceError(" ".join(error.messages)) from error
    with transaction.atomic():
        row.save()
        row.recipients.all().delete()
        ReportRecipient.objects.bulk_create(
            ReportRecipient(report=row, email=email, language=language) for email, language in chosen
        )
        audit.record(
            actor=actor, verb=Verb.SCHEDULE_REPORT, kind="report", what=row,
            details={"recipients": [email for email, _language in chosen]},
        )  # fmt: skip
    return row


def pause(*, actor: User, report: ScheduledReport, paused: bool, zone: str) -> None:
    """Stop sending, or go on from now: what was missed meanwhile is not sent."""
    check(actor=actor, verb=Verb.SCHEDULE_REPORT, what=report)
    _own(actor, report)
    coming = None if paused else next_run(report.every, report.at, zone, after=timezone.now())
    ScheduledReport.objects.filter(pk=report.pk).update(active=not paused, next_run=coming, stopped="")
    audit.record(
        actor=actor, verb=Verb.SCHEDULE_REPORT, kind="report", what=report, details={"paused": paused}
    )


def delete(*, actor: User, report: ScheduledReport) -> None:
    check(actor=actor, verb=Verb.SCHEDULE_REPORT, what=report)
    _own(actor, report)
    with transaction.atomic():
        audit.record(
            actor=actor, verb=Verb.SCHEDULE_REPORT, kind="report", what=report, details={"deleted": True}
        )
        report.delete()


def send_now(*, actor: User, report: ScheduledReport, zone: str) -> ReportRun:
    """A run about the last whole period, besides the scheduled ones; sent when the transaction is over."""
    check(actor=actor, verb=Verb.SCHEDULE_REPORT, what=report)
    _own(actor, report)
    if not can(report.owner, Verb.SEE_STATISTICS):
        raise ServiceError(_("Its owner may see no statistics any more: nothing is sent."))
    now = timezone.now()
    first, last = covers(report.every, now.astimezone(ZoneInfo(zone)).date())
    with transaction.atomic():
        audit.record(
            actor=actor, verb=Verb.SCHEDULE_REPORT, kind="report", what=report, details={"sent now": True}
        )
        run = ReportRun.objects.create(report=report, first=first, last=last, asked=True, began=now, beat=now)
        company = current_company()
        transaction.on_commit(lambda: _start(company, run.pk))
    return run


def claim_due(*, zone: str, now: datetime | None = None) -> list[int]:
    """Runs to send: those that came due, each claimed by one worker, and those a dead sender left. Ids of runs."""
    moment = now or timezone.now()
    claimed: list[int] = []
    due = ScheduledReport.objects.filter(active=True, next_run__lte=moment).select_related("owner")
    for report in due:
        if not can(report.owner, Verb.SEE_STATISTICS):
            ScheduledReport.objects.filter(pk=report.pk).update(
                active=False, next_run=None, stopped=OWNER_GONE
            )
            continue
        assert report.next_run is not None, "asked for by it"
        first, last = covers(report.every, report.next_run.astimezone(ZoneInfo(zone)).date())
        coming = next_run(report.every, report.at, zone, after=moment)
        with transaction.atomic():
            # Compare and set: of two workers that saw it due, one moves it on. The run is born in the same moment.
            ours = ScheduledReport.objects.filter(pk=report.pk, active=True, next_run=report.next_run)
            if not ours.update(next_run=coming):
                continue
            run, born = ReportRun.objects.get_or_create(
                report=report, first=first, last=last, asked=False, defaults={"began": moment, "beat": moment}
            )
        if born:
            claimed.append(run.pk)
    for run in ReportRun.objects.filter(done__isnull=True, beat__lt=moment - SILENT):
        if ReportRun.objects.filter(pk=run.pk, done__isnull=True, beat=run.beat).update(beat=moment):
            claimed.append(run.pk)
    return claimed


def next_run(every: str, at: time, zone: str, *, after: datetime) -> datetime:
    """The first moment later than ``after`` at which the report is due (UTC)."""
    tz = ZoneInfo(zone)
    day = after.astimezone(tz).date()
    for ahead in range(63):
        candidate = day + timedelta(days=ahead)
        if (every == Every.WEEK and candidate.isoweekday() != 1) or (
            every == Every.MONTH and candidate.day != 1
        ):
            continue
        moment = datetime.combine(candidate, at, tz).astimezone(ZoneInfo("UTC"))
        if moment > after:
            return moment
    raise AssertionError("two months hold a first day and a Monday")


def covers(every: str, day: date) -> tuple[date, date]:
    """First and last local day of the last whole period before ``day``."""
    if every == Every.DAY:
        return day - timedelta(days=1), day - timedelta(days=1)
    if every == Every.WEEK:
        monday = day - timedelta(days=day.isoweekday() - 1)
        return monday - timedelta(days=7), monday - timedelta(days=1)
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _checked(recipients: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for address, language in recipients:
        email = address.strip()
        try:
            validate_email(email)
        except ValidationError:
            raise ServiceError(
                _("This is no e-mail address: %(address)s") % {"address": email[:80]}
            ) from None
        if language not in dict(settings.LANGUAGES):
            raise ServiceError(_("There is no such language."))
        found[email.lower()] = (email, language)
    if not found:
        raise ServiceError(_("Name at least one recipient."))
    if len(found) > MOST_RECIPIENTS:
        raise ServiceError(_("A report goes to twenty people at most."))
    return list(found.values())


def _start(company: str, run: int) -> None:
    current_app.loader.import_default_modules()  # a web process has not read the tasks yet
    current_app.tasks["monitoring.send_report"].delay(company, run)


def _own(actor: User, report: ScheduledReport) -> None:
    if not can(actor, Verb.SCHEDULE_REPORT, report):
        raise NotThere(_("There is no such report."))

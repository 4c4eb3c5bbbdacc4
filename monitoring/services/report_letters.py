"""Sends a run's letters: a short summary in the letter, the whole report as PDF, in each recipient's language.

What a recipient gets is what the owner may see at that moment. A letter is claimed before it is sent, so that it goes
out once at most, whatever dies.
"""

from __future__ import annotations

import logging
from urllib.parse import parse_qsl

from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from monitoring.domain.statistics import BadQuestion
from monitoring.models.reports import ReportDelivery, ReportRecipient, ReportRun
from monitoring.models.text import visible
from monitoring.selectors import board_rights
from monitoring.selectors.reports import names
from monitoring.selectors.reports.ask import Ask, read
from monitoring.selectors.reports.pages import PAGES
from monitoring.selectors.reports.report import Report
from monitoring.selectors.scopes import title_of
from monitoring.services import report_paper
from tenants.people.roles import Verb, can

logger = logging.getLogger(__name__)


class CannotBeMade(Exception):
    """The owner may not see it any more, or the question makes no sense any more."""


def send(run_id: int, *, company: str, zone: str) -> None:
    """Send what of the run has not been claimed yet. ``company``: its name, ``zone``: its time zone."""
    run = ReportRun.objects.select_related("report__owner").filter(pk=run_id, done__isnull=True).first()
    if run is None:
        return
    for recipient in run.report.recipients.all():
        delivery = _claimed(run, recipient)
        if delivery is None:
            continue
        try:
            with translation.override(recipient.language):
                _send(run, recipient, company, zone)
            delivery.state = ReportDelivery.State.SENT
        except CannotBeMade as reason:
            delivery.state, delivery.reason = ReportDelivery.State.FAILED, visible(str(reason), 200)
        except Exception as error:  # one recipient's trouble is not the others'
            logger.exception("Report %s could not be sent", run.report_id)
            delivery.state, delivery.reason = ReportDelivery.State.FAILED, visible(type(error).__name__, 200)
        delivery.save(update_fields=["state", "reason"])
        ReportRun.objects.filter(pk=run.pk).update(beat=timezone.now())
    ReportRun.objects.filter(pk=run.pk, done__isnull=True).update(done=timezone.now())


def asked(run: ReportRun, *, zone: str) -> Ask:
    """The run's question with the owner's rights of now. Raises CannotBeMade."""
    owner = run.report.owner
    if not can(owner, Verb.SEE_STATISTICS):
        raise CannotBeMade("owner")
    groups = board_rights(owner)
    given = dict(parse_qsl(run.report.query)) | {
        "period": "custom", "from": run.first.isoformat(), "to": run.last.isoformat(),
    }  # fmt: skip
    try:
        ask = read(given, zone=zone, today=run.last, groups=groups)
    except BadQuestion as reason:
        raise CannotBeMade(str(reason)) from reason
    if title_of(ask.scope, groups) is None:
        raise CannotBeMade("scope")
    return ask


def made(run: ReportRun, *, zone: str) -> Report:
    """The report in the language in force. Raises CannotBeMade."""
    ask = asked(run, zone=zone)
    page = PAGES.get(run.report.page)
    if page is None:
        raise CannotBeMade("page")
    return page(ask, names.heading(ask.scope, title_of(ask.scope, ask.groups) or ""))


def _claimed(run: ReportRun, recipient: ReportRecipient) -> ReportDelivery | None:
    try:
        with transaction.atomic():
            return ReportDelivery.objects.create(run=run, email=recipient.email, at=timezone.now())
    except IntegrityError:
        return None  # somebody has it


def _send(run: ReportRun, recipient: ReportRecipient, company: str, zone: str) -> None:
    report = made(run, zone=zone)
    context = {"report": report, "company": company, "title": run.report.title}
    # A title of several lines would write headers of its own; models refuse it, and so does this.
    subject = visible(f"{run.report.title}: {report.period}", 150)
    letter = EmailMultiAlternatives(
        subject, render_to_string("monitoring/statistics/letter.txt", context), to=[recipient.email]
    )
    letter.attach_alternative(render_to_string("monitoring/statistics/letter.html", context), "text/html")
    paper = report_paper.pdf(report, company=company, zone=zone)
    letter.attach(f"{run.report.page}-{run.first}-{run.last}.pdf", paper, "application/pdf")
    letter.send()

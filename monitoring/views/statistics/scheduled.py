"""Reports that come by e-mail by themselves: the list, the form, pause, send now, delete."""

from __future__ import annotations

from datetime import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring.domain.statistics import BadQuestion
from monitoring.models.reports import Every, ReportDelivery, ReportPage, ScheduledReport
from monitoring.selectors import board_rights
from monitoring.selectors.reports import names, wording
from monitoring.selectors.reports.ask import Ask, read
from monitoring.selectors.scopes import title_of
from monitoring.services import reports
from monitoring.services.errors import ServiceError
from monitoring.views.statistics.frame import today_in
from tenants.asker import person, zone_of
from tenants.people.models import Role
from tenants.people.roles import Verb, demand

SHOWN_RUNS = 3
ROWS = 5  # empty lines for recipients in the form


@never_cache
@require_safe
def scheduled(request: HttpRequest) -> HttpResponse:
    """One's own; an admin sees everybody's."""
    demand(request, Verb.SCHEDULE_REPORT)
    rows = _reach(request).select_related("owner").prefetch_related("recipients", "runs__deliveries")
    return render(
        request, "monitoring/statistics/scheduled.html", {"rows": [_row(row, request) for row in rows]}
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new one from the report that is open (its page and filter are in the address), or one changed."""
    demand(request, Verb.SCHEDULE_REPORT)
    row = None if pk is None else _one(request, pk)
    given = request.POST if request.method == "POST" else request.GET
    page = given.get("page", "") or (row.page if row else "overview")
    if page not in ReportPage.values:
        page = "overview"
    try:
        query, ask = _question(request, row)
    except BadQuestion as reason:
        return render(
            request,
            "monitoring/statistics/bad.html",
            {"reason": _(str(reason)), "back": "/statistics/"},
            status=400,
        )
    error = ""
    if request.method == "POST":
        try:
            saved = reports.save(
                actor=person(request), report=row, title=request.POST.get("title", ""), page=page, query=query,
                every=request.POST.get("every", ""), at=_time(request.POST.get("at", "")),
                recipients=_recipients(request), zone=zone_of(request),
            )  # fmt: skip
        except ServiceError as refusal:
            error = str(refusal.message)
        else:
            messages.success(request, _("Saved: %(what)s") % {"what": saved})
            return redirect("monitoring:reports")
    context = _form(request, row, page, query, ask) | {"error": error}
    return render(request, "monitoring/statistics/scheduled_form.html", context, status=422 if error else 200)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, paused=True, word=_("Paused. Nothing is sent until you start it again."))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, paused=False, word=_("Started again."))


@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.SCHEDULE_REPORT)
    try:
        reports.send_now(actor=person(request), report=_one(request, pk), zone=zone_of(request))
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("On its way. The list below says what became of each letter."))
    return redirect("monitoring:reports")


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.SCHEDULE_REPORT)
    row = _one(request, pk)
    reports.delete(actor=person(request), report=row)
    messages.success(request, _("Deleted: %(what)s") % {"what": row})
    return redirect("monitoring:reports")


def _done(request: HttpRequest, pk: int, *, paused: bool, word: str) -> HttpResponse:
    demand(request, Verb.SCHEDULE_REPORT)
    reports.pause(actor=person(request), report=_one(request, pk), paused=paused, zone=zone_of(request))
    messages.success(request, word)
    return redirect("monitoring:reports")


def _reach(request: HttpRequest) -> Any:
    user = person(request)
    rows = ScheduledReport.objects.all()
    return rows if user.role == Role.ADMIN else rows.filter(owner=user)


def _one(request: HttpRequest, pk: int) -> ScheduledReport:
    row: ScheduledReport | None = _reach(request).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _question(request: HttpRequest, row: ScheduledReport | None) -> tuple[str, Ask | None]:
    """The filter to keep, and what it asks for as this person may see it; None: no longer there to be seen."""
    if request.method == "POST":
        given = dict(parse_qsl(request.POST.get("query", "")[:1000]))
    elif row is not None:
        given = dict(parse_qsl(row.query))
    else:
        given = {name: str(value) for name, value in request.GET.items() if name != "page"}
    groups, zone = board_rights(person(request)), zone_of(request)
    for name in ("period", "from", "to"):
        given.pop(name, None)
    ask = read(given, zone=zone, today=today_in(zone), groups=groups)
    if title_of(ask.scope, groups) is None:
        if row is None or request.method == "POST":
            raise Http404
        return urlencode(given), None
    return urlencode(ask.parameters(with_period=False)), ask


def _form(
    request: HttpRequest, row: ScheduledReport | None, page: str, query: str, ask: Ask | None
) -> dict[str, Any]:
    posted = request.POST if request.method == "POST" else None
    about = "" if ask is None else names.heading(ask.scope, title_of(ask.scope, ask.groups) or "")
    if posted is not None:
        typed = list(zip(posted.getlist("email"), posted.getlist("language"), strict=False))
    elif row is not None:
        typed = [(one.email, one.language) for one in row.recipients.all()]
    else:
        typed = [(person(request).email, translation.get_language() or settings.LANGUAGE_CODE)]
    own = translation.get_language() or settings.LANGUAGE_CODE
    lines = [*typed, *[("", own)] * max(1, ROWS - len(typed))][: reports.MOST_RECIPIENTS]
    title = dict(ReportPage.choices)[page]
    usual = f"{about} · {title}" if about else str(title)
    return {
        "row": row,
        "page": page,
        "query": query,
        "about": about,
        "conditions": ask is not None and bool(set(ask.parameters()) & {"days", "hours", "zone"}),
        "gone": ask is None,
        "pages": ReportPage.choices,
        "everys": Every.choices,
        "title": posted.get("title", "") if posted else row.title if row else usual,
        "every": posted.get("every", "") if posted else row.every if row else Every.WEEK,
        "at": posted.get("at", "") if posted else f"{row.at:%H:%M}" if row else "09:00",
        "lines": lines,
        "languages": settings.LANGUAGES,
        "zone": zone_of(request),
    }  # fmt: skip


def _recipients(request: HttpRequest) -> list[tuple[str, str]]:
    pairs = zip(request.POST.getlist("email"), request.POST.getlist("language"), strict=False)
    return [(email[:254], language) for email, language in pairs if email.strip()]


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ServiceError(_("Write the time like 09:00.")) from None


def _row(row: ScheduledReport, request: HttpRequest) -> dict[str, Any]:
    zone = zone_of(request)
    return {
        "pk": row.pk,
        "title": row.title,
        "page": row.get_page_display(),
        "every": row.get_every_display(),
        "at": f"{row.at:%H:%M}",
        "owner": str(row.owner.name or row.owner.email),
        "own": row.owner_id == person(request).pk,
        "recipients": ", ".join(one.email for one in row.recipients.all()),
        "active": row.active,
        "stopped": row.stopped,
        "next": wording.moment(row.next_run.timestamp(), zone) if row.next_run else "",
        "overdue": row.next_run is not None and row.next_run < timezone.now(),
        "runs": [
            {
                "period": wording.period(run.first, run.last),
                "began": wording.moment(run.began.timestamp(), zone),
                "going": run.done is None,
                "sent": sum(one.state == ReportDelivery.State.SENT for one in run.deliveries.all()),
                "failed": [one.email for one in run.deliveries.all() if one.state == ReportDelivery.State.FAILED],
            }
            for run in list(row.runs.all())[:SHOWN_RUNS]
        ],
    }  # fmt: skip

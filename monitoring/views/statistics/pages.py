"""The reports on the screen and on paper. Parse, ask, render."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.domain.statistics import BadQuestion
from monitoring.selectors.deviations import deviations as found_deviations
from monitoring.selectors.reports import told
from monitoring.selectors.reports.pages import PAGES
from monitoring.services import report_paper
from monitoring.views.statistics.frame import about, asked, frame, refused
from tenants.asker import company_of, zone_of


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    return _report(request, "overview")


@require_safe
def page(request: HttpRequest, page: str) -> HttpResponse:
    if page not in PAGES:
        raise Http404
    return _report(request, page)


@require_safe
def deviations(request: HttpRequest) -> HttpResponse:
    """What stands out, each with the calls that made it so."""
    try:
        ask = asked(request)
        found = found_deviations(ask.question())
    except BadQuestion as reason:
        return refused(request, reason)
    context = frame(ask, "deviations") | {
        "found": told.told(found, ask),
        "about": about(ask),
        "title": told.title(),
    }
    return render(request, "monitoring/statistics/deviations.html", context)


@require_safe
def paper(request: HttpRequest, page: str) -> HttpResponse:
    """The same report as a PDF."""
    if page not in PAGES:
        raise Http404
    try:
        ask = asked(request)
        report = PAGES[page](ask, about(ask))
    except BadQuestion as reason:
        return refused(request, reason)
    company = company_of(request).name
    answer = HttpResponse(
        report_paper.pdf(report, company=company, zone=ask.zone), content_type="application/pdf"
    )
    answer["Content-Disposition"] = f'inline; filename="{page}-{ask.first}-{ask.last}.pdf"'
    return answer


def _report(request: HttpRequest, page: str) -> HttpResponse:
    try:
        ask = asked(request)
        report = PAGES[page](ask, about(ask))
    except BadQuestion as reason:
        return refused(request, reason)
    context = frame(ask, page) | {"report": report, "own_zone": zone_of(request)}
    return render(request, "monitoring/statistics/report.html", context)

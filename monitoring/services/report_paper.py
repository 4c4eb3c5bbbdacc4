"""A report on paper: the same blocks as on the screen."""

from __future__ import annotations

from django.utils import timezone

from monitoring.selectors.reports.report import Report
from monitoring.selectors.reports.wording import moment
from tenants.paper import printed


def pdf(report: Report, *, company: str, zone: str) -> bytes:
    """A4, landscape for its wide tables, in the language in force. ``zone``: of the moment printed on it."""
    made = moment(timezone.now().timestamp(), zone)
    return printed("monitoring/statistics/paper.html", {"report": report, "company": company, "made": made})

"""The audit as a list: newest first, searchable, never editable."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from monitoring.models.audit import AuditEntry
from monitoring.views.manage.sections import SECTIONS
from tenants.people.roles import Verb, demand

PAGE = 100
# What was done, in words; a verb that is not here is shown as it is written down.
WORDS = {
    Verb.SET_STATUS: _("set the status"),
    Verb.EDIT_PEOPLE: _("edited people"),
    Verb.EDIT_GROUPS: _("edited groups"),
    Verb.EDIT_QUEUES: _("edited queues"),
    Verb.EDIT_LINES: _("edited lines"),
    Verb.EDIT_STATUSES: _("edited statuses"),
    Verb.EDIT_NORMS: _("edited norms"),
    Verb.CLOSE_LOST: _("worked on a lost call"),
    Verb.EDIT_POLICY: _("edited data and deadlines"),
    Verb.DELETE_CUSTOMER: _("removed a customer's data"),
    Verb.WRITE_NOTE: _("wrote on the call"),
    Verb.EXPORT_HISTORY: _("exported"),
    Verb.HEAR: _("heard a recording"),
    "recording.download": _("took a recording along"),
    Verb.REVIEW: _("reviewed a call"),
    Verb.APPEAL: _("appealed against a review"),
    Verb.EDIT_SCORECARDS: _("edited scorecards"),
    Verb.SCHEDULE_REPORT: _("worked on a scheduled report"),
    Verb.EDIT_PROFILE: _("edited a monitoring profile"),
    Verb.SEE_ALERTS: _("worked on an alert"),
    Verb.EDIT_WEBHOOKS: _("edited webhooks"),
    "listen": _("listened to the call"),
}


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_AUDIT)
    text = request.GET.get("q", "")[:80]
    entries = AuditEntry.objects.all()
    for word in text.split()[:6]:
        entries = entries.filter(Q(who__icontains=word) | Q(what__icontains=word) | Q(verb__icontains=word))
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(entry, WORDS.get(entry.verb, entry.verb)) for entry in page.object_list],
        "q": text,
        "sections": SECTIONS.values(),
        "section": {"slug": "audit"},
    }
    return render(request, "monitoring/manage/audit.html", context)

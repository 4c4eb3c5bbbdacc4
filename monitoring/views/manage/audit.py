"""The audit as a list: newest first, searchable, never editable."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.models.audit import AuditEntry
from monitoring.views.manage.sections import SECTIONS
from tenants.people.roles import Verb, demand

PAGE = 100


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.SEE_AUDIT)
    text = request.GET.get("q", "")[:80]
    entries = AuditEntry.objects.all()
    for word in text.split()[:6]:
        entries = entries.filter(Q(who__icontains=word) | Q(what__icontains=word) | Q(verb__icontains=word))
    context = {
        "page": Paginator(entries, PAGE).get_page(request.GET.get("page")),
        "q": text,
        "sections": SECTIONS.values(),
        "section": {"slug": "audit"},
    }
    return render(request, "monitoring/manage/audit.html", context)

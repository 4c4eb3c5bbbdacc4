"""Exports as a person meets them: asked for from a page's menu, watched while they are made, fetched, dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import IO, Any

from django.contrib import messages
from django.core.files.storage import Storage
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring.models.exports import Export, Form
from monitoring.models.text import visible
from monitoring.services import exports as service
from monitoring.services import journal_export, report_tables
from monitoring.services.errors import NotThere, ServiceError
from tenants.asker import person, zone_of
from tenants.people.roles import Verb, demand

KINDS = (journal_export, report_tables)  # imported, so that the page knows them
SHOWN = 20
PIECE = 64 * 1024
LONGEST_QUESTION = 2_000
TYPES: Mapping[str, str] = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest) -> HttpResponse:
    """The person's own files; POST ``kind``, ``file`` (csv | xlsx), ``query`` asks for another one."""
    demand(request, Verb.EXPORT_HISTORY)
    refusal = _ask(request) if request.method == "POST" else None
    part = request.headers.get("HX-Target") == "exports"
    if part or refusal is not None:
        template = "monitoring/history/export_rows.html" if part else "monitoring/history/exports.html"
        # htmx throws away what is no 200; the word is in the toast then.
        answer = render(request, template, _rows(request), status=400 if refusal and not part else 200)
        return _toasted(answer, str(refusal.message), "warn") if refusal else answer
    if request.method == "POST":
        return redirect("monitoring:exports")
    return render(request, "monitoring/history/exports.html", _rows(request))


@never_cache
@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """One row of the list, asked again and again while the file is being made."""
    demand(request, Verb.EXPORT_HISTORY)
    return render(request, "monitoring/history/export_row.html", {"export": _own(request, pk)})


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.EXPORT_HISTORY)
    service.cancel(owner=person(request), export=_own(request, pk))
    if request.headers.get("HX-Request"):
        return render(request, "monitoring/history/export_rows.html", _rows(request))
    return redirect("monitoring:exports")


@never_cache
@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The file itself, streamed: the process never holds more than a piece of it."""
    demand(request, Verb.EXPORT_HISTORY)
    found = _own(request, pk)
    try:
        storage, name = service.fetched(owner=person(request), export=found)
    except NotThere as error:
        messages.warning(request, str(error.message))
        return redirect("monitoring:exports")
    answer = StreamingHttpResponse(_pieces(storage, name), content_type=TYPES[found.form])
    answer["Content-Length"] = str(found.size)
    # A name of our own making: no quotes, no line breaks, and a plain one for old programs.
    answer["Content-Disposition"] = f'attachment; filename="{_file_name(found)}"'
    return answer


def _file_name(export: Export) -> str:
    plain = get_valid_filename(f"{export.kind}-{export.asked:%Y-%m-%d-%H%M}.{export.form}")
    return plain.encode("ascii", "ignore").decode()


async def _pieces(storage: Storage, name: str) -> AsyncIterator[bytes]:
    opened: IO[Any] = await asyncio.to_thread(storage.open, name, "rb")
    try:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece
    finally:
        await asyncio.to_thread(opened.close)


def _ask(request: HttpRequest) -> ServiceError | None:
    # An address has no character nobody can see; the database would choke on some of them.
    query = visible(request.POST.get("query", ""), LONGEST_QUESTION + 1)
    try:
        if len(query) > LONGEST_QUESTION:
            raise NotThere(_("There is no such export."))
        service.ask(
            owner=person(request),
            kind=request.POST.get("kind", ""),
            form=request.POST.get("file", ""),
            question={"query": query},
            zone=zone_of(request),
        )
    except ServiceError as error:
        return error
    return None


def _rows(request: HttpRequest) -> dict[str, object]:
    return {"exports": list(Export.objects.filter(owner=person(request))[:SHOWN])}


def _own(request: HttpRequest, pk: int) -> Export:
    found = Export.objects.filter(pk=pk, owner=person(request)).first()
    if found is None:
        raise Http404
    return found


def _toasted(answer: HttpResponse, text: str, tone: str) -> HttpResponse:
    answer["HX-Trigger"] = json.dumps({"toast": {"text": text, "tone": tone}})
    return answer

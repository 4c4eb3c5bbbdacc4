"""The pages behind ``sections``: a searchable list, a form, archive with undo. Parse, call the service,
render.

Everything works as plain forms; htmx only spares the reload.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring.services.errors import ServiceError
from monitoring.views.manage.sections import SECTIONS, Section
from tenants.people.models import User
from tenants.people.roles import demand

PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The first thing there is to set up."""
    demand(request, SECTIONS["people"].verb)
    return redirect("monitoring:manage_list", section="people")


@require_safe
def listing(request: HttpRequest, section: str) -> HttpResponse:
    """Rows in use (``?archived=1``: the others) that hold every word of ``q``."""
    chosen = _section(request, section)
    text, archived = request.GET.get("q", "")[:80], request.GET.get("archived") == "1"
    page = Paginator(chosen.found(text, archived=archived), PAGE).get_page(request.GET.get("page"))
    context = _frame(chosen) | {
        "rows": [_cells(chosen, row) for row in page.object_list],
        "page": page,
        "q": text,
        "archived": archived,
        "archived_count": chosen.found("", archived=True).count(),
        "columns": chosen.columns,
    }
    part = request.headers.get("HX-Target") == "rows"
    return render(request, "monitoring/manage/rows.html" if part else "monitoring/manage/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, section: str, pk: int | None = None) -> HttpResponse:
    """A new row, or one changed. What was typed is kept when it is refused."""
    chosen = _section(request, section)
    row = None if pk is None else _row(chosen, pk)
    form = chosen.form(
        request.POST if request.method == "POST" else None, **({"instance": row} if row else {})
    )
    if request.method == "POST":
        saved = _save(request, chosen, form)
        if saved is not None:
            messages.success(request, _("Saved: %(what)s") % {"what": saved})
            return _go(request, reverse("monitoring:manage_list", args=[section]))
    for name, field in form.fields.items():
        _dress(form, name, field.widget)
    part = request.headers.get("HX-Target") == "form"
    context = _frame(chosen) | {"form": form, "row": row, "live": row is None or chosen.is_live(row)}
    # 200 also for a refused form when htmx asked: it throws other answers away.
    status = 422 if form.errors and not part else 200
    template = "monitoring/manage/form.html" if part else "monitoring/manage/edit.html"
    return render(request, template, context, status=status)


@require_POST
def archive(request: HttpRequest, section: str, pk: int) -> HttpResponse:
    return _put(request, section, pk, archived=True)


@require_POST
def restore(request: HttpRequest, section: str, pk: int) -> HttpResponse:
    return _put(request, section, pk, archived=False)


def _put(request: HttpRequest, section: str, pk: int, *, archived: bool) -> HttpResponse:
    chosen = _section(request, section)
    row = _row(chosen, pk)
    error = ""
    try:
        (chosen.archive if archived else chosen.restore)(_person(request), row)
    except ServiceError as refusal:
        error = str(refusal.message)
    if request.headers.get("HX-Request") == "true":
        fresh = _row(chosen, pk)
        context = _frame(chosen) | {
            "row": _cells(chosen, fresh), "error": error, "undo": archived and not error, "columns": chosen.columns,
        }  # fmt: skip
        return render(request, "monitoring/manage/row.html", context)
    if error:
        messages.error(request, error)
    else:
        messages.success(request, _("Archived: %(what)s") % {"what": row} if archived else _("Back in use."))
    return redirect("monitoring:manage_list", section=section)


def _save(request: HttpRequest, section: Section, form: BaseForm) -> object | None:
    """The stored row; None when the form says what is wrong with it."""
    try:
        if not form.is_valid():
            return None
        return section.save(_person(request), form)
    except ServiceError as refusal:
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        for name, found in error.message_dict.items():
            for message in found:
                form.add_error(name if name in form.fields else None, message)
    return None


def _section(request: HttpRequest, slug: str) -> Section:
    """Raises Http404 for an unknown one, and refuses (403, written down) who may not edit it."""
    section = SECTIONS.get(slug)
    if section is None:
        raise Http404
    demand(request, section.verb)
    return section


def _row(section: Section, pk: int) -> Any:
    row = section.rows().filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user


def _frame(section: Section) -> dict[str, Any]:
    return {"section": section, "sections": SECTIONS.values()}


def _cells(section: Section, row: Any) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "title": str(row),
        "live": section.is_live(row),
        "cells": [(column.kind, column.title, column.show(row)) for column in section.columns],
    }


def _dress(form: BaseForm, name: str, widget: Any) -> None:
    """The design system's classes, and what a screen reader needs to find the error."""
    kind = getattr(widget, "input_type", "select")
    if kind not in ("checkbox", "radio"):
        widget.attrs["class"] = "form-select" if kind == "select" else "form-control"
    if name in form.errors:
        widget.attrs["class"] = f"{widget.attrs.get('class', '')} is-invalid".strip()
        widget.attrs["aria-invalid"] = "true"


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """To another page: by htmx's own header when it asked, for it would swap a redirect's page into this
    one."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)

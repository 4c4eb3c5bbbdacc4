"""A paper as a file of the browser's or a program's."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def pdf(content: bytes, name: str) -> HttpResponse:
    """A file of that name. Numbers have slashes in them, which no file's name may."""
    safe = name.replace("/", "-").replace("\\", "-")
    answer = HttpResponse(content, content_type="application/pdf")
    disposition = content_disposition_header(as_attachment=True, filename=f"{safe}.pdf")
    assert disposition is not None
    answer["Content-Disposition"] = disposition
    answer["Cache-Control"] = "private, no-store"
    return answer

"""Answers one takes along as a file: never kept by anything on the way."""

from __future__ import annotations

from datetime import date

from django.http import HttpResponse

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def xlsx(name: str, content: bytes, *, on: date) -> HttpResponse:
    """``name``: our own word, without an ending."""
    answer = HttpResponse(content, content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{name}-{on.isoformat()}.xlsx"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer

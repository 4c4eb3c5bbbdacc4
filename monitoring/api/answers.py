"""How every part of the API answers: JSON, times as ISO 8601 in UTC, pages by a cursor, errors with a sentence.

Errors have one field for people, ``detail``: 400 the question makes no sense (``problems`` names parameters),
401 who are you, 403 you may not, 404 not there, or not yours, 429 too much at once, 503 not now.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import PlainSerializer


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_iso, return_type=str)]
MOST = 200


class NotThere(LookupError):
    """404: there is no such thing, or it is not this person's to see; nobody learns which."""


class BadParameter(ValueError):
    """400. ``parameter``: which one; the message: what is wrong with it, in words for a person."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class Problem(Schema):
    detail: str
    problems: dict[str, str] = {}


def json(content: object, *, status: int = 200) -> HttpResponse:
    answer = HttpResponse(orjson.dumps(content), content_type="application/json", status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def problem(status: int, detail: str, problems: dict[str, str] | None = None) -> HttpResponse:
    content = {"detail": detail, "problems": problems} if problems else {"detail": detail}
    return json(content, status=status)


def amount(limit: int) -> int:
    """``limit`` of a page. Raises BadParameter."""
    if not 1 <= limit <= MOST:
        raise BadParameter("limit", _("A page has 1 to %(most)d rows.") % {"most": MOST})
    return limit


def epoch(at: float) -> str:
    """Epoch seconds as they are written here."""
    return _iso(datetime.fromtimestamp(at, UTC))


def day(request: HttpRequest, name: str) -> date:
    """A local day among the parameters. Raises BadParameter."""
    try:
        found = date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2190:
        raise BadParameter(name, _("Write the day as year-month-day: 2026-03-31."))
    return found

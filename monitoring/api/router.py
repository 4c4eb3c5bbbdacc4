"""/api/v1: what other programs may read, by a person's session or by a token; OpenAPI describes it.

One file a part; what goes wrong in any of them becomes a sentence here. Nothing is computed for a bad question.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from monitoring.api import board, calls, directory, lost, recordings, statistics
from monitoring.api.answers import BadParameter, NotThere, problem
from monitoring.bus import BusAway
from monitoring.domain.statistics import BadQuestion
from monitoring.selectors.journal import TooSlow
from monitoring.selectors.journal_question import BadFilter
from monitoring.services import errors

api = NinjaAPI(
    title="ccenter",
    version="1",
    urls_namespace="api",
    description=(
        "A company's live board, calls, recordings, lost calls and statistics. Times are ISO 8601 in UTC; days and "
        "hours in questions are local to the company. Sign in by a bearer token from the portal; each part of the "
        "API needs a token made for it."
    ),
)
api.add_router("/board", board.router)
api.add_router("/calls", calls.router)
api.add_router("/lost", lost.router)
api.add_router("/recordings", recordings.router)
api.add_router("/directory", directory.router)
api.add_router("", statistics.router)


@api.exception_handler(AuthenticationError)
def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem(401, _("Send a valid token of this company: Authorization: Bearer cc_…"))


@api.exception_handler(PermissionDenied)
def refused(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problem(403, str(error) or _("You may not do this."))


@api.exception_handler(errors.Refused)
def refused_by_service(request: HttpRequest, error: errors.Refused) -> HttpResponse:
    return problem(403, str(error))


@api.exception_handler(NotThere)
@api.exception_handler(Http404)
def nothing(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(404, _("There is nothing of that kind here."))


@api.exception_handler(errors.NotThere)
def too_late(request: HttpRequest, error: errors.NotThere) -> HttpResponse:
    return problem(409, str(error))


@api.exception_handler(errors.LimitReached)
def too_many_calls(request: HttpRequest, error: errors.LimitReached) -> HttpResponse:
    answer = problem(429, str(error))
    answer["Retry-After"] = "15"  # seconds; some call will have ended by then, or not
    return answer


@api.exception_handler(BadParameter)
def bad_parameter(request: HttpRequest, error: BadParameter) -> HttpResponse:
    return problem(400, str(error), {error.parameter: str(error)})


@api.exception_handler(BadFilter)
def bad_filter(request: HttpRequest, error: BadFilter) -> HttpResponse:
    return problem(400, str(error), error.problems)


@api.exception_handler(BadQuestion)
def bad_question(request: HttpRequest, error: BadQuestion) -> HttpResponse:
    return problem(400, _(str(error)))


@api.exception_handler(ValidationError)
def bad_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    found = {str(item["loc"][-1])[:40]: str(item["msg"])[:200] for item in error.errors if item.get("loc")}
    return problem(400, _("Some of what was sent cannot be read."), found)


@api.exception_handler(TooSlow)
def too_slow(request: HttpRequest, error: TooSlow) -> HttpResponse:
    return problem(
        400, _("That would take too long to find. Ask for a shorter period."), {"from": "", "to": ""}
    )


@api.exception_handler(BusAway)
def away(request: HttpRequest, error: BusAway) -> HttpResponse:
    answer = problem(503, _("The live state cannot be read at the moment. Try again in a few seconds."))
    answer["Retry-After"] = "5"
    return answer

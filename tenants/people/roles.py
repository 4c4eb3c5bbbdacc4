"""The one place that decides who may do what: a table of verbs and roles, and the question ``can``.

How far a right reaches is part of it. EVERYTHING: anything in this schema. HEADED: what belongs to groups the
person heads. OWN: what is the person's own. An object of a company says so itself by two methods, either of which
it may leave out (then nothing of that reach is granted)::

    def is_headed_by(self, user: User) -> bool: ...
    def is_own_of(self, user: User) -> bool: ...

Asked without an object, ``can`` answers whether there is anything at all the person may do it to: for menus, and
for pages that then show only what is in reach. A person of another company may do nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from tenants.people.models import Role, User
from tenants.scope import current_company_or_none

P = ParamSpec("P")


class Verb(StrEnum):
    SEE_BOARD = "board.see"
    LISTEN = "call.listen"
    WHISPER = "call.whisper"
    JOIN = "call.join"
    TAKE_OVER = "call.take_over"
    REDIRECT = "call.redirect"
    PLACE_CALL = "call.place"
    SEE_OWN_DAY = "me.see"
    SET_STATUS = "manager.set_status"
    EDIT_PEOPLE = "people.edit"
    EDIT_GROUPS = "groups.edit"
    EDIT_QUEUES = "queues.edit"
    EDIT_LINES = "lines.edit"
    EDIT_STATUSES = "statuses.edit"
    EDIT_NORMS = "norms.edit"
    SEE_AUDIT = "audit.see"
    SEE_PBX = "pbx.see"
    EDIT_PBX = "pbx.edit"
    EDIT_COMPANIES = "companies.edit"
    SEE_HEALTH = "health.see"
    SEE_HISTORY = "history.see"
    EXPORT_HISTORY = "history.export"
    WRITE_NOTE = "call.note"
    CLOSE_LOST = "lost.close"
    HEAR = "recording.hear"
    REVIEW = "review.write"
    SEE_REVIEW = "review.see"
    APPEAL = "review.appeal"
    EDIT_SCORECARDS = "scorecards.edit"
    SEE_STATISTICS = "statistics.see"
    SCHEDULE_REPORT = "report.schedule"
    SEE_PROFILE = "profile.see"
    EDIT_PROFILE = "profile.edit"
    SEE_ALERTS = "alerts.see"
    EDIT_POLICY = "policy.edit"
    DELETE_CUSTOMER = "customer.delete"
    EDIT_WEBHOOKS = "webhooks.edit"
    SEE_MONEY = "money.see"
    CHANGE_PLAN = "plan.change"
    SEE_BILLING = "billing.see"
    EDIT_BILLING = "billing.edit"
    MAKE_TOKEN = "token.make"  # noqa: S105 - the name of a right
    END_SESSIONS = "sessions.end"


class Reach(Enum):
    EVERYTHING = "everything"
    HEADED = "headed"
    OWN = "own"


_E, _H, _O = Reach.EVERYTHING, Reach.HEADED, Reach.OWN

RIGHTS: Mapping[Verb, Mapping[Role, Reach]] = {
    Verb.SEE_BOARD: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.LISTEN: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.WHISPER: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.JOIN: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.TAKE_OVER: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.REDIRECT: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.PLACE_CALL: {Role.SUPERVISOR: _O, Role.MANAGER: _O},
    Verb.SEE_OWN_DAY: {Role.ADMIN: _O, Role.SUPERVISOR: _O, Role.MANAGER: _O},
    Verb.SET_STATUS: {Role.ADMIN: _E, Role.SUPERVISOR: _H, Role.MANAGER: _O},
    Verb.EDIT_PEOPLE: {Role.ADMIN: _E},
    Verb.EDIT_GROUPS: {Role.ADMIN: _E},
    Verb.EDIT_QUEUES: {Role.ADMIN: _E},
    Verb.EDIT_LINES: {Role.ADMIN: _E},
    Verb.EDIT_STATUSES: {Role.ADMIN: _E},
    Verb.EDIT_NORMS: {Role.ADMIN: _E},
    Verb.SEE_AUDIT: {Role.ADMIN: _E},
    Verb.SEE_PBX: {Role.STAFF: _E, Role.ADMIN: _E},
    Verb.EDIT_PBX: {Role.STAFF: _E},
    Verb.EDIT_COMPANIES: {Role.STAFF: _E},
    Verb.SEE_HEALTH: {Role.STAFF: _E},
    Verb.SEE_HISTORY: {Role.ADMIN: _E, Role.SUPERVISOR: _H, Role.MANAGER: _O},
    Verb.EXPORT_HISTORY: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.WRITE_NOTE: {Role.ADMIN: _E, Role.SUPERVISOR: _H, Role.MANAGER: _O},
    Verb.CLOSE_LOST: {Role.ADMIN: _E, Role.SUPERVISOR: _H, Role.MANAGER: _O},
    # A manager's own recordings are heard if the company's policy allows: the recording answers is_own_of by it.
    Verb.HEAR: {Role.ADMIN: _E, Role.SUPERVISOR: _H, Role.MANAGER: _O},
    Verb.REVIEW: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.SEE_REVIEW: {Role.ADMIN: _E, Role.SUPERVISOR: _H, Role.MANAGER: _O},
    Verb.APPEAL: {Role.MANAGER: _O},
    Verb.EDIT_SCORECARDS: {Role.ADMIN: _E},
    Verb.SEE_STATISTICS: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.SCHEDULE_REPORT: {Role.ADMIN: _E, Role.SUPERVISOR: _O},
    # A profile says itself by whom it may be opened (is_own_of: made by, or shared with).
    Verb.SEE_PROFILE: {Role.ADMIN: _E, Role.SUPERVISOR: _O},
    Verb.EDIT_PROFILE: {Role.ADMIN: _E, Role.SUPERVISOR: _O},
    Verb.SEE_ALERTS: {Role.ADMIN: _E, Role.SUPERVISOR: _H},
    Verb.EDIT_POLICY: {Role.ADMIN: _E},
    Verb.DELETE_CUSTOMER: {Role.ADMIN: _E},
    Verb.EDIT_WEBHOOKS: {Role.ADMIN: _E},
    # The company's own tariff and invoices; supervisors if the company lets them: its account answers is_own_of.
    Verb.SEE_MONEY: {Role.ADMIN: _E, Role.SUPERVISOR: _O},
    Verb.CHANGE_PLAN: {Role.ADMIN: _E},
    # All companies' money, on the platform's own host.
    Verb.SEE_BILLING: {Role.STAFF: _E},
    Verb.EDIT_BILLING: {Role.STAFF: _E},
    Verb.MAKE_TOKEN: {Role.ADMIN: _O, Role.SUPERVISOR: _O},
    Verb.END_SESSIONS: {Role.STAFF: _E, Role.ADMIN: _E, Role.SUPERVISOR: _O, Role.MANAGER: _O},
}


class Refused(PermissionDenied):
    """The person may not do that; the refusal has been written down."""


def can(user: User | AnonymousUser, verb: Verb | str, obj: object | None = None) -> bool:
    """Whether ``user`` may do ``verb`` to ``obj``. Raises ValueError for a verb that does not exist."""
    rights = RIGHTS[Verb(verb)]
    if not isinstance(user, User) or not user.is_active or user.company != current_company_or_none():
        return False
    reach = rights.get(Role(user.role))
    if reach is None:
        return False
    if obj is None or reach is Reach.EVERYTHING:
        return True
    return _answers(obj, "is_own_of", user) or (reach is Reach.HEADED and _answers(obj, "is_headed_by", user))


def demand(request: HttpRequest, verb: Verb | str, obj: object | None = None) -> None:
    """Raise Refused (403), written down, unless the request's person may do ``verb`` to ``obj``.

    Ask before opening a transaction: what is written about a refusal must not be rolled back with it.
    """
    from tenants.people.services import record_refusal

    if not can(request.user, verb, obj):
        record_refusal(request=request, verb=Verb(verb), target=obj)
        raise Refused(_("You may not do this."))


def requires(
    verb: Verb | str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Decorator of a view (Django's or django-ninja's): its person needs the right, to whatever object."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            demand(request, verb)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _answers(obj: object, question: str, user: User) -> bool:
    ask = getattr(obj, question, None)
    return bool(ask(user)) if callable(ask) else False

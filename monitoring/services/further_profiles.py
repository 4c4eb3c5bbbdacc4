"""Before one more profile is on: does the tariff charge for it, and did the person agree to that price?

Billing knows; we ask it by settings.PROFILE_CHECK, a dotted path, for this room stands below it.

ServiceError
├── MustAgree       it costs more: ``question`` says how much; nothing changed
├── AdminMustAgree  it costs more, and this person does not decide about money; no amount is named
└── NoMoreProfiles  the company's own limit is reached
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from monitoring.contracts import FurtherProfile
from monitoring.services.errors import ServiceError
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company


class MustAgree(ServiceError):
    def __init__(self, question: FurtherProfile) -> None:
        super().__init__(question.title)
        self.question = question


class AdminMustAgree(ServiceError):
    pass


class NoMoreProfiles(ServiceError):
    pass


def agree(*, actor: User, agreed: str) -> None:
    """Return if one more profile may be on now. ``agreed``: the agreement of the question that was shown.

    Call it in the transaction that switches: whoever else switches one on waits until that ends, so two who were
    both asked about the fourth profile do not get a fifth unasked. Raises MustAgree, AdminMustAgree, NoMoreProfiles.
    """
    company = current_company()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('monitoring.profiles_on'), hashtext(%s))", [company]
        )
    found: FurtherProfile | None = import_string(settings.PROFILE_CHECK)(company, now=timezone.now())
    if found is None:
        return
    if found.refusal:
        raise NoMoreProfiles(found.refusal)
    if not can(actor, Verb.CHANGE_PLAN):
        raise AdminMustAgree(
            _("One more profile would change the price of your tariff: ask a company admin to switch it on.")
        )
    if agreed != found.agreement:
        raise MustAgree(found)

"""Questions to the journal kept by name: one's own, and those that others have shared."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from monitoring.models.filters import SavedFilter
from monitoring.models.text import visible
from monitoring.services.errors import NotThere, ServiceError
from tenants.people.models import Role, User

MOST = 50  # of one person


class NotSaved(ServiceError):
    """The name is missing, taken, or there are too many."""


def seen_by(user: User) -> QuerySet[SavedFilter]:
    """The person's own; to those who head groups also what others share."""
    shared = Q() if user.role == Role.MANAGER else Q(shared=True)
    return SavedFilter.objects.filter(Q(owner=user) | shared if shared else Q(owner=user))


def keep(*, owner: User, title: str, query: str, shared: bool) -> SavedFilter:
    """Save a checked ``query`` by a name. A manager's is never shared. Raises NotSaved."""
    name = visible(" ".join(title.split()), 60)
    if not name:
        raise NotSaved(_("Give the filter a name."))
    if SavedFilter.objects.filter(owner=owner).count() >= MOST:
        raise NotSaved(_("You have fifty saved filters. Delete one you no longer need."))
    try:
        with transaction.atomic():
            return SavedFilter.objects.create(
                owner=owner, title=name, query=query[:500], shared=shared and owner.role != Role.MANAGER
            )
    except IntegrityError as error:
        raise NotSaved(_("You have a filter of this name already.")) from error


def forget(*, owner: User, pk: int) -> None:
    """Delete the person's own filter. Raises NotThere."""
    deleted, _rows = SavedFilter.objects.filter(pk=pk, owner=owner).delete()
    if not deleted:
        raise NotThere(_("There is no such filter."))

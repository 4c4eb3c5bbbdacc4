"""A person of the company: the account that signs in and, for those who take calls or head groups, their
place.

One form, three roles; whoever stops taking calls keeps the history of those taken.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.models.people import Group, Manager, Supervisor
from monitoring.services import audit, statuses
from monitoring.services.commands import pbxs_of, tell_directory_changed
from monitoring.services.directory import StillNeeded, check
from monitoring.services.numbers import why_taken
from tenants.people import services as accounts
from tenants.people.models import Role, User
from tenants.people.roles import Verb
from tenants.scope import current_company

VERB = Verb.EDIT_PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What the form says. ``extension``: managers only; ``groups``: worked in by a manager, headed by a
    supervisor."""

    name: str
    email: str
    role: Role
    extension: str = ""
    groups: Collection[Group] = ()


def save(*, actor: User, user: User | None, person: Person) -> User:
    """Enter a new person (``user=None``) or change one. A new one chooses the password by the reset letter.

    Raises Refused, StillNeeded, or ValidationError keyed by field; nothing changed then.
    """
    check(actor=actor, verb=VERB, what=user or person.email)
    with transaction.atomic():
        if user is not None and user.role == Role.ADMIN and person.role != Role.ADMIN:
            _keep_an_admin(user)
        account = user or User(role=person.role)
        changed_role = user is not None and user.role != person.role
        account.email, account.name = person.email, person.name
        if user is None:
            account.set_unusable_password()
        account.full_clean(exclude=["password"])
        account.save()
        if changed_role:
            accounts.change_role(user=account, role=person.role)
        _place(account, person)
        audit.record(
            actor=actor,
            verb=VERB,
            kind="user",
            what=account,
            details={"new": user is None, "role": person.role},
        )
        tell_directory_changed()
    return account


def archive(*, actor: User, user: User) -> None:
    """Nobody signs in as ``user`` and no call rings there any more; history stays. Raises Refused,
    StillNeeded."""
    check(actor=actor, verb=VERB, what=user)
    if user.pk == actor.pk:
        raise StillNeeded(_("You cannot archive yourself."))
    with transaction.atomic():
        _keep_an_admin(user)
        accounts.disable(user=user)
        _unseat(user)
        audit.record(actor=actor, verb=VERB, kind="user", what=user, details={"archived": True})
        tell_directory_changed()


def restore(*, actor: User, user: User) -> None:
    """``user`` may sign in again and gets the old extension back. Raises Refused, StillNeeded (it was given
    away)."""
    check(actor=actor, verb=VERB, what=user)
    manager = Manager.objects.archived().filter(user=user).first()
    with transaction.atomic():
        if manager is not None and user.role == Role.MANAGER:
            manager.archived_at = None
            try:
                manager.validate_constraints()
            except ValidationError as error:
                raise StillNeeded(" ".join(error.messages)) from error
            _check_number(manager)
            manager.save(update_fields=["archived_at"])
        accounts.enable(user=user)
        audit.record(actor=actor, verb=VERB, kind="user", what=user, details={"restored": True})
        tell_directory_changed()


def _place(account: User, person: Person) -> None:
    """Make the account's manager or supervisor row fit its role; a role left behind is archived or
    emptied."""
    if person.role == Role.MANAGER:
        _seat(account, person)
    else:
        _unseat(account)
    if person.role == Role.SUPERVISOR:
        Supervisor.objects.get_or_create(user=account)[0].groups.set(person.groups)
    else:
        Supervisor.objects.filter(user=account).delete()


def _unseat(account: User) -> None:
    """No call rings there any more, and nothing of theirs goes on: neither a status nor what stood beside it."""
    for manager in Manager.objects.live().filter(user=account):
        statuses.end_all(manager)
        Manager.objects.filter(pk=manager.pk).update(archived_at=timezone.now())


def _seat(account: User, person: Person) -> None:
    """An extension on the PBX. Another extension is another name there, so the old seat's calls stay the old
    seat's."""
    manager = Manager.objects.filter(user=account).first() or Manager(user=account)
    if manager.extension != person.extension or manager.archived_at is not None:
        manager.extension = person.extension
        manager.pbx_name = f"{current_company()}_{person.extension}"
        manager.interfaces = [f"PJSIP/{manager.pbx_name}"]
    manager.title, manager.archived_at = person.name, None
    if manager.pk is None:
        manager.pbx_id = the_pbx()
    manager.full_clean()
    _check_number(manager)
    manager.save()
    manager.groups.set(person.groups)


def _check_number(manager: Manager) -> None:
    why = why_taken(manager)
    if why:
        raise StillNeeded(why)


def the_pbx() -> int:
    """The PBX new people, queues and lines belong to: the company's first. Raises StillNeeded when it has
    none."""
    first = next(iter(pbxs_of(current_company())), None)
    if first is None:
        raise StillNeeded(
            _("No PBX is connected to this company yet. Ask the platform's staff to connect one.")
        )
    return first


def _keep_an_admin(user: User) -> None:
    """Two admins who archive each other at once wait for one another here; the second finds nobody left."""
    admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).order_by("pk")
    others = [admin.pk for admin in admins if admin.pk != user.pk]
    if user.role == Role.ADMIN and not others:
        raise StillNeeded(_("This is the company's only admin. Enter another one first."))

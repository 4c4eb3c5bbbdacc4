"""Making, sharing, switching and archiving monitoring profiles. Every switch is an interval that stays as it is.

A profile may name only what its editor may see; what others put into it beyond that stays untouched.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.watching import live_metrics
from monitoring.models.audit import Outcome
from monitoring.models.lines import Line
from monitoring.models.norms import Norm, NormScope
from monitoring.models.people import Group, Manager
from monitoring.models.profiles import Profile, ProfileActivity
from monitoring.models.queues import Queue
from monitoring.selectors.profiles import choices_for, may_share_with
from monitoring.services import audit, further_profiles
from monitoring.services.errors import NotThere, Refused, ServiceError
from tenants.people.models import User
from tenants.people.roles import Verb, can

MICROSECOND = timedelta(microseconds=1)
LONGEST_TITLE = 80
NARROWED_BY = ("groups", "queues", "lines", "managers")


class BadProfile(ServiceError):
    """What was asked for cannot be shown; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the editor chose. Empty ``groups`` and so on: all that the opener may see."""

    title: str
    groups: Collection[Group] = ()
    queues: Collection[Queue] = ()
    lines: Collection[Line] = ()
    managers: Collection[Manager] = ()
    tiles: Collection[str] = ()
    columns: Collection[str] = ()
    people: Collection[User] = ()
    for_supervisors: bool = False


def make(*, actor: User, view: View, on: bool = True, agreed: str = "") -> Profile:
    """A new profile of ``actor``'s, switched on unless told otherwise. ``agreed``: see further_profiles.

    Raises Refused, BadProfile, further_profiles' errors; nothing is made then.
    """
    if not can(actor, Verb.EDIT_PROFILE):
        raise _refused(actor, view.title)
    _check(view)
    with transaction.atomic():
        profile = Profile.objects.create(
            title=view.title,
            maker=actor,
            tiles=list(view.tiles),
            columns=list(view.columns),
            for_supervisors=view.for_supervisors,
        )
        _choose(actor, profile, view)
        _record(actor, profile, new=True)
        if on:
            _switch(actor, profile, on=True, agreed=agreed)
    return profile


def change(*, actor: User, profile: Profile, view: View) -> Profile:
    """Raises Refused, NotThere (archived), BadProfile; nothing changed then."""
    _may_change(actor, profile)
    _check(view)
    with transaction.atomic():
        profile = _locked(profile)
        profile.title, profile.for_supervisors = view.title, view.for_supervisors
        profile.tiles, profile.columns = list(view.tiles), list(view.columns)
        profile.save(update_fields=["title", "for_supervisors", "tiles", "columns"])
        _choose(actor, profile, view)
        _record(actor, profile, new=False)
    return profile


def copy(*, actor: User, profile: Profile) -> Profile:
    """A profile of ``actor``'s own with all that ``profile`` shows, its norms too, shared with nobody and off."""
    if not (can(actor, Verb.SEE_PROFILE, profile) and can(actor, Verb.EDIT_PROFILE)):
        raise _refused(actor, profile)
    title = _("%(title)s (copy)") % {"title": profile.title[: LONGEST_TITLE - 10]}
    with transaction.atomic():
        made = Profile.objects.create(
            title=title[:LONGEST_TITLE], maker=actor, tiles=profile.tiles, columns=profile.columns
        )
        for name in NARROWED_BY:
            getattr(made, name).set(getattr(profile, name).all())
        for norm in Norm.objects.filter(scope=NormScope.PROFILE, scope_id=profile.pk):
            norm.pk, norm.scope_id = None, made.pk
            norm.save(force_insert=True)
        _record(actor, made, new=True, copy_of=profile.pk)
    return made


def switch(*, actor: User, profile: Profile, on: bool, agreed: str = "") -> bool:
    """Put ``profile`` on or off; returns whether that changed anything. ``agreed``: see further_profiles.

    Raises Refused, NotThere (archived), further_profiles' errors.
    """
    _may_change(actor, profile)
    with transaction.atomic():
        profile = _locked(profile)
        changed = _switch(actor, profile, on=on, agreed=agreed)
        if changed:
            _record(actor, profile, on=on, **({"agreed": agreed} if agreed else {}))
    return changed


def archive(*, actor: User, profile: Profile) -> Profile:
    """Take it out of use; if it is on, it is off from this very moment. Raises Refused, NotThere."""
    _may_change(actor, profile)
    with transaction.atomic():
        profile = _locked(profile)
        _switch(actor, profile, on=False)
        last = profile.activity.order_by("-started").first()
        profile.archived_at = max(timezone.now(), last.ended) if last and last.ended else timezone.now()
        profile.save(update_fields=["archived_at"])
        _record(actor, profile, archived=True)
    return profile


def restore(*, actor: User, profile: Profile, on: bool = False, agreed: str = "") -> Profile:
    """Bring it back as it was, switched off unless told otherwise. ``agreed``: see further_profiles.

    Raises Refused, NotThere (in use), further_profiles' errors; it stays archived then.
    """
    _may_change(actor, profile)
    with transaction.atomic():
        profile = _locked(profile, archived=True)
        profile.archived_at = None
        profile.save(update_fields=["archived_at"])
        _record(actor, profile, restored=True)
        if on:
            _switch(actor, profile, on=True, agreed=agreed)
    return profile


def _may_change(actor: User, profile: Profile) -> None:
    """Asked before a transaction is opened: what is written about a refusal must stay."""
    if not can(actor, Verb.EDIT_PROFILE, profile.to_change):
        raise _refused(actor, profile)


def _locked(profile: Profile, *, archived: bool = False) -> Profile:
    """The row, held until the transaction ends: two who switch at once wait for one another here."""
    found = Profile.objects.select_for_update().filter(pk=profile.pk).first()
    if found is None or (found.archived_at is not None) != archived:
        raise NotThere(_("This profile is archived.") if not archived else _("This profile is in use."))
    kept: Profile = found
    return kept


def _switch(actor: User, profile: Profile, *, on: bool, agreed: str = "") -> bool:
    last: ProfileActivity | None = profile.activity.order_by("-started").first()
    is_on = last is not None and last.ended is None
    if is_on == on:
        return False
    if on:
        further_profiles.agree(actor=actor, agreed=agreed)
    if last is not None and not on:
        last.ended, last.by_off = _later(last.started), actor
        last.save(update_fields=["ended", "by_off"])
    else:
        # Another machine's clock may be ahead of ours: a profile is never on twice at one moment.
        started = max(timezone.now(), last.ended) if last is not None and last.ended else timezone.now()
        ProfileActivity.objects.create(profile=profile, started=started, by_on=actor)
    return True


def _later(than: datetime) -> datetime:
    return max(timezone.now(), than + MICROSECOND)


def _check(view: View) -> None:
    known = {metric.key for metric in live_metrics()}
    if not view.tiles:
        raise BadProfile(_("Choose at least one figure to show."))
    for chosen in (view.tiles, view.columns):
        if not known.issuperset(chosen) or len(set(chosen)) != len(chosen):
            raise BadProfile(_("There is no such figure on the live panel."))


def _choose(actor: User, profile: Profile, view: View) -> None:
    """Links to what the actor may see as chosen; what others had chosen beyond that stays."""
    allowed = choices_for(actor)
    for name in NARROWED_BY:
        _link(getattr(profile, name), getattr(view, name), getattr(allowed, name))
    _link(profile.people, view.people, may_share_with(actor))


def _link(links: Any, chosen: Collection[Any], allowed: Any) -> None:
    wanted = {row.pk for row in chosen}
    in_reach = set(allowed.values_list("pk", flat=True))
    if not wanted <= in_reach:
        raise NotThere(_("Some of what was chosen is not there."))
    had = set(links.values_list("pk", flat=True))
    links.set(wanted | (had - in_reach))


def _record(actor: User, profile: Profile, **details: object) -> None:
    audit.record(actor=actor, verb=Verb.EDIT_PROFILE, kind="profile", what=profile, details=details)


def _refused(actor: User, what: object) -> Refused:
    audit.record(actor=actor, verb=Verb.EDIT_PROFILE, kind="profile", what=what, outcome=Outcome.REFUSED)
    return Refused(_("You may not change this."))

"""Writes about people: ending their sessions, letting them in and out, writing down what they were refused."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from tenants.people.models import ApiToken, Refusal, Role, User

SHOWN = 160  # characters of a refused object's name that are kept
COUNTED_TOGETHER = timedelta(minutes=1)
MOST_REFUSALS = 30  # rows of one person in that time, whatever paths are made up
REFUSALS_KEPT = timedelta(days=90)


def sign_out_everywhere(*, user: User) -> None:
    """End every session of this person, this one included. Tokens are ended one by one on their page."""
    User.objects.filter(pk=user.pk).update(session_version=F("session_version") + 1)
    user.refresh_from_db(fields=["session_version"])


def disable(*, user: User) -> None:
    """Nobody signs in as this person, no session or token of theirs is any good, from now on."""
    User.objects.filter(pk=user.pk).update(is_active=False, session_version=F("session_version") + 1)
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    user.refresh_from_db(fields=["is_active", "session_version"])


def enable(*, user: User) -> None:
    """They may sign in again; tokens stay revoked."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.refresh_from_db(fields=["is_active"])


def change_role(*, user: User, role: Role) -> None:
    """Another role ends the sessions: pages open under the old one must not linger."""
    user.role = role
    user.save(update_fields=["role"])
    sign_out_everywhere(user=user)


def record_refusal(*, request: HttpRequest, verb: str, target: object | None) -> Refusal:
    """Write down who was refused what. Text is cut and made visible: it may come from outside.

    The same again within a minute is counted in its row, and so is all that is more than a person could mean.
    """
    user = request.user if isinstance(request.user, User) and request.user.pk else None
    address = request.META.get("REMOTE_ADDR") or None
    path = _shown(request.path)
    lately = Refusal.objects.filter(user=user, at__gt=timezone.now() - COUNTED_TOGETHER)
    if user is None:
        lately = lately.filter(address=address)
    before = lately.filter(verb=verb, path=path).first()
    if before is None and lately.count() >= MOST_REFUSALS:
        before = lately.first()
    if before is not None:
        Refusal.objects.filter(pk=before.pk).update(times=F("times") + 1)
        return before
    return Refusal.objects.create(
        user=user,
        who=_shown(user or "")[:120],
        verb=verb,
        target=_shown(target) if target is not None else "",
        path=path,
        address=address,
    )


def forget_refusals() -> None:
    """Delete what was written down too long ago, in the schema in force."""
    Refusal.objects.filter(at__lt=timezone.now() - REFUSALS_KEPT).delete()


def _shown(thing: object) -> str:
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(thing)
    )
    return text[:SHOWN]

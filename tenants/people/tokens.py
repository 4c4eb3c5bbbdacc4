"""Bearer tokens for the API: a person's, in one company, for named purposes only.

The token is shown once; the database keeps its digest. It does no more than its person may, and no longer.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants.people.models import ApiToken, Scope, User

MARK = "cc_"  # lets a scanner of leaked secrets recognise ours
LIMIT = 20  # living tokens of one person
TOUCH_EVERY = timedelta(minutes=1)


def issue(*, user: User, name: str, scopes: Iterable[str], days: int | None = None) -> tuple[ApiToken, str]:
    """A new token and its text, which is never seen again. ``days``: how long it lives, None = until revoked."""
    wanted = sorted(set(scopes))
    if not wanted or any(scope not in Scope.values for scope in wanted):
        raise ValidationError({"scopes": _("Choose what the token is for.")})
    if living(user=user).count() >= LIMIT:
        raise ValidationError(_("You have too many tokens. Revoke one first."))
    text = MARK + secrets.token_urlsafe(32)
    token = ApiToken(
        user=user,
        name=name.strip(),
        scopes=wanted,
        digest=_digest(text),
        start=text[: len(MARK) + 4],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    token.full_clean()
    token.save()
    return token, text


def revoke(*, user: User, token_id: int) -> bool:
    """Whether this person's token was revoked just now; another person's is as if it did not exist."""
    return bool(living(user=user).filter(pk=token_id).update(revoked_at=timezone.now()))


def authenticate(text: str, scope: str) -> User | None:
    """The active person whose living token this is, when it covers ``scope``. Call it in the company's scope."""
    if not text.startswith(MARK) or len(text) > 100:
        return None
    token = (
        ApiToken.objects.select_related("user")
        .filter(_alive(), digest=_digest(text), user__is_active=True, scopes__contains=[scope])
        .first()
    )
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - TOUCH_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def is_living(text: str) -> bool:
    """Whether this is anybody's living token here, whatever it is for. Call it in the company's scope."""
    if not text.startswith(MARK) or len(text) > 100:
        return False
    return ApiToken.objects.filter(_alive(), digest=_digest(text), user__is_active=True).exists()


def living(*, user: User) -> QuerySet[ApiToken]:
    """The person's tokens that still open something."""
    return ApiToken.objects.filter(_alive(), user=user)


def _alive() -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def _digest(text: str) -> str:
    # A token is 256 random bits, so a plain digest cannot be guessed back and can be looked up by index.
    return hashlib.sha256(text.encode()).hexdigest()

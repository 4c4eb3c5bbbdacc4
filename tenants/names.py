"""Which words may name a company. The slug is its schema, its host and its prefix on every PBX at once."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

SLUG = re.compile(r"[a-z][a-z0-9]{1,30}\Z")

# Names PostgreSQL keeps for itself, hosts the platform needs, and words that read as a PBX object of ours.
RESERVED = frozenset(
    {
        *(
            "public",
            "postgres",
            "template",
            "asterisk",
            "default",
            "none",
            "null",
            "root",
            "system",
            "platform",
        ),
        *(
            "www",
            "api",
            "app",
            "admin",
            "static",
            "media",
            "assets",
            "cdn",
            "auth",
            "login",
            "account",
            "sso",
        ),
        *("mail", "smtp", "imap", "pop", "ftp", "ns", "ns1", "ns2", "mx", "localhost", "status", "health"),
        *("help", "docs", "blog", "support", "billing", "staff", "ws", "wss", "sip", "sips", "pbx", "trunk"),
    }
)


def validate_slug(slug: str) -> None:
    """Raise ValidationError with the one rule the name breaks, in words for the person who typed it."""
    if not isinstance(slug, str) or not slug:
        raise ValidationError(_("Give the company a short name."), code="slug_empty")
    if len(slug) > 31:
        raise ValidationError(_("The short name is too long: at most 31 characters."), code="slug_long")
    if len(slug) < 2:
        raise ValidationError(_("The short name is too short: at least 2 characters."), code="slug_short")
    if slug.startswith(("pg_", "information_schema")) or slug in RESERVED:
        raise ValidationError(_("This short name is reserved. Choose another one."), code="slug_reserved")
    if not SLUG.match(slug):
        raise ValidationError(
            _("The short name takes small Latin letters and digits only, and begins with a letter."),
            code="slug_shape",
        )


def is_slug(slug: str) -> bool:
    """Whether the text could be a company at all; asked before it comes near a search path."""
    return bool(SLUG.match(slug)) and slug != "public"

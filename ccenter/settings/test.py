"""Tests: fixed keys, fast hashes, and templates that fail on a name they do not know.

The addresses of PostgreSQL and Redis are filled in by tests/conftest.py when a test asks for them.
"""

from __future__ import annotations

import sys
from types import FrameType

from django.template.base import Node

from ccenter.settings.base import *  # noqa: F403 - settings modules build on one another
from ccenter.settings.base import ACCOUNT_RATE_LIMITS, BASE_DIR, INSTALLED_APPS, SHARED_APPS, TEMPLATES
from ccenter.settings.database import database


class FailingVariable(str):
    """Django puts this in place of an unknown template variable; in a template of ours it refuses to be put."""

    __slots__ = ()

    def __contains__(self, key: object) -> bool:
        return key == "%s"

    def __mod__(self, name: object) -> str:
        if str(BASE_DIR / "templates") not in _rendered_now():
            return ""  # other people's templates count on silence
        raise LookupError(f"Unknown template variable: {name}")


def _rendered_now() -> str:
    """File of the template whose node is being rendered; Django tells no other way."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        node = frame.f_locals.get("self")
        if isinstance(node, Node) and getattr(node, "origin", None) is not None:
            return str(node.origin)
        frame = frame.f_back
    return ""


SHARED_APPS = [*SHARED_APPS, "ccenter.demo"]
INSTALLED_APPS = [*INSTALLED_APPS, "ccenter.demo"]
SECRET_KEY = "tests only, never a secret"  # noqa: S105 - it protects nothing
FIELD_KEYS = ["dGVzdHMgb25seSwgbmV2ZXIgYSBzZWNyZXQgMzIgYnk="]
DATABASES = {"default": database("postgres://nobody@127.0.0.1:1/none", pool=False)}
REDIS_URL = "redis://127.0.0.1:1/0"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "KEY_FUNCTION": "django_tenants.cache.make_key",
    }
}
BILLING_USAGE_SECONDS = 0  # one test's calls are not another's
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = FailingVariable("%s")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # looks files up when asked: nothing is scanned at start
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
ACCOUNT_RATE_LIMITS = {**ACCOUNT_RATE_LIMITS, "login": "10000/m/ip"}  # one address signs everybody in

"""The one-command demo: plain HTTP on *.localhost, keys made once and kept in the state folder."""

from __future__ import annotations

from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

from ccenter.settings import environment
from ccenter.settings.base import *  # noqa: F403 - settings modules build on one another
from ccenter.settings.base import INSTALLED_APPS, SHARED_APPS, STATE_DIR
from ccenter.settings.keys import kept

SECRET_KEY = environment.text("SECRET_KEY", kept(STATE_DIR / "secret.key", get_random_secret_key))
FIELD_KEYS = environment.words("FIELD_KEY") or [
    kept(STATE_DIR / "field.key", lambda: Fernet.generate_key().decode())
]

# For its command demo_history; a production has a past of its own.
SHARED_APPS = [*SHARED_APPS, "ccenter.demo"]
INSTALLED_APPS = [*INSTALLED_APPS, "ccenter.demo"]

WEBHOOKS_TO_PRIVATE_NETWORKS = True  # the demo knows no other
PUBLIC_PORT = environment.number("PORT", 8000)
WHITENOISE_USE_FINDERS = True
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = STATE_DIR / "mail"

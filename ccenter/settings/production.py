"""Production: everything secret or local comes from the environment, and only HTTPS is spoken."""

from __future__ import annotations

from ccenter.settings import environment
from ccenter.settings.base import *  # noqa: F403 - settings modules build on one another
from ccenter.settings.base import BASE_DIR, STORAGES

SECRET_KEY = environment.text("SECRET_KEY")
FIELD_KEYS = environment.words("FIELD_KEY")
environment.text("FIELD_KEY")
environment.text("DATABASE_URL")
environment.text("REDIS_URL")
environment.text("BASE_DOMAIN")
environment.text("PUBLIC_HOSTS")

SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked by the load balancer over plain HTTP
# A header of the proxy, which must overwrite what the visitor sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Else everybody would have the proxy's address, and one guesser would lock out whole companies.
TRUSTED_PROXIES = environment.number("TRUSTED_PROXIES", 1)
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# The prefix makes a browser refuse the cookie unless it is host-only and came over HTTPS.
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"

STATIC_ROOT = BASE_DIR / "static" / "collected"
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

EMAIL_HOST = environment.text("EMAIL_HOST", "localhost")
EMAIL_PORT = environment.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = environment.text("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_PASSWORD", "")
EMAIL_USE_TLS = environment.flag("EMAIL_TLS", default=False)
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "ccenter@localhost")

"""Settings every installation shares. What differs between demo, tests and production is in their own modules.

Which app lives in which schema is decided here (SHARED_APPS, TENANT_APPS); everything else follows Django's names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from ccenter.settings import environment
from ccenter.settings.database import database

django_stubs_ext.monkeypatch()  # lets forms and admin pages name their model, as the type checker wants

BASE_DIR = Path(__file__).resolve().parents[2]
# Everything the program writes while it runs (embedded servers, spool, logs, keys of the demo).
STATE_DIR = Path(environment.text("CCENTER_STATE", str(BASE_DIR / ".state")))

DEBUG = False
SECRET_KEY = ""  # each installation has its own: demo, test, production
# Encrypts what must be readable again (AMI secrets). The first key encrypts, all of them decrypt.
FIELD_KEYS: list[str] = []

# ---------------------------------------------------------------- apps and schemas
_PEOPLE_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "auditlog",
    "tenants.people",  # after those whose admin pages it takes away
]
SHARED_APPS = [
    "daphne",  # first: its runserver speaks websockets
    "django.contrib.admin",  # before django_tenants, whose pages for it carry inline styles
    "django_tenants",
    "tenants",
    *_PEOPLE_APPS,  # platform staff
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "csp",
    "django_htmx",
    "ninja",
    "billing",
]
TENANT_APPS = [
    *_PEOPLE_APPS,  # each company's own people
    "monitoring",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]

TENANT_MODEL = "tenants.Company"
TENANT_DOMAIN_MODEL = "tenants.Domain"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- databases
_NO_SERVER = "postgres://nobody@127.0.0.1:1/none"  # commands that need no database work without one
DATABASES = {
    "default": database(
        environment.text("DATABASE_URL", _NO_SERVER), pool=environment.flag("DATABASE_POOL", default=False)
    )
}
REDIS_URL = environment.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "django_tenants.cache.make_key",  # a company's key is nothing in another
    }
}


def channel_layers(redis_url: str) -> dict[str, dict[str, Any]]:
    """The pub/sub layer: the other one drops messages silently when a socket is slow.

    socket_timeout=None because redis-py's own default would cut a quiet consumer off after five seconds.
    """
    host = {"address": redis_url, "socket_timeout": None, "max_connections": 2048}
    return {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [host], "prefix": "ccenter"},
        }
    }


CHANNEL_LAYERS = channel_layers(REDIS_URL)

# ---------------------------------------------------------------- requests
# Hosts of the platform's own staff (public schema); every other host belongs to a company or to nobody.
PUBLIC_HOSTS = environment.words("PUBLIC_HOSTS", "localhost,127.0.0.1")
# A new company is reached at <slug>.<BASE_DOMAIN>.
BASE_DOMAIN = environment.text("BASE_DOMAIN", "localhost")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", f".{BASE_DOMAIN},127.0.0.1")
# Where browsers find us, when it is not the scheme's own port: for links in letters, whoever asked for them.
PUBLIC_PORT = environment.number("PUBLIC_PORT", 0)
# (pbx=, companies=) → why these companies cannot share this PBX, "" when they can; asked before they do.
PBX_SHARING_CHECK = "monitoring.services.numbers.why_not_together"
# (company's slug) → why the portal may not place one more call for it now, "" when it may; calls that live go on.
PORTAL_CALL_CHECK = "billing.services.limits.may_place_call"
# (company slug, now=) → contracts.FurtherProfile to agree to before one more monitoring profile is on, or None.
PROFILE_CHECK = "billing.selectors.profile_price.further"
# Whether webhooks may point into our own network, over plain http too: for a demo and tests alone.
WEBHOOKS_TO_PRIVATE_NETWORKS = False
PUBLIC_URLCONF = "ccenter.urls_public"
COMPANY_URLCONF = "ccenter.urls_company"
ROOT_URLCONF = PUBLIC_URLCONF  # HostMiddleware sets the right one for each request
# Open live panels of one person in one web process; each is memory and work at every change.
SOCKETS_PER_PERSON = environment.number("SOCKETS_PER_PERSON", 50)
ASGI_APPLICATION = "ccenter.asgi.application"
# Proxies in front of us that write X-Forwarded-For; without one, what a visitor writes there is not believed.
TRUSTED_PROXIES = 0
# Addresses that answer without a session: they check a bearer token, or show nothing that is anybody's.
ANONYMOUS_PREFIXES = ("/api/", "/healthz", "/i18n/")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "tenants.middleware.VisitorAddressMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # before the company is looked up: files need no database
    "tenants.middleware.HostMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.LanguageMiddleware",
    "tenants.middleware.SignInRequiredMiddleware",
    "billing.middleware.StandingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tenants.middleware.EditsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a refused sign-in into its page
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tenants.context.company",
            ],
        },
    }
]
FORM_RENDERER = "tenants.dress.FormRenderer"
STATIC_URL = "/static/"
# Only what the build made is served: sources, tests and what they import are nobody's business.
STATICFILES_DIRS = [("dist", BASE_DIR / "static" / "dist")]

# ---------------------------------------------------------------- people
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: refuses before a password is compared
    "tenants.people.backend.EmailBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "landing"
SESSION_ENGINE = "tenants.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

ACCOUNT_ADAPTER = "tenants.people.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # people are entered by their company, there is no sign-up
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # whoever types a stranger's address must not make us write to them
# Guessing is limited three ways, each in this company only (the cache and the table are the company's):
# axes counts one account from one address; these count an account from anywhere and an address alone.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "60/5m/ip,20/10m/key",
    "reset_password": "20/h/ip,5/h/key",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "ccenter"
MFA_ADAPTER = "tenants.people.adapter.MfaAdapter"
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "tenants.people.guessing.account_of"
AXES_LOCKOUT_CALLABLE = "tenants.people.guessing.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# ---------------------------------------------------------------- what browsers are told
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],  # covers ws(s): of the same host and port (CSP level 3)
        "media-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# ---------------------------------------------------------------- language and time
LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "ccenter" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # a company's own zone is set for its requests
# The clock of the platform's own staff: whose day it is on their pages about money, and which times they read there.
PLATFORM_TIME_ZONE = environment.text("PLATFORM_TIME_ZONE", "Europe/Moscow")

# ---------------------------------------------------------------- background work
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "tasks"
CELERY_TIMEZONE = "UTC"

# ---------------------------------------------------------------- money
# (company, now=) → since when calls are still to be billed, None for none; asked before old ones are removed.
CALLS_NEEDED = "billing.selectors.needed.calls_since"
# Days in which late calls still recalculate a month's draft; in which an invoice is to be paid.
BILLING_GRACE_DAYS = 3
BILLING_DUE_DAYS = 10
# Whether drafts are issued by the timetable after the grace; else a person looks at the run and issues them.
BILLING_AUTO_FINALISE = False
# Days after an invoice was due: a letter at each of these, then the portal is read-only, then suspended.
BILLING_REMINDER_DAYS = (1, 5, 10)
BILLING_READ_ONLY_DAYS = 15
BILLING_SUSPENDED_DAYS = 30
# What people of a company that has not paid may do all the same, by any method: names of addresses ("name", or
# "name…*" for all that begin so) or paths ("/api/…"). What is not named here is closed, tomorrow's pages too.
BILLING_ALWAYS_OPEN = (
    "landing", "healthz", "set_language", "account_*", "mfa_*", "profile", "sign_out_everywhere", "revoke_token",
    "billing:*", "/api/v1/billing/",  # where one sees what is owed, and pays
    "monitoring:status", "monitoring:team", "monitoring:status_of",  # statuses steer calls that come in now
    # Hearing a recording asks for a link and reports what was heard by POST.
    "monitoring:recording", "monitoring:recording_link", "monitoring:recording_sound", "monitoring:recording_heard",
    "monitoring:recording_download", "monitoring:call", "/api/v1/recordings",
    "monitoring:alert_bell",  # refreshes itself on every page, also on the one that says why the rest is closed
    "monitoring:erase", "monitoring:erase_rows",  # a customer's right to be forgotten does not wait for money
)  # fmt: skip
# While read-only: what is not the company's own to change, but somebody's who waits for it.
BILLING_OPEN_READ_ONLY = (
    "monitoring:lost_act",
    "/api/v1/lost",
    "monitoring:alert_seen",
    "monitoring:alert_take",
)
# A month of calls swept for a page is shown again so long, in seconds; 0: swept each time. Invoices never look here.
BILLING_USAGE_SECONDS = 30

# ---------------------------------------------------------------- files
# Recordings: a folder of ours, or a bucket of an S3-compatible store (credentials as its own tools read them).
RECORDINGS_DIR = Path(environment.text("RECORDINGS_DIR", str(STATE_DIR / "recordings" / "kept")))
# Where PBXs leave them: <inbox>/<id of the PBX>/monitor/<company>/, and .../writing/<company>/ while a call lives.
RECORDINGS_INBOX = Path(environment.text("RECORDINGS_INBOX", str(STATE_DIR / "recordings" / "inbox")))


def recordings_storage(bucket: str, endpoint: str) -> dict[str, Any]:
    """``bucket``: empty = the folder. ``endpoint``: address of a store that is not Amazon's."""
    if not bucket:
        options: dict[str, Any] = {"location": RECORDINGS_DIR, "file_permissions_mode": 0o600}
        options |= {"directory_permissions_mode": 0o700, "base_url": None}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    options = {"bucket_name": bucket, "endpoint_url": endpoint or None, "default_acl": "private"}
    options |= {"file_overwrite": True, "querystring_auth": True}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "recordings": recordings_storage(
        environment.text("RECORDINGS_BUCKET", ""), environment.text("RECORDINGS_ENDPOINT", "")
    ),
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {name: {"level": "WARNING"} for name in ("axes", "weasyprint", "fontTools")},
}

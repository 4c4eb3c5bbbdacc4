"""People who sign in. On public they are the platform's staff, in a company's schema the company's own people.

One model, two kinds of table: a person of one company does not exist in another, by construction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import validate_email
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from tenants.scope import current_company_or_none


class Role(models.TextChoices):
    STAFF = "staff", _("platform staff")
    ADMIN = "admin", _("company admin")
    SUPERVISOR = "supervisor", _("supervisor")
    MANAGER = "manager", _("manager")


class WrongSchema(ValueError):
    """Platform staff live in public, a company's people in its schema; this row would be elsewhere."""


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person of the schema in force. Without a password they set one by the reset letter."""
        validate_email(email)
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Django's own word for the first member of the platform's staff."""
        return self.create_user(email, password, **{"role": Role.STAFF, **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in by e-mail. Rights follow from the role alone: tenants.people.roles."""

    email = models.EmailField(
        _("e-mail"), max_length=190, unique=True, error_messages={"unique": _("This e-mail is taken.")}
    )
    name = models.CharField(_("name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    language = models.CharField(
        _("language"), max_length=8, blank=True, default="", help_text=_("Empty: the company's language.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    # Part of what a session proves: one more, and every session of this person is over.
    session_version = models.PositiveIntegerField(default=1, editable=False)
    date_joined = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # Slug of the company this row was read from or written to, None for platform staff. Numbers repeat between
    # companies, so a person carried into another company's scope must be told from the one who has the number there.
    company: str | None = None

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name", "email"]
        constraints = [
            # One spelling, so that "unique" means what a person means by it.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="person_email_lower"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="person_role_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Django admin's question. Staff exists in public only."""
        return self.role == Role.STAFF and current_company_or_none() is None

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django admin's question; the portal itself asks tenants.people.roles."""
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> User:
        user = super().from_db(db, field_names, values, **more)
        user.company = current_company_or_none()
        return user

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        company = current_company_or_none()
        if (self.role == Role.STAFF) != (company is None):
            raise WrongSchema(f"The role {self.role!r} does not live in {company or 'public'}.")
        known = not self._state.adding
        super().save(*args, **kwargs)
        self.company = company
        written = kwargs.get("update_fields")
        if known and (written is None or "email" in written):
            self._forget_former_addresses()

    def _forget_former_addresses(self) -> None:
        """allauth remembers every address a password was set by, and sends reset letters there for ever: whoever
        has the mailbox of somebody who left could come back.
        """
        from allauth.account.models import EmailAddress  # allauth's models need this one first

        EmailAddress.objects.filter(user=self).exclude(email=self.email).delete()

    def get_session_auth_hash(self) -> str:
        """What a session must prove: this password, this version, this schema."""
        return self._proof()

    def get_session_auth_fallback_hash(self) -> Any:
        """The same under older secret keys, while they are still accepted."""
        from django.conf import settings

        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._proof(secret)

    def _proof(self, secret: str | bytes | None = None) -> str:
        value = f"{current_company_or_none() or 'public'}:{self.pk}:{self.session_version}:{self.password}"
        return salted_hmac("tenants.people.session", value, secret=secret, algorithm="sha256").hexdigest()


class Scope(models.TextChoices):
    """What a token may be for. One right each; more come with the parts of the API that need them."""

    BOARD = "board", _("read the live board")
    CALLS = "calls", _("read calls")
    RECORDINGS = "recordings", _("hear recordings")
    LOST = "lost", _("read and settle lost calls")
    STATISTICS = "statistics", _("read statistics")
    BILLING = "billing", _("read usage, invoices and payments")


class ApiToken(models.Model):
    """A person's key to the API. ``digest`` is all we keep of it, ``start`` lets its owner tell it from others."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name=_("person"))
    name = models.CharField(_("name"), max_length=80)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices), verbose_name=_("for"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    start = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"


class Refusal(models.Model):
    """Somebody wanted what is not theirs to do. Who is kept as text too: the row outlives the person.

    ``times``: how often within the minute that ``at`` began; whoever tries on and on does not fill the table.
    """

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("person"))
    who = models.CharField(_("who"), max_length=120, blank=True)
    verb = models.CharField(_("what"), max_length=40)
    target = models.CharField(_("to what"), max_length=160, blank=True)
    path = models.CharField(_("where"), max_length=160)
    address = models.GenericIPAddressField(_("address"), null=True)
    times = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("refusal")
        verbose_name_plural = _("refusals")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who}: {self.verb} {self.target}"

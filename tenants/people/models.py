"""People who sign in. On public they are the platform's staff, in a company's schema the company's own people.

One model, two kinds of table: a person of one company does not exist in another, by construction.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
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

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        company = current_company_or_none()
        if (self.role == Role.STAFF) != (company is None):
            raise WrongSchema(f"The role {self.role!r} does not live in {company or 'public'}.")
        super().save(*args, **kwargs)

    def get_session_auth_hash(self) -> str:
        """What a session must prove: this password, this version, this schema."""
        return self._proof()

    def get_session_auth_fallback_hash(self) -> Any:
        """The same under older secret keys, while they are still accepted."""
        from django.conf import settings

        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._proof(secret)

    def _proof(self, secret: str | None = None) -> str:
        value = f"{current_company_or_none() or 'public'}:{self.pk}:{self.session_version}:{self.password}"
        return salted_hmac("tenants.people.session", value, secret=secret, algorithm="sha256").hexdigest()

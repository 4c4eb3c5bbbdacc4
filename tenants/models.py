"""The platform's own rows, in the public schema: companies, their hosts, and the PBXs they use.

Nothing a company says or does is stored here; that lives in its own schema.
"""

from __future__ import annotations

import zoneinfo
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from tenants import lookup, secrets
from tenants.names import validate_slug


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("There is no such time zone. Write it like Europe/Moscow."), code="time_zone")


def validate_plain(value: str) -> None:
    """Refuse characters that could end an AMI line or turn the text around on the screen."""
    if any(not character.isprintable() for character in value):
        raise ValidationError(_("Invisible characters are not allowed here."), code="invisible")


class Company(TenantMixin):  # type: ignore[misc] # django-tenants ships no types
    """A tenant: one schema of the database, reached at its own hosts."""

    # The schema is made by tenants.services, which shows progress and leaves nothing behind on failure.
    auto_create_schema: ClassVar[bool] = False
    auto_drop_schema: ClassVar[bool] = False

    schema_name = models.CharField(
        _("short name"), max_length=31, unique=True, editable=False, validators=[validate_slug]
    )
    name = models.CharField(_("name"), max_length=120, validators=[validate_plain])
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Moscow", validators=[validate_time_zone],
        help_text=_("Days of reports begin and end by it."),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("A closed company keeps its data, but nobody can sign in.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def slug(self) -> str:
        """The company's name for machines: schema, host and prefix on the PBX."""
        return str(self.schema_name)

    def save(self, *args: object, **kwargs: object) -> None:
        super().save(*args, **kwargs)
        lookup.forget()

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise ValidationError(
            _("A company is closed, never deleted: its schema would stay behind."), code="delete"
        )


class CompanyCreation(models.Model):
    """A wish for a company and how far it has come. Kept afterwards: it says who wanted it, and when."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a worker")
        WORKING = "working", _("being made")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    slug = models.CharField(_("short name"), max_length=31, validators=[validate_slug])
    name = models.CharField(_("name"), max_length=120, validators=[validate_plain])
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Moscow", validators=[validate_time_zone]
    )
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    admin_email = models.EmailField(
        _("e-mail of its admin"), blank=True, max_length=190,
        help_text=_("They choose a password by “Forgot your password?” on the company's own host."),
    )  # fmt: skip
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    asked_by = models.CharField(max_length=120, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("new company")
        verbose_name_plural = _("new companies")
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.slug}: {self.state}"

    @property
    def percent(self) -> int:
        return 100 if self.state == self.State.DONE else 100 * self.done // max(self.total, 1)


class Domain(DomainMixin):  # type: ignore[misc] # django-tenants ships no types
    """A host at which a company is reached. Without a port; lower case."""

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")

    def __str__(self) -> str:
        return str(self.domain)

    def clean(self) -> None:
        self.domain: str = str(self.domain).lower().rstrip(".")
        if ":" in self.domain or "/" in self.domain:
            raise ValidationError({"domain": _("Write the host alone, without a port or an address.")})
        if self.domain in settings.PUBLIC_HOSTS:
            raise ValidationError({"domain": _("This host belongs to the platform.")})

    def save(self, *args: object, **kwargs: object) -> None:
        super().save(*args, **kwargs)
        lookup.forget()

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        deleted: tuple[int, dict[str, int]] = super().delete(*args, **kwargs)
        lookup.forget()
        return deleted


class Pbx(models.Model):
    """One Asterisk and the AMI account by which we listen to it.

    The secret is stored encrypted and is never part of a representation, a form's initial value or a log line.
    """

    name = models.CharField(_("name"), max_length=80, unique=True, validators=[validate_plain])
    host = models.CharField(_("host"), max_length=255, validators=[validate_plain])
    port = models.PositiveIntegerField(
        _("port"), default=5038, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    tls = models.BooleanField(_("TLS"), default=False)
    username = models.CharField(_("AMI account"), max_length=80, validators=[validate_plain])
    secret_encrypted = models.TextField(editable=False, default="", blank=True)
    managed = models.BooleanField(
        _("managed"),
        default=False,
        help_text=_("Ours, shared by companies; otherwise a company's own Asterisk."),
    )
    simulated = models.BooleanField(
        _("simulated"), default=False, help_text=_("A simulator stands in; every page says so.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    companies = models.ManyToManyField(Company, related_name="pbxs", blank=True, verbose_name=_("companies"))
    # When a collector last heard it, to a few seconds: what is missing since must be known after any crash.
    heard_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("PBX")
        verbose_name_plural = _("PBXs")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The AMI secret in plain text; "" when none was entered. Raises SecretUnreadable."""
        return secrets.decrypt(self.secret_encrypted) if self.secret_encrypted else ""

    @secret.setter
    def secret(self, plain: str) -> None:
        self.secret_encrypted = secrets.encrypt(plain) if plain else ""

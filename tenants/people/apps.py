"""The app of people: one table of staff in the public schema, one of each company's own people in its schema."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "tenants.people"
    label = "people"
    verbose_name = _("People")

    def ready(self) -> None:
        from auditlog.registry import auditlog

        from tenants.people.models import User

        # Named one by one: left to itself it would also look for rows that exist in a company's schema only.
        auditlog.register(User, include_fields=["email", "name", "role", "language", "is_active"])

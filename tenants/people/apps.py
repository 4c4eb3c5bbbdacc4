"""The app of people: one table of staff in the public schema, one of each company's own people in its schema."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "tenants.people"
    label = "people"
    verbose_name = _("People")

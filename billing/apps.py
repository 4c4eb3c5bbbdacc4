"""The app that invoices companies; its rows are the platform's, in the public schema."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("billing")

    def ready(self) -> None:
        # Celery finds tasks by itself only in its workers; a web process must know them to send them.
        import_module("billing.tasks")

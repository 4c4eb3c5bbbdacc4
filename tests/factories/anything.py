"""One row of any model, by its fields alone: for tests that must reach every table, also those made tomorrow.

Texts carry a mark, so that a test can look for it where it must not be.
"""

from __future__ import annotations

import itertools
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

_numbers = itertools.count(1001)


def company_models() -> list[type[models.Model]]:
    """Every model with a table in a company's schema, those that others point at first."""
    found = [
        model
        for config in apps.get_app_configs()
        if config.name in settings.TENANT_APPS
        for model in config.get_models(include_auto_created=False)
        if model._meta.managed and not model._meta.proxy
    ]
    return [model for model in found if model._meta.app_label not in ("contenttypes", "auth", "sessions")]


class Filler:
    """Makes rows marked ``mark`` in the schema in force, one of each model and all of one ``number``.

    ``given``: rows that exist already and are not made. A row that another needs is made first.
    """

    def __init__(self, *, mark: str, number: int, given: dict[type[models.Model], models.Model]) -> None:
        self.mark = mark
        self.number = number
        self.rows = dict(given)

    def row(self, model: type[models.Model]) -> models.Model:
        if model not in self.rows:
            values = {field.attname: self.value(field) for field in model._meta.concrete_fields}
            made = model(**values)
            models.Model.save(made, force_insert=True)
            self.rows[model] = made
        return self.rows[model]

    def value(self, field: models.Field[Any, Any]) -> Any:
        if field.primary_key and not field.is_relation:
            if field.has_default():  # the one row of its table
                return field.get_default()
            return self.number if isinstance(field, models.IntegerField) else self.text(field)
        if field.is_relation:
            return self.row(field.related_model).pk if isinstance(field.related_model, type) else None
        if field.null and isinstance(field, models.DateTimeField):
            return None  # "archived at", "revoked at": a row that is over would not be shown to anybody
        if field.has_default() and not isinstance(field, models.CharField | models.TextField):
            return field.get_default()
        if field.choices:
            return field.flatchoices[0][0]
        return self.plain(field)

    def plain(self, field: models.Field[Any, Any]) -> Any:
        match field:
            case ArrayField():
                return [self.value(field.base_field)]
            case models.EmailField():
                return f"{self.mark.lower()}@{next(_numbers)}.example"
            case models.GenericIPAddressField():
                return "192.0.2.77"
            case models.CharField() | models.TextField():
                return self.text(field)
            case models.BooleanField():
                return True
            case models.DateTimeField():
                return timezone.now()
            case models.TimeField():
                return timezone.now().time()
            case models.DateField():
                return timezone.now().date()
            case models.JSONField():
                return {"mark": self.mark}
            case models.IntegerField() | models.FloatField() | models.DecimalField():
                return 1
        return None

    def text(self, field: models.Field[Any, Any]) -> str:
        whole = f"{self.mark}{next(_numbers)}"
        # What is too narrow for the mark still gets a value of its own.
        return (
            whole
            if field.max_length is None or field.max_length >= len(whole)
            else whole[-field.max_length :]
        )

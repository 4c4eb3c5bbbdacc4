"""Form fields of the staff's pages: amounts as accountants type them, days, months."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_SPACES = re.compile(r"[\s\u00a0\u202f₽]")


class RublesField(forms.DecimalField):
    """``1 500,00``, ``1500``, ``1,500.00`` and ``1500.00 ₽`` are one and the same."""

    def __init__(self, **options: Any) -> None:
        shown = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(
            **{"min_value": 0, "max_digits": 12, "decimal_places": 2, "widget": shown, **options}
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python(as_typed(value) if isinstance(value, str) else value)


def as_typed(text: str) -> str:
    """An amount as people write it, in the form Decimal reads."""
    bare = _SPACES.sub("", text)
    return bare.replace(",", "") if "," in bare and "." in bare else bare.replace(",", ".")


def day_field(label: StrOrPromise, *, required: bool = True, help_text: StrOrPromise = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class MonthField(forms.CharField):
    """``2026-10``, as browsers' month inputs send it; the first day of that month."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 7, "widget": forms.TextInput(attrs={"type": "month"}), **options})

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return date.fromisoformat(f"{text}-01")
        except ValueError as error:
            raise ValidationError(_("A month like 2026-10 is wanted."), code="month") from error

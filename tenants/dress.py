"""Gives form controls the design system's class names, so that no form has to know them."""

from __future__ import annotations

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest

BARE = {"hidden", "file", "submit", "checkbox_select", "radio"}  # the last two are groups of controls
CLASSES = {"checkbox": "form-check-input", "select": "form-select"}


class FormRenderer(DjangoTemplates):
    """Django's own renderer; a control that has a class already keeps it."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        widget = context.get("widget")
        if isinstance(widget, dict) and "class" not in widget.get("attrs", {}):
            kind = str(widget.get("type") or template_name.rpartition("/")[2].removesuffix(".html"))
            if kind not in BARE:
                dressed = {**widget.get("attrs", {}), "class": CLASSES.get(kind, "form-control")}
                context = {**context, "widget": {**widget, "attrs": dressed}}
        return super().render(template_name, context, request)

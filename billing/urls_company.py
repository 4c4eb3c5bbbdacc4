"""What billing answers on a company's host: its own tariff, usage, invoices and payments."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "billing"

urlpatterns: list[URLPattern | URLResolver] = []

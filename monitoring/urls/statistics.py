"""Addresses of figures: reports, their explanation, scheduled reports, data quality."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

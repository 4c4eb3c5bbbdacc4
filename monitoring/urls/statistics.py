"""Addresses of figures: reports, their explanation, scheduled reports, data quality."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.quality import quality_log

urlpatterns: list[URLPattern | URLResolver] = [
    path("quality/", quality_log, name="quality_log"),
]

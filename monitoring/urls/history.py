"""Addresses of calls that were: journal, call card, lost calls, exports."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

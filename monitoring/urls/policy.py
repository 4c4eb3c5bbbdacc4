"""Addresses of what the company keeps, for how long, and who is told (retention, webhooks)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

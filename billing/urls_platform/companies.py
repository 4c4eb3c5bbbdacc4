"""Addresses of companies, their subscriptions, plans, the review list, charts, the audit."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

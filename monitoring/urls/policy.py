"""Addresses of what the company keeps, for how long, and who is told (retention, webhooks)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.webhooks import pages as webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("manage/webhooks/", webhooks.listing, name="webhooks"),
    path("manage/webhooks/<int:pk>/", webhooks.one, name="webhook"),
    path("manage/webhooks/<int:pk>/secret/", webhooks.new_secret, name="webhook_secret"),
    path("manage/webhooks/<int:pk>/messages/<int:delivery_pk>/again/", webhooks.again, name="webhook_again"),
    path("manage/webhooks/<int:pk>/<slug:what>/", webhooks.act, name="webhook_act"),
]

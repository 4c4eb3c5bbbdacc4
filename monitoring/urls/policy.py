"""Addresses of what the company keeps, for how long, and who is told (retention, webhooks)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.policy import erasure
from monitoring.views.policy import pages as policy
from monitoring.views.webhooks import pages as webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("manage/policy/", policy.policy, name="policy"),
    path("manage/policy/runs/", policy.policy_runs, name="policy_runs"),
    path("manage/policy/erase/", erasure.erase, name="erase"),
    path("manage/policy/erase/rows/", erasure.erase_rows, name="erase_rows"),
    path("manage/webhooks/", webhooks.listing, name="webhooks"),
    path("manage/webhooks/<int:pk>/", webhooks.one, name="webhook"),
    path("manage/webhooks/<int:pk>/secret/", webhooks.new_secret, name="webhook_secret"),
    path("manage/webhooks/<int:pk>/messages/<int:delivery_pk>/again/", webhooks.again, name="webhook_again"),
    path("manage/webhooks/<int:pk>/<slug:what>/", webhooks.act, name="webhook_act"),
]

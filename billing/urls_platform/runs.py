"""Addresses of billing runs."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.views.platform import runs

urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", runs.listing, name="runs"),
    path("runs/start/", runs.start, name="run_start"),
    path("runs/<int:pk>/", runs.one, name="run"),
    path("runs/<int:pk>/stop/", runs.stop, name="run_stop"),
    path("runs/<int:pk>/again/", runs.again, name="run_again"),
    path("runs/<int:pk>/issue/", runs.issue, name="run_issue"),
]

"""A company's host: its people sign in and work. What monitoring answers is listed in monitoring.urls."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("tenants.people.urls")),
    path("", include("monitoring.urls")),
]

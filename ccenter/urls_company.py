"""A company's host: its people sign in and work. What monitoring answers is listed in monitoring.urls."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from ccenter.api import api
from monitoring.views.health import health
from monitoring.views.pbx import pbxs

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("tenants.people.urls")),
    path("", include("monitoring.urls")),
    path("api/v1/", api.urls),
    path("billing/", include("billing.urls_company")),
    path("healthz", health, name="healthz"),
    path("pbx/", pbxs, name="pbx"),
]

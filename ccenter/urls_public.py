"""The platform's own host: staff sign in, make companies, connect PBXs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from monitoring.views.health import health
from monitoring.views.pbx import pbxs

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("", include("tenants.urls_public")),
    path("", include("tenants.people.urls")),
    path("healthz", health, name="healthz"),
    path("pbx/", pbxs, name="pbx"),
    path("billing/", include("billing.urls_platform")),
]

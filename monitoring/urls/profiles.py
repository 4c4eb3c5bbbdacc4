"""Addresses of saved views, norms, alerts."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.live import live
from monitoring.views.profiles import alerts, pages
from monitoring.views.profiles.printed import printed

urlpatterns: list[URLPattern | URLResolver] = [
    path("live/wall/", live, {"wall": True}, name="live_wall"),
    path("profiles/", pages.listing, name="profiles"),
    path("profiles/new/", pages.edit, name="profile_new"),
    path("profiles/<int:pk>/", pages.edit, name="profile"),
    path("profiles/<int:pk>/live/", live, name="profile_live"),
    path("profiles/<int:pk>/wall/", live, {"wall": True}, name="profile_wall"),
    path("profiles/<int:pk>/print/", printed, name="profile_print"),
    path("profiles/<int:pk>/norms/", pages.norms, name="profile_norms"),
    path("profiles/<int:pk>/switch/", pages.switch, name="profile_switch"),
    path("profiles/<int:pk>/copy/", pages.copy, name="profile_copy"),
    path("profiles/<int:pk>/archive/", pages.archive, name="profile_archive"),
    path("profiles/<int:pk>/restore/", pages.restore, name="profile_restore"),
    path("alerts/", alerts.listing, name="alerts"),
    path("alerts/bell/", alerts.bell, name="alert_bell"),
    path("alerts/letters/", alerts.rule, name="alert_rule"),
    path("alerts/<int:pk>/seen/", alerts.seen, name="alert_seen"),
    path("alerts/<int:pk>/take/", alerts.take, name="alert_take"),
]

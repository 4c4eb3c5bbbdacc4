"""Addresses of calls that were: journal, call card, lost calls, exports."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.history import exports

urlpatterns: list[URLPattern | URLResolver] = [
    path("exports/", exports.exports, name="exports"),
    path("exports/<int:pk>/", exports.export, name="export"),
    path("exports/<int:pk>/cancel/", exports.cancel, name="export_cancel"),
    path("exports/<int:pk>/file/", exports.file, name="export_file"),
]

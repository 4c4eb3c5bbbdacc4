"""Addresses of figures: reports, their explanation, print, scheduled reports, data quality."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.quality import quality_log
from monitoring.views.statistics import explain, pages, scheduled

urlpatterns: list[URLPattern | URLResolver] = [
    path("quality/", quality_log, name="quality_log"),
    path("statistics/", pages.overview, name="statistics"),
    path("statistics/deviations/", pages.deviations, name="deviations"),
    path("statistics/explain/", explain.explain, name="explain"),
    path("statistics/scheduled/", scheduled.scheduled, name="reports"),
    path("statistics/scheduled/new/", scheduled.edit, name="report_new"),
    path("statistics/scheduled/<int:pk>/", scheduled.edit, name="report"),
    path("statistics/scheduled/<int:pk>/pause/", scheduled.pause, name="report_pause"),
    path("statistics/scheduled/<int:pk>/resume/", scheduled.resume, name="report_resume"),
    path("statistics/scheduled/<int:pk>/send/", scheduled.send, name="report_send"),
    path("statistics/scheduled/<int:pk>/delete/", scheduled.delete, name="report_delete"),
    path("statistics/<slug:page>/", pages.page, name="statistics_page"),
    path("statistics/<slug:page>/paper/", pages.paper, name="statistics_paper"),
]

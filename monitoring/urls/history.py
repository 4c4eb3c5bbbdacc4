"""Addresses of calls that were: journal, call card, lost calls, exports."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.history import card, exports, filters, journal
from monitoring.views.lost import pages as lost

urlpatterns: list[URLPattern | URLResolver] = [
    path("calls/", journal.calls, name="calls"),
    path("calls/count/", journal.count, name="calls_count"),
    path("calls/filters/", filters.save, name="filter_save"),
    path("calls/filters/<int:pk>/forget/", filters.forget, name="filter_forget"),
    path("calls/<int:pk>/", card.call, name="call"),
    path("calls/<int:pk>/notes/", card.note, name="call_note"),
    path("calls/<int:pk>/marks/<int:mark>/", card.mark, name="call_mark"),
    path("calls/notes/<int:pk>/", card.note_edit, name="note"),
    path("exports/", exports.exports, name="exports"),
    path("exports/<int:pk>/", exports.export, name="export"),
    path("exports/<int:pk>/cancel/", exports.cancel, name="export_cancel"),
    path("exports/<int:pk>/file/", exports.file, name="export_file"),
    path("lost/", lost.lost, name="lost"),
    path("lost/<int:pk>/", lost.lost_one, name="lost_one"),
    path("lost/<int:pk>/do/", lost.lost_act, name="lost_act"),
]

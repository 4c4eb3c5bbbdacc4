"""Addresses of recordings, their player, quality review."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.recordings import player, unsettled

urlpatterns: list[URLPattern | URLResolver] = [
    path("recordings/unsettled/", unsettled.page, name="recordings_unsettled"),
    path("recordings/sound/<str:word>/", player.sound, name="recording_sound"),
    path("recordings/<int:pk>/", player.page, name="recording"),
    path("recordings/<int:pk>/link/", player.link, name="recording_link"),
    path("recordings/<int:pk>/heard/", player.heard, name="recording_heard"),
    path("recordings/<int:pk>/download/", player.download, name="recording_download"),
    path("recordings/<int:pk>/attach/", unsettled.attach, name="recording_attach"),
    path("recordings/<int:pk>/delete/", unsettled.delete, name="recording_delete"),
]

"""Addresses of recordings, their player, quality review."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views.recordings import player, reviews, scorecards, unsettled

urlpatterns: list[URLPattern | URLResolver] = [
    path("recordings/unsettled/", unsettled.page, name="recordings_unsettled"),
    path("recordings/sound/<str:word>/", player.sound, name="recording_sound"),
    path("recordings/<int:pk>/", player.page, name="recording"),
    path("recordings/<int:pk>/link/", player.link, name="recording_link"),
    path("recordings/<int:pk>/heard/", player.heard, name="recording_heard"),
    path("recordings/<int:pk>/download/", player.download, name="recording_download"),
    path("recordings/<int:pk>/attach/", unsettled.attach, name="recording_attach"),
    path("recordings/<int:pk>/delete/", unsettled.delete, name="recording_delete"),
    path("reviews/", reviews.listing, name="reviews"),
    path("reviews/begin/<int:pk>/", reviews.begin, name="review_begin"),
    path("reviews/<int:pk>/", reviews.page, name="review"),
    path("reviews/<int:pk>/remark/", reviews.remark, name="review_remark"),
    path("reviews/<int:pk>/remark/<int:remark_id>/take-back/", reviews.take_back, name="review_take_back"),
    path("reviews/<int:pk>/appeal/", reviews.appeal, name="review_appeal"),
    path("reviews/<int:pk>/decide/", reviews.decide, name="review_decide"),
    path("reviews/<int:pk>/discard/", reviews.discard, name="review_discard"),
    path("manage/scorecards/", scorecards.listing, name="scorecards"),
    path("manage/scorecards/new/", scorecards.edit, name="scorecard_new"),
    path("manage/scorecards/<int:pk>/", scorecards.edit, name="scorecard"),
    path("manage/scorecards/<int:pk>/put/", scorecards.put, name="scorecard_put"),
]

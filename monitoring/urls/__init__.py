"""Every address monitoring answers on a company's host."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.urls import history, policy, profiles, recordings, statistics
from monitoring.views import status
from monitoring.views.live import live
from monitoring.views.manage import audit, norms, pages

app_name = "monitoring"

urlpatterns: list[URLPattern | URLResolver] = [
    path("live/", live, name="live"),
    path("me/", status.own, name="status"),
    path("team/", status.team, name="team"),
    path("team/<int:pk>/", status.of, name="status_of"),
    path("manage/", pages.index, name="manage"),
    path("manage/norms/", norms.norms, name="manage_norms"),
    path("manage/audit/", audit.audit, name="manage_audit"),
    *history.urlpatterns,
    *statistics.urlpatterns,
    *profiles.urlpatterns,
    *recordings.urlpatterns,
    *policy.urlpatterns,
    path("manage/<slug:section>/", pages.listing, name="manage_list"),
    path("manage/<slug:section>/new/", pages.edit, name="manage_new"),
    path("manage/<slug:section>/<int:pk>/", pages.edit, name="manage_edit"),
    path("manage/<slug:section>/<int:pk>/archive/", pages.archive, name="manage_archive"),
    path("manage/<slug:section>/<int:pk>/restore/", pages.restore, name="manage_restore"),
]

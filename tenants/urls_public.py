"""Addresses of the platform staff's pages about companies."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from tenants import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("companies/", views.company_list, name="companies"),
    path("companies/new/", views.new_company, name="new_company"),
    path("companies/making/<int:creation_id>/", views.company_creation, name="company_creation"),
    path("companies/making/<int:creation_id>/again/", views.retry_creation, name="retry_creation"),
]

"""Addresses of companies, their subscriptions, plans, the review list, charts, the audit."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.views.platform import audit, charts, companies, company, plans, review, settings

urlpatterns: list[URLPattern | URLResolver] = [
    path("", companies.listing, name="companies"),
    path("companies.xlsx", companies.export, name="companies_export"),
    path("companies/<int:pk>/", company.one, name="company"),
    path("companies/<int:pk>/row/", companies.usage_cells, name="company_usage_cells"),
    path("companies/<int:pk>/usage/", company.usage_part, name="company_usage"),
    path("companies/<int:pk>/offers/", company.offers_part, name="company_offers"),
    path("companies/<int:pk>/<slug:what>/", company.act, name="company_act"),
    path("plans/", plans.listing, name="plans"),
    path("plans/new/", plans.new, name="plan_new"),
    path("plans/<int:pk>/", plans.one, name="plan"),
    path("plans/<int:pk>/prices/", plans.version_new, name="version_new"),
    path("plans/<int:pk>/prices/<int:version_pk>/remove/", plans.version_remove, name="version_remove"),
    path("review/", review.listing, name="review"),
    path("review/<int:pk>/settle/", review.settle, name="review_settle"),
    path("charts/", charts.overview, name="charts"),
    path("charts/revenue.xlsx", charts.export, name="charts_export"),
    path("acts/", audit.audit, name="audit"),
    path("acts.xlsx", audit.export, name="audit_export"),
    path("settings/", settings.overview, name="settings"),
    path("settings/sellers/new/", settings.seller, name="seller_new"),
    path("settings/sellers/<int:pk>/", settings.seller, name="seller"),
    path("settings/vat/new/", settings.new_rate, name="rate_new"),
    path("settings/vat/<int:pk>/remove/", settings.remove_rate, name="rate_remove"),
]

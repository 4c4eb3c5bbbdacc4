"""What billing answers on the platform's host, to its staff: one file an area."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from billing.urls_platform import companies, invoices, payments, runs

app_name = "billing_admin"

urlpatterns: list[URLPattern | URLResolver] = [
    *companies.urlpatterns,
    *runs.urlpatterns,
    *invoices.urlpatterns,
    *payments.urlpatterns,
]

"""Addresses of payments, bank statements, debts."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.views.platform import payments, statements

urlpatterns: list[URLPattern | URLResolver] = [
    path("payments/", payments.listing, name="payments"),
    path("payments/queue/", payments.queue, name="payments_queue"),
    path("payments/new/", payments.new, name="payment_new"),
    path("payments/debts/", payments.debts, name="debts"),
    path("payments/statements/", statements.listing, name="statements"),
    path("payments/statements/<int:pk>/", statements.one, name="statement"),
    path("payments/<int:pk>/", payments.one, name="payment"),
    path("payments/<int:pk>/<slug:what>/", payments.act, name="payment_act"),
]

"""What billing answers on a company's host: its own tariff, usage, invoices and payments."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.views.company import details, overview, papers, plan

app_name = "billing"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("compare/", overview.compare, name="compare"),
    path("peak/", overview.peak, name="peak"),
    path("plan/", plan.plans, name="plan"),
    path("plan/cancel/", plan.cancel, name="plan_cancel"),
    path("plan/<slug:code>/", plan.choose, name="plan_choose"),
    path("details/", details.details, name="details"),
    path("invoices/", papers.invoices, name="invoices"),
    path("invoices/<int:pk>/", papers.invoice, name="invoice"),
    path("invoices/<int:pk>/pdf/", papers.invoice_pdf, name="invoice_pdf"),
    path("invoices/<int:pk>/act/", papers.act_pdf, name="act_pdf"),
    path("credits/<int:pk>/pdf/", papers.credit_pdf, name="credit_pdf"),
    path("payments/", papers.payments, name="payments"),
]

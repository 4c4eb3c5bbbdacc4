"""Addresses of invoices, credit notes and their papers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.views.platform import invoice, invoices

urlpatterns: list[URLPattern | URLResolver] = [
    path("invoices/", invoices.listing, name="invoices"),
    path("invoices/invoices.xlsx", invoices.export_xlsx, name="invoices_xlsx"),
    path("invoices/1c.xml", invoices.export_1c, name="invoices_1c"),
    path("invoices/issue/", invoices.issue, name="invoices_issue"),
    path("invoices/issue/<int:pk>/", invoices.batch, name="invoice_batch"),
    path("invoices/issue/<int:pk>/again/", invoices.batch_again, name="invoice_batch_again"),
    path("invoices/<int:pk>/", invoice.one, name="invoice"),
    path("invoices/<int:pk>/issue/", invoice.issue, name="invoice_issue"),
    path("invoices/<int:pk>/void/", invoice.take_back, name="invoice_void"),
    path("invoices/<int:pk>/credit/", invoice.give_back, name="invoice_credit"),
    path("invoices/<int:pk>/pdf/", invoice.invoice_paper, name="invoice_pdf"),
    path("invoices/<int:pk>/act/", invoice.act_paper, name="act_pdf"),
    path("credits/<int:pk>/pdf/", invoice.credit_paper, name="credit_pdf"),
]

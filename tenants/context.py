"""What every template may ask: whose pages these are."""

from __future__ import annotations

from django.http import HttpRequest

from tenants.lookup import CompanyRecord


def company(request: HttpRequest) -> dict[str, CompanyRecord | None]:
    """``company``: the record of the request's company, None on the platform's own host."""
    return {"company": getattr(request, "company", None)}

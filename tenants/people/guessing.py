"""What django-axes asks of us: which account a sign-in is for, and what a locked-out visitor sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def account_of(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """The e-mail in one spelling, so that a capital letter does not buy five more guesses."""
    given = credentials or {}
    address = (
        given.get("email") or given.get("username") or (request.POST.get("login") if request else "") or ""
    )
    return str(address).strip().lower()[:190]


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    return render(request, "tenants/locked_out.html", status=429)

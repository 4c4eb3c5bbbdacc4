"""allauth by our rules: nobody signs up, letters come from the company, one-time-code seeds are encrypted."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from tenants import secrets


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only this very host. allauth would add ALLOWED_HOSTS, which are everybody's: a link to our own sign-in
        could then lead on to the page of another company, made to look like ours.
        """
        request: HttpRequest = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth ships no types
    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text)

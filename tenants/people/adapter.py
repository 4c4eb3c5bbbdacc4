"""allauth by our rules: nobody signs up, letters come from the company, one-time-code seeds are encrypted."""

from __future__ import annotations

from typing import Any, NamedTuple

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tenants import secrets


class Site(NamedTuple):
    """What letters call the portal."""

    name: str
    domain: str


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only this very host. allauth would add ALLOWED_HOSTS, which are everybody's: a link to our own sign-in
        could then lead on to the page of another company, made to look like ours.
        """
        request: HttpRequest = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def get_reset_password_from_key_url(self, key: str) -> str:
        """In a letter that a stranger may have asked for, with any port in the Host header: a link there would bring
        the key to whatever listens at that port.
        """
        request: HttpRequest = context.request
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{request.scheme}://{_address(request)}{path.replace('UID-KEY', key)}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        address = _address(self.request)
        super().send_mail(template_prefix, email, {**context, "current_site": Site(address, address)})


def _address(request: HttpRequest) -> str:
    """The host, which HostMiddleware has found to be this company's (or the platform's), and our port, not the
    visitor's.
    """
    host = request.get_host().split(":")[0].lower().rstrip(".")
    return f"{host}:{settings.PUBLIC_PORT}" if settings.PUBLIC_PORT else host


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth ships no types
    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text)

"""Letters about money: to the address the company gave for them, else to each of its admins, in its own language.

A dead mail server is written to the log and is nobody's failure: money does not wait for the post.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import translation

from billing.models import Account
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope

logger = logging.getLogger(__name__)

Attachment = tuple[str, bytes, str]  # name, content, media type


def send(
    *,
    company: Company,
    subject: str,
    text: str,
    html: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> list[str]:
    """Returns the addresses it went to. Words are the caller's: write them inside ``speaking(company)``.

    Call it after the transaction of what it tells; from public or from the company's own scope.
    """
    sent = []
    for address in addresses(company):
        # A name with a line break in it must not write headers of its own.
        letter = EmailMultiAlternatives(" ".join(subject.split())[:200], text, to=[address])
        if html is not None:
            letter.attach_alternative(html, "text/html")
        for name, content, media_type in attachments:
            letter.attach(name, content, media_type)
        try:
            letter.send()
        except OSError as error:  # smtplib's errors are such too; one address is not the others' trouble
            logger.warning("No letter about money of %s could be sent: %s", company.schema_name, error)
        else:
            sent.append(address)
    return sent


def addresses(company: Company) -> list[str]:
    """Who is written to."""
    account = Account.objects.filter(company=company).first()
    if account is not None and account.email:
        return [account.email]
    with company_scope(str(company.schema_name)):
        admins = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk")
        return [address for address in admins.values_list("email", flat=True) if address]


@contextmanager
def speaking(company: Company) -> Iterator[None]:
    """The company's language until the block ends: whoever runs this may speak another."""
    known = dict(settings.LANGUAGES)
    with translation.override(company.language if company.language in known else settings.LANGUAGE_CODE):
        yield


def address_of(company: Company, name: str, *args: object) -> str:
    """Where the company's people find its page ``name`` ("billing:invoice", …), to be written in a letter."""
    host = company.get_primary_domain().domain
    port = f":{settings.PUBLIC_PORT}" if settings.PUBLIC_PORT else ""
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return f"{scheme}://{host}{port}{reverse(name, args=args, urlconf=settings.COMPANY_URLCONF)}"

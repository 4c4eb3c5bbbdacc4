"""Remembers which host is which company, so that a request does not ask the database.

In-process and short-lived: a change made here is seen at once, one made by another process within TTL seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.apps import apps

TTL = 30.0  # seconds
LIMIT = 10_000  # hosts kept; strangers' hosts are never kept


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """What a request needs to know of its company, without the row."""

    slug: str
    name: str
    time_zone: str
    language: str

    @property
    def schema_name(self) -> str:
        """The same by the name django-tenants' own templates look for."""
        return self.slug


PLATFORM = CompanyRecord(slug="public", name="", time_zone="UTC", language="")

_hosts: dict[str, tuple[float, CompanyRecord]] = {}
_schemas: set[str] = set()


def company_at(host: str) -> CompanyRecord | None:
    """The active company reached at ``host`` (no port), or None."""
    host = host.lower().rstrip(".")
    kept = _hosts.get(host)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    domain = (
        apps.get_model("tenants", "Domain")
        .objects.select_related("tenant")
        .filter(domain=host, tenant__active=True)
        .first()
    )
    if domain is None:
        _hosts.pop(host, None)
        return None
    company = domain.tenant
    record = CompanyRecord(
        slug=company.schema_name, name=company.name, time_zone=company.time_zone, language=company.language
    )
    if len(_hosts) >= LIMIT:
        _hosts.clear()
    _hosts[host] = (time.monotonic() + TTL, record)
    return record


def schema_exists(slug: str) -> bool:
    """Whether a company of this slug has its schema. A search path to none would silently show the public one."""
    if (
        slug not in _schemas
        and apps.get_model("tenants", "Company").objects.filter(schema_name=slug).exists()
    ):
        _schemas.add(slug)
    return slug in _schemas


def forget() -> None:
    """Ask the database again next time."""
    _hosts.clear()
    _schemas.clear()

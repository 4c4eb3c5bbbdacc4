"""DATABASE_URL as Django's settings, always with the backend that keeps each company in its own schema."""

from __future__ import annotations

from typing import Any

import dj_database_url

BACKEND = "django_tenants.postgresql_backend"


def database(url: str, *, pool: bool) -> dict[str, Any]:
    """``pool``: keep connections open between requests; for web processes (ccenter.asgi asks for it).

    Under ASGI each request runs in a thread of its own, so Django's persistent connections would leak;
    the psycopg pool is shared by all threads. The search path is set again with every cursor, so a pooled
    connection carries nothing of the company that used it before.
    """
    parsed: dict[str, Any] = dict(dj_database_url.parse(url, engine=BACKEND))
    options: dict[str, Any] = parsed.setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 5)
    if pool:
        options["pool"] = {"min_size": 1, "max_size": 12, "timeout": 5}
    return parsed

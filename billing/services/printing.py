"""Papers of Russian law: in Russian whatever language the reader's pages have, the same bytes each time."""

from __future__ import annotations

from django.utils import translation

from tenants import paper


def printed(template: str, context: dict[str, object]) -> bytes:
    """The page as PDF."""
    with translation.override("ru"):
        return paper.printed(template, context)

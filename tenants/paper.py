"""HTML into PDF by WeasyPrint: no browser, no network, nothing fetched but the portal's own fonts."""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

_FONTS = Path("node_modules/@fontsource-variable/inter/files")
# One family for each alphabet: a family of several files is not told apart by WeasyPrint.
_FAMILIES = {"IL": "inter-latin-wght-normal.woff2", "IC": "inter-cyrillic-wght-normal.woff2"}


def printed(template: str, context: dict[str, object]) -> bytes:
    """The page as PDF, in the language in force; the same page is the same bytes. It finds ``fonts`` in its context."""
    page = render_to_string(template, {**context, "fonts": _fonts()})
    document = HTML(string=page, url_fetcher=_OnlyFonts(allowed_protocols=("file",)))
    # Else the fonts within would bear the time of printing, and the document a random identifier.
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    return bytes(document.write_pdf(pdf_identifier=sha256(page.encode()).digest()[:16]))


@lru_cache(maxsize=1)
def _fonts() -> list[tuple[str, str]]:
    """(family, address) of the files that are there; without them the machine's own fonts serve."""
    files = ((family, settings.BASE_DIR / _FONTS / name) for family, name in _FAMILIES.items())
    return [(family, file.as_uri()) for family, file in files if file.exists()]


class _OnlyFonts(URLFetcher):  # type: ignore[misc] # WeasyPrint ships no types
    """A name somebody wrote must not make the server fetch anything."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in {address for _family, address in _fonts()}:
            raise ValueError("A paper needs nothing from elsewhere.")
        return super().fetch(url, headers)

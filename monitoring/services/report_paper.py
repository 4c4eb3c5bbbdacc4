"""A report on paper: the same blocks as on the screen, set by WeasyPrint. No browser and no network is needed.

Fonts are the portal's own; one family for each alphabet, for a family of several files is not told apart by WeasyPrint.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from monitoring.selectors.reports.report import Report
from monitoring.selectors.reports.wording import moment

_FONTS = Path("node_modules/@fontsource-variable/inter/files")
_FAMILIES = {"IL": "inter-latin-wght-normal.woff2", "IC": "inter-cyrillic-wght-normal.woff2"}


def pdf(report: Report, *, company: str, zone: str) -> bytes:
    """A4, landscape for its wide tables, in the language in force. ``zone``: of the moment printed on it."""
    page = render_to_string(
        "monitoring/statistics/paper.html",
        {
            "report": report, "company": company, "fonts": _fonts(),
            "made": moment(timezone.now().timestamp(), zone),
        },
    )  # fmt: skip
    return bytes(HTML(string=page, url_fetcher=_OnlyFonts(allowed_protocols=("file",))).write_pdf())


@lru_cache(maxsize=1)
def _fonts() -> list[tuple[str, str]]:
    """(family, address) of the files that are there; without them the machine's own fonts serve."""
    files = ((family, settings.BASE_DIR / _FONTS / name) for family, name in _FAMILIES.items())
    return [(family, file.as_uri()) for family, file in files if file.exists()]


class _OnlyFonts(URLFetcher):  # type: ignore[misc] # WeasyPrint ships no types
    """A name somebody wrote must not make the server fetch anything."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in {address for _family, address in _fonts()}:
            raise ValueError("A report needs nothing from elsewhere.")
        return super().fetch(url, headers)

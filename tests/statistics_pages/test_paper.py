"""Reports on paper: the PDF says the figures, and print leaves out what one presses."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from pypdf import PdfReader

from tenants.paper import _OnlyFonts
from tests.factories.staff import Staff
from tests.statistics_pages.conftest import PERIOD, signed_in

pytestmark = pytest.mark.django_db


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\u202f", " ")


def test_the_pdf_says_the_figures_in_the_readers_language(alpha_client: Client, alpha_staff: Staff) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.admin)
    answer = client.get(f"/statistics/queues/paper/?{PERIOD}")
    assert answer.headers["Content-Type"] == "application/pdf"
    said = text_of(answer.content)
    assert "Очереди" in said
    assert "Альфа" in said
    assert "85 %" in said, "eleven of thirteen within the threshold"
    client.cookies["django_language"] = "en"
    assert "Queues" in text_of(client.get(f"/statistics/queues/paper/?{PERIOD}").content)


def test_a_supervisors_pdf_holds_headed_groups_only(alpha_client: Client, alpha_staff: Staff) -> None:
    client = signed_in(alpha_client, "alpha", alpha_staff.supervisor)
    said = text_of(client.get(f"/statistics/managers/paper/?{PERIOD}").content)
    assert "Анна" in said
    assert "Борис" not in said


def test_a_pdf_fetches_nothing_but_its_fonts() -> None:
    fetcher = _OnlyFonts(allowed_protocols=("file",))
    for address in ("file:///etc/passwd", "http://127.0.0.1/x.png"):
        with pytest.raises(ValueError, match="elsewhere"):
            fetcher.fetch(address)


def test_print_leaves_out_what_one_presses() -> None:
    css = Path(settings.BASE_DIR / "static" / "css" / "statistics.css").read_text()
    printed = css[css.index("@media print") :]
    for part in (".stats-filter", ".stats-tabs", ".stats-tools", ".stats-paper"):
        assert part in printed

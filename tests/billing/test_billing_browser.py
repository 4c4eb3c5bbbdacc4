"""A month's money in a real browser before a real Daphne: the plan changed and kept, a fourth profile agreed to, an
invoice paid by the bank's file and read on paper. The other company has the same numbers and sees none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from billing.domain.periods import Period, local_day, month_of, preceding
from billing.models import Invoice, Phase
from monitoring.models import ProfileActivity
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tenants.sessions import SessionStore
from tests.e2e.panel_stage import CHROMIUM
from tests.factories.bank import document, statement_file
from tests.factories.money import INNS, at_once, issued_invoice, profile_on, subscribe
from tests.factories.people import person
from tests.live.site import Site, serve, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENT_MS = 30_000
ZONE = "Europe/Moscow"
SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


@dataclass(frozen=True)
class Till:
    """Two companies on the plan by profiles, three of them on and one off, last month's invoice issued to each."""

    alpha: Company
    beta: Company
    admins: dict[str, User]
    staff: User
    off: dict[str, int]
    invoices: dict[str, Invoice]
    month: Period


@pytest.fixture
def till(redis_url: str, alpha: Company, beta: Company) -> Till:
    """By today's calendar: a Daphne has no clock to be given."""
    today = local_day(timezone.now(), ZONE)
    month = month_of(today, ZONE)
    last = preceding(month)
    admins, off, invoices = {}, {}, {}
    for company in (alpha, beta):
        made = subscribe(company, "per_profile", last.start)
        for number in range(3):
            profile_on(company, last.begin, title=f"Профиль {number + 1}")
        off[company.slug] = profile_on(
            company, last.begin, last.begin + timedelta(hours=1), title="Стена в зале"
        )
        # Not yet due: whoever owes too long is shown another page.
        invoices[company.slug] = issued_invoice(
            made, last.start, issued_on=month.start, due_on=today + timedelta(days=10)
        )
        with company_scope(company.slug):
            admins[company.slug] = User.objects.get(pk=person(Role.ADMIN, name="Админ").pk)
    at_once(alpha, 6, month.begin + timedelta(minutes=1), minutes=1)
    return Till(alpha, beta, admins, person(Role.STAFF, name="Бухгалтер"), off, invoices, month)


def staff_session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "tenants.people.backend.EmailBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


class Eyes:
    """Somebody's browser and what it must never do."""

    def __init__(self, context: BrowserContext, origin: str, session: str) -> None:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": origin}])
        self.page: Page = context.new_page()
        self.origin = origin
        self.faults: list[str] = []
        self.page.set_default_timeout(PATIENT_MS)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.faults.append(said.text) if "Content Security" in said.text else None,
        )

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page

    def status(self, path: str) -> int:
        return int(self.page.evaluate("path => fetch(path).then((answer) => answer.status)", path))


@contextmanager
def browsers(redis_url: str, till: Till, log: Path) -> Iterator[dict[str, Eyes]]:
    """Alpha's admin, beta's admin and the platform's bookkeeper, each in a browser of their own."""
    sessions = {slug: sign_in(slug, user) for slug, user in till.admins.items()} | {
        "": staff_session(till.staff)
    }
    with serve(redis_url, log) as site, sync_playwright() as playwright:
        expect.set_options(timeout=PATIENT_MS)
        chromium: Browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*CHROMIUM, "--no-proxy-server"]
        )
        eyes = {
            slug: Eyes(
                chromium.new_context(
                    viewport={"width": 1440, "height": 900}, locale="ru-RU", accept_downloads=True
                ),
                _origin(site, slug), session,
            )
            for slug, session in sessions.items()
        }  # fmt: skip
        yield eyes
        chromium.close()
        assert [fault for one in eyes.values() for fault in one.faults] == []


def _origin(site: Site, slug: str) -> str:
    return site.origin(slug) if slug else f"http://localhost:{site.port}"


def text(page: Page) -> str:
    return page.locator("main").inner_text().translate(SPACES)


def test_the_plan_the_fourth_profile_the_payment_and_the_paper(
    redis_url: str, till: Till, tmp_path: Path
) -> None:
    with browsers(redis_url, till, tmp_path / "log") as eyes:
        alpha, beta, staff = eyes["alpha"], eyes["beta"], eyes[""]
        before = overview(beta)

        changes_its_plan_and_takes_it_back(alpha)
        activates_a_fourth_profile(alpha, till)
        pays_by_the_banks_file(alpha, staff, till)
        reads_the_paper(alpha, till, tmp_path)

        number = till.invoices["alpha"].pk
        for page in ("", "pdf/", "act/"):
            assert beta.status(f"/billing/invoices/{number}/{page}") == 404, page
        assert overview(beta) == before, "nothing of alpha's month has moved anything here"
        assert "−1 500,00 ₽" in before
    # The browser's Daphne wrote; now we may look.
    assert list(Phase.objects.filter(subscription__company=till.beta).values_list("ends_on", flat=True)) == [
        None
    ]
    assert Invoice.objects.get(pk=till.invoices["alpha"].pk).state == "paid"
    assert Invoice.objects.get(pk=till.invoices["beta"].pk).state == "finalised"
    for slug, on in (("alpha", 4), ("beta", 3)):
        with company_scope(slug):
            assert ProfileActivity.objects.filter(ended=None).count() == on


def overview(eyes: Eyes) -> str:
    """With its part that comes a moment later."""
    page = eyes.open("/billing/")
    expect(page.locator(".tariff-compare")).to_be_visible()
    return text(page)


def changes_its_plan_and_takes_it_back(alpha: Eyes) -> None:
    """The day and the price come first; the change stands on the page until it is cancelled."""
    page = alpha.open("/billing/")
    expect(page.locator("[data-usage] canvas")).to_be_visible()
    expect(page.get_by_text("Сколько стоил бы каждый тариф")).to_be_visible()
    expect(page.locator(".tariff-compare tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Другие тарифы").click()
    card = page.locator(".tariff-plan", has_text="По одновременным звонкам")
    assert "3 000,00 ₽" in card.inner_text().translate(SPACES)
    card.get_by_role("link", name="Перейти с").click()
    asked = text(page)
    assert "с ближайшей полуночи" in asked
    assert "3 000,00 ₽" in asked
    assert "+2 000,00 ₽" in asked
    page.get_by_role("button", name="Перейти с").click()
    expect(page.locator(".tariff-coming")).to_contain_text("По одновременным звонкам")
    page.get_by_role("button", name="Отменить переход").click()
    expect(page.locator(".messages")).to_contain_text("Переход отменён")
    expect(page.locator(".tariff-coming")).to_have_count(0)


def activates_a_fourth_profile(alpha: Eyes, till: Till) -> None:
    """The switch asks for +250 ₽ in its row; leaving it leaves it off, by keyboard too."""
    page = alpha.open("/profiles/")
    row = page.locator("tr", has_text="Стена в зале")
    row.get_by_role("switch").click()
    question = page.locator(".profile-asked")
    expect(question).to_contain_text("+250")
    assert "1 250 ₽" in question.inner_text().translate(SPACES)
    page.get_by_role("link", name="Не включать").click()
    expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    row.get_by_role("switch").focus()
    page.keyboard.press("Enter")
    expect(question.get_by_role("button", name="Включить за +250")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    told = text(alpha.open("/billing/"))
    assert "Входит в тариф: 3, сверх него: 1" in told
    assert "1 250,00 ₽" in told


def pays_by_the_banks_file(alpha: Eyes, staff: Eyes, till: Till) -> None:
    """The bookkeeper hands in a statement in which alpha pays its invoice; alpha sees it paid."""
    invoice = till.invoices["alpha"]
    assert "1 500,00 ₽ до" in text(alpha.open(f"/billing/invoices/{invoice.pk}/"))
    day = f"{till.month.start:%d.%m.%Y}"
    data = statement_file(
        document(
            number="117", dated=day, inn=INNS["alpha"], amount="1500.00",
            purpose=f"Оплата по счёту № {invoice.full_number} от {day}, в т.ч. НДС",
        )
    )  # fmt: skip
    page = staff.open("/billing/payments/statements/")
    file: Any = {"name": "kl_to_1c.txt", "mimeType": "text/plain", "buffer": data}
    page.set_input_files("input[type=file]", file)
    page.locator("form.payment-upload button").click()
    expect(page.locator("h1")).to_contain_text("kl_to_1c.txt")
    assert "1 500,00 ₽" in text(page)
    told = text(alpha.open(f"/billing/invoices/{invoice.pk}/"))
    assert "оплачен" in told
    assert "−1 500,00 ₽" in told
    assert "117" in text(alpha.open("/billing/payments/"))


def reads_the_paper(alpha: Eyes, till: Till, folder: Path) -> None:
    """The PDF as the browser keeps it, drawn: one page of ink on white, with what an accountant looks for."""
    invoice = till.invoices["alpha"]
    page = alpha.open(f"/billing/invoices/{invoice.pk}/")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Счёт, PDF").click()
    kept = folder / "invoice.pdf"
    waiting.value.save_as(kept)
    assert waiting.value.suggested_filename == f"{invoice.full_number.replace('/', '-')}.pdf"
    paper = pypdfium2.PdfDocument(kept)
    try:
        assert len(paper) == 1
        words = paper[0].get_textpage().get_text_bounded().translate(SPACES)
        for wanted in (invoice.full_number, "1 500,00", "270,49", INNS["alpha"], "рублей"):
            assert wanted in words, wanted
        picture = paper[0].render(scale=1.5).to_pil().convert("L")
    finally:
        paper.close()
    picture.save(folder / "invoice.png")
    dark = sum(picture.histogram()[:128]) / (picture.width * picture.height)
    assert 0.005 < dark < 0.4, "neither a blank sheet nor a black one"
    box = picture.point(lambda grey: 255 if grey < 128 else 0).getbbox()
    assert box is not None
    assert box[2] - box[0] > picture.width * 0.6, "it fills the width of the sheet"

"""axe looks at a company's pages about money with something on each of them, light and dark, and empty ones too."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import sync_playwright

from billing.models import LimitNotice, Payment
from billing.services import subscriptions
from billing.services.acts import Who
from tenants.models import Company
from tenants.people.models import Role
from tests.e2e.panel_stage import CHROMIUM
from tests.e2e.test_accessible import AXE, COLOURS, RULES, built, faults, open_page
from tests.factories.money import at_once, issued_invoice, moscow, plan, profile_on, seller, subscribe
from tests.factories.people import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

NOW = moscow(2026, 6, 16)
Made = list[tuple[str, bytes]]


def full(company: Company, client: Client) -> Made:
    """A plan with a change to come, a peak, a warning, an invoice partly paid, a wrong form, a question of price."""
    made = subscribe(company, "per_concurrency")
    at_once(company, 13, moscow(2026, 6, 3, 10))
    at_once(company, 6, moscow(2026, 5, 3, 10))
    off = [profile_on(company, moscow(2026, 5, 1), moscow(2026, 5, 2)) for _ in range(4)]
    LimitNotice.objects.create(
        company=company, period_start=date(2026, 6, 1), what="tier", level=80, value=13, bound=15, at=NOW
    )
    invoice = issued_invoice(made, date(2026, 5, 1))
    payment = Payment.objects.create(
        company=company, amount=Decimal(500), paid_on=date(2026, 6, 5), document="1", state="matched",
        fingerprint="1",
    )  # fmt: skip
    payment.allocations.create(invoice=invoice, amount=Decimal(500))
    paths = [
        "",
        "compare/",
        "peak/",
        "plan/",
        "plan/per_profile/",
        "invoices/",
        f"invoices/{invoice.pk}/",
        "payments/",
    ]
    seen = [(path, client.get(f"/billing/{path}").content) for path in [*paths, "details/"]]
    wrong = client.post("/billing/details/", {"inn": "1", "kpp": "2", "limit_mode": "hard"})
    seen.append(("details/wrong", wrong.content))
    subscriptions.change_plan(who=Who("", "company"), company=company, plan=plan("per_profile"), now=NOW)
    seen += [(f"coming/{path}", client.get(f"/billing/{path}").content) for path in ("", "plan/")]
    assert off
    return seen


def empty(client: Client) -> Made:
    seller()
    return [
        (f"empty/{path}", client.get(f"/billing/{path}").content)
        for path in ("", "plan/", "invoices/", "payments/")
    ]


def asking(company: Company, client: Client) -> Made:
    subscribe(company, "per_profile")
    for _ in range(3):
        profile_on(company, moscow(2026, 5, 1))
    fourth = profile_on(company, moscow(2026, 5, 1), moscow(2026, 5, 2))
    typed = {"title": "Утро", "tiles": ["waiting"]}
    return [
        ("overview by profiles", client.get("/billing/").content),
        ("switch", client.post(f"/profiles/{fourth}/switch/", {"on": "1"}).content),
        ("new", client.post("/profiles/new/", typed).content),
    ]


def test_nobody_is_shut_out_of_a_page_about_money(
    alpha: Company, beta: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    ours, _admin = signed_in("alpha", Role.ADMIN)
    theirs, _other = signed_in("beta", Role.ADMIN)
    made = empty(ours) + full(alpha, ours) + asking(beta, theirs)
    assert all(b"<main" in content for _path, content in made)
    files, found = built(), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM])
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", bypass_csp=True
        )
        context.add_init_script(path=AXE)
        page = context.new_page()
        for path, content in made:
            for scheme, rules in (("light", RULES), ("dark", COLOURS)):
                page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
                open_page(page, "/billing/", content, files)
                found += [f"{path} {scheme}: {fault}" for fault in faults(page, rules)]
        page.set_viewport_size({"width": 390, "height": 844})
        for path, content in made:
            open_page(page, "/billing/", content, files)
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if wide > 0:
                found.append(f"{path}: {wide} px wider than a phone")
        browser.close()
    assert not found, "\n".join(found)

"""The admin's pages of webhooks: the secret is shown once, failures are seen, another company's are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.models import Delivery, Webhook
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff

FORM = {"title": "CRM <b>", "url": "http://127.0.0.1:9/in", "events": ["call.ended", "call.lost"]}


@pytest.fixture
def staff(alpha: Company, beta: Company, settings: Any) -> dict[str, Staff]:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    return {slug: make_staff(slug) for slug in ("alpha", "beta")}


def browser(staff: dict[str, Staff], slug: str, who: Callable[[Staff], Any]) -> Client:
    client = Client(headers={"host": f"{slug}.localhost"})
    with company_scope(slug):
        client.force_login(who(staff[slug]))
    return client


def test_the_secret_is_shown_once(staff: dict[str, Staff]) -> None:
    admin = browser(staff, "alpha", lambda s: s.admin)
    made = admin.post("/manage/webhooks/", FORM)
    assert made.status_code == 200
    with company_scope("alpha"):
        webhook = Webhook.objects.get()
        secret = webhook.secret
    assert secret in made.text
    assert "CRM &lt;b&gt;" in made.text
    for page in ("/manage/webhooks/", f"/manage/webhooks/{webhook.pk}/"):
        assert secret not in admin.get(page).text
    renewed = admin.post(f"/manage/webhooks/{webhook.pk}/secret/")
    with company_scope("alpha"):
        webhook.refresh_from_db()
    assert webhook.secret != secret
    assert webhook.secret in renewed.text


def test_what_was_typed_wrong_is_said_and_nothing_is_made(staff: dict[str, Staff], settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = False
    admin = browser(staff, "alpha", lambda s: s.admin)
    for wrong in (
        {"url": "https://10.0.0.1/"},
        {"url": "http://example.com/"},
        {"events": []},
        {"title": ""},
    ):
        page = admin.post("/manage/webhooks/", FORM | wrong)
        assert page.status_code == 422
        assert page.context["form"].errors
    with company_scope("alpha"):
        assert not Webhook.objects.exists()


def test_failures_are_seen_and_sent_again(staff: dict[str, Staff]) -> None:
    admin = browser(staff, "alpha", lambda s: s.admin)
    admin.post("/manage/webhooks/", FORM)
    now = timezone.now()
    with company_scope("alpha"):
        webhook = Webhook.objects.get()
        row = Delivery.objects.create(
            webhook=webhook, event="call.ended", key="k", body='{"<i>": 1}', next_try=now, made_at=now,
            state="dead", attempts=8, error="no answer in time",
        )  # fmt: skip
    page = admin.get(f"/manage/webhooks/{webhook.pk}/?state=dead")
    assert "no answer in time" in page.text
    assert "&lt;i&gt;" in page.text
    assert admin.post(f"/manage/webhooks/{webhook.pk}/messages/{row.pk}/again/").status_code == 302
    with company_scope("alpha"):
        assert Delivery.objects.get(pk=row.pk).state == "waiting"
    for what in ("pause", "resume", "try", "remove"):
        assert admin.post(f"/manage/webhooks/{webhook.pk}/{what}/").status_code == 302
    assert admin.get(f"/manage/webhooks/{webhook.pk}/").status_code == 404
    assert admin.post(f"/manage/webhooks/{webhook.pk}/explode/").status_code == 404


def test_others_find_nothing_there(staff: dict[str, Staff]) -> None:
    browser(staff, "alpha", lambda s: s.admin).post("/manage/webhooks/", FORM)
    with company_scope("alpha"):
        webhook = Webhook.objects.get()
    stranger = browser(staff, "beta", lambda s: s.admin)
    for page in ("", "pause/", "try/", "remove/", "secret/"):
        assert stranger.post(f"/manage/webhooks/{webhook.pk}/{page}", FORM).status_code == 404
    for who in (lambda s: s.supervisor, lambda s: s.anna.user):
        person = browser(staff, "alpha", who)
        assert person.get("/manage/webhooks/").status_code == 403
        assert person.post(f"/manage/webhooks/{webhook.pk}/remove/").status_code == 403
    with company_scope("alpha"):
        after = Webhook.objects.get()
        assert (after.archived_at, after.paused_at, after.title) == (None, None, FORM["title"])

"""Requests nobody honest sends: forged addresses, foreign targets, characters no text may hold, other hosts' caches."""

from __future__ import annotations

import re
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tenants.models import Company
from tenants.people.models import Refusal, Role
from tenants.scope import company_scope
from tests.factories.people import PASSWORD, person, signed_in, signed_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture(autouse=True)
def _no_attempts_counted_yet() -> None:
    for schema in ("alpha", "beta"):
        with company_scope(schema):
            cache.clear()


@pytest.mark.parametrize(
    "target",
    [
        "http://beta.localhost/account/login/",
        "http://127.0.0.1/",
        "http://.localhost/",
        "http://alpha.localhost:6666/",
        "//beta.localhost/",
        "https://evil.example/",
        "http:///evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ],
)
def test_signing_in_or_out_leads_to_no_other_host(alpha_client: Client, target: str) -> None:
    with company_scope("alpha"):
        person(Role.MANAGER, email="anna@alpha.example")
    login = {"login": "anna@alpha.example", "password": PASSWORD, "next": target}
    assert alpha_client.post("/account/login/", login)["Location"] == "/"
    assert alpha_client.post("/i18n/setlang/", {"language": "en", "next": target})["Location"] == "/"
    assert alpha_client.post("/account/logout/", {"next": target})["Location"] == "/account/login/"


def test_signing_in_still_leads_to_the_page_that_was_asked_for(alpha_client: Client) -> None:
    with company_scope("alpha"):
        person(Role.MANAGER, email="anna@alpha.example")
    login = {"login": "anna@alpha.example", "password": PASSWORD, "next": "/me/"}
    assert alpha_client.post("/account/login/", login)["Location"] == "/me/"


@pytest.mark.parametrize("address", ["/manage/people/?q=%00", "/manage/audit/?q=a%00b", "/?next=%00"])
def test_a_nul_in_a_search_is_a_bad_request_and_no_error_of_ours(address: str) -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    assert client.get(address).status_code == 400


@pytest.mark.parametrize("key", ['"abcdefghij\\000"', '"abcdefgh\\303\\251"', "a" * 4000, "' OR 1=1 --"])
def test_a_session_cookie_of_any_bytes_is_a_stranger(key: str) -> None:
    client = Client(headers={"host": "alpha.localhost", "cookie": f"sessionid={key}"})
    assert client.get("/account/")["Location"] == "/account/login/?next=/account/"


@pytest.mark.parametrize("said", ["198.51.100.7", "<script>", "' OR 1=1"])
def test_who_edited_from_where_cannot_be_forged(alpha: Company, said: str) -> None:
    client, staff = signed_in_staff()
    form = {"name": "Альфа+", "time_zone": "Europe/Moscow", "language": "ru", "active": "on",
            "domains-TOTAL_FORMS": "0", "domains-INITIAL_FORMS": "0"}  # fmt: skip
    address = f"/admin/tenants/company/{alpha.pk}/change/"
    assert client.post(address, form, headers={"x-forwarded-for": said}).status_code == 302
    entry = LogEntry.objects.get_for_object(alpha).latest("pk")
    assert (entry.actor, entry.remote_addr) == (staff, "127.0.0.1")


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("192.0.2.1, 198.51.100.7", "198.51.100.7"),  # the first is the visitor's own invention
        ("2001:db8::7", "2001:db8::7"),
        ("", "127.0.0.1"),
        ("<script>", "127.0.0.1"),
        ("198.51.100.7, ", "127.0.0.1"),
    ],
)
def test_behind_a_proxy_a_visitor_is_who_the_proxy_saw(settings: Any, header: str, address: str) -> None:
    settings.TRUSTED_PROXIES = 1
    client, _manager = signed_in("alpha", Role.MANAGER)
    assert client.get("/manage/people/", headers={"x-forwarded-for": header}).status_code == 403
    with company_scope("alpha"):
        assert Refusal.objects.latest("pk").address == address


def test_without_a_proxy_nobody_changes_own_address() -> None:
    client, _manager = signed_in("alpha", Role.MANAGER)
    assert client.get("/manage/people/", headers={"x-forwarded-for": "198.51.100.7"}).status_code == 403
    with company_scope("alpha"):
        assert Refusal.objects.latest("pk").address == "127.0.0.1"


@pytest.mark.parametrize(
    "address", ["/live/", "/manage/people/", "/manage/audit/", "/team/", "/account/", "/nope"]
)
def test_no_page_of_a_company_is_kept_by_a_browser_or_proxy(address: str) -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    assert "no-store" in client.get(address)["Cache-Control"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("ALPHA.localhost", 200),
        ("alpha.localhost.", 200),
        ("alpha.localhost:1", 200),
        ("a.alpha.localhost", 404),
        ("alphab.localhost", 404),
        ("evil.example", 400),
        ("alpha.localhost@evil.example", 400),
        ("evil.example@alpha.localhost", 400),
        ("beta.localhost", 302),
        ("beta.localhost.", 302),
        ("BETA.LOCALHOST:80", 302),
    ],
)
def test_a_session_is_good_at_every_spelling_of_its_own_host_and_at_no_other(host: str, status: int) -> None:
    client, _admin = signed_in("alpha", Role.ADMIN)
    headers = {"host": host, "x-forwarded-host": "alpha.localhost", "x-forwarded-server": "alpha.localhost"}
    answer = client.get("/account/", headers=headers)
    assert answer.status_code == status
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def reset_letter(client: Client, email: str) -> str:
    """Path of the link in the letter, "" when none was sent."""
    mail.outbox.clear()
    client.post("/account/password/reset/", {"email": email})
    found = re.search(r"http://alpha\.localhost(/\S+)", str(mail.outbox[0].body)) if mail.outbox else None
    return found[1] if found else ""


def test_a_mailbox_somebody_had_before_opens_nothing(alpha_client: Client) -> None:
    with company_scope("alpha"):
        anna = person(Role.ADMIN, email="anna@former.example")
    setting = alpha_client.get(reset_letter(alpha_client, "anna@former.example"))["Location"]
    chosen = "Xy7-a-long-password"
    assert alpha_client.post(setting, {"password1": chosen, "password2": chosen}).status_code == 302
    with company_scope("alpha"):
        anna.refresh_from_db()
        anna.email = "anna@alpha.example"
        anna.save()
    other = Client(headers={"host": "alpha.localhost"})
    assert reset_letter(other, "anna@former.example") == ""
    assert mail.outbox == []
    assert reset_letter(other, "anna@alpha.example") != ""


@pytest.mark.parametrize("host", ["alpha.localhost:6666", "ALPHA.localhost.:6666", "alpha.localhost"])
@pytest.mark.parametrize(("port", "address"), [(0, "alpha.localhost"), (8443, "alpha.localhost:8443")])
def test_a_letter_leads_to_our_port_whatever_port_was_asked(
    settings: Any, host: str, port: int, address: str
) -> None:
    settings.PUBLIC_PORT = port
    with company_scope("alpha"):
        person(Role.ADMIN, email="anna@alpha.example")
    mail.outbox.clear()
    visitor = Client(headers={"host": host})
    assert visitor.post("/account/password/reset/", {"email": "anna@alpha.example"}).status_code == 302
    [letter] = mail.outbox
    said = f"{letter.subject}\n{letter.body}"
    assert "6666" not in said
    link = re.search(r"http://(\S+?)(/\S+)", said)
    assert link is not None
    assert link[1] == address
    assert "password1" in visitor.get(link[2], follow=True).text


def test_strangers_get_no_letters(alpha_client: Client) -> None:
    assert reset_letter(alpha_client, "nobody@elsewhere.example") == ""
    assert mail.outbox == []


def test_a_reset_link_of_alpha_is_nothing_at_betas_host(alpha_client: Client, beta_client: Client) -> None:
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            person(Role.ADMIN, email="anna@both.example")
    link = reset_letter(alpha_client, "anna@both.example")
    assert "password1" not in beta_client.get(link, follow=True).text
    assert "password1" in alpha_client.get(link, follow=True).text

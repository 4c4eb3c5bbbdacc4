"""Signing in and out: among the people of one company, with limits on guessing, and over when it must be over."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tenants.models import Company
from tenants.people import services
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tenants.services import close_company, reopen_company
from tests.factories.people import PASSWORD, person, signed_in, signed_in_staff

pytestmark = pytest.mark.django_db

LOGIN = "/account/login/"


@pytest.fixture(autouse=True)
def _no_attempts_counted_yet() -> None:
    for schema in ("alpha", "beta"):
        with company_scope(schema):
            cache.clear()
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post(LOGIN, {"login": email, "password": password}).status_code


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("role", "landing"), [(Role.ADMIN, "/manage/"), (Role.SUPERVISOR, "/live/"), (Role.MANAGER, "/me/")]
)
def test_each_role_signs_in_by_e_mail_and_lands_on_its_page(
    alpha_client: Client, role: Role, landing: str
) -> None:
    with company_scope("alpha"):
        person(role, email="anna@alpha.example")
    assert sign_in(alpha_client, " Anna@Alpha.Example ") == 302
    assert alpha_client.get("/")["Location"] == landing


def test_staff_signs_in_on_the_platforms_host(public_client: Client) -> None:
    person(Role.STAFF, email="staff@platform.example")
    assert sign_in(public_client, "staff@platform.example") == 302
    assert public_client.get("/")["Location"] == "/companies/"


def test_a_person_of_alpha_cannot_sign_in_at_betas_or_the_platforms_host(
    beta_client: Client, public_client: Client
) -> None:
    with company_scope("alpha"):
        person(Role.ADMIN, email="anna@alpha.example")
    for client in (beta_client, public_client):
        assert sign_in(client, "anna@alpha.example") == 200
        assert not is_in(client)


def test_a_session_of_alpha_is_nothing_at_betas_host() -> None:
    client, _user = signed_in("alpha", Role.ADMIN)
    assert is_in(client)
    stolen = Client(headers={"host": "beta.localhost"})
    stolen.cookies = SimpleCookie({"sessionid": client.cookies["sessionid"].value})
    assert not is_in(stolen)


def test_even_a_session_row_copied_into_beta_is_empty_there() -> None:
    _client, user = signed_in("alpha", Role.ADMIN)
    with company_scope("alpha"):
        row = Session.objects.get()
    with company_scope("beta"):
        native = person(Role.ADMIN)
        User.objects.filter(pk=native.pk).update(id=user.pk, password=user.password)
        Session.objects.create(
            session_key=row.session_key, session_data=row.session_data, expire_date=row.expire_date
        )
    stolen = Client(headers={"host": "beta.localhost"})
    stolen.cookies = SimpleCookie({"sessionid": row.session_key})
    assert not is_in(stolen)


def test_signing_in_gives_a_new_session_so_a_planted_one_is_worth_nothing(alpha_client: Client) -> None:
    with company_scope("alpha"):
        person(Role.MANAGER, email="anna@alpha.example")
    alpha_client.cookies = SimpleCookie({"sessionid": "plantedplantedplantedplanted1234"})
    sign_in(alpha_client, "anna@alpha.example")
    assert alpha_client.cookies["sessionid"].value != "plantedplantedplantedplanted1234"
    assert is_in(alpha_client)


def test_signing_out_everywhere_ends_the_sessions_of_all_browsers() -> None:
    first, user = signed_in("alpha")
    second = Client(headers={"host": "alpha.localhost"})
    colleague, _ = signed_in("alpha")
    with company_scope("alpha"):
        second.force_login(user, backend="tenants.people.backend.EmailBackend")
    assert first.post("/account/sign-out-everywhere/").status_code == 302
    assert not is_in(first)
    assert not is_in(second)
    assert is_in(colleague)


def test_a_disabled_person_is_out_at_once_and_cannot_come_back(alpha_client: Client) -> None:
    client, user = signed_in("alpha", Role.MANAGER)
    with company_scope("alpha"):
        services.disable(user=user)
    assert not is_in(client)
    sign_in(alpha_client, user.email)
    assert not is_in(alpha_client)


def test_another_role_ends_the_sessions_of_the_old_one() -> None:
    client, user = signed_in("alpha", Role.SUPERVISOR)
    with company_scope("alpha"):
        services.change_role(user=user, role=Role.MANAGER)
    assert not is_in(client)


def test_guessing_an_account_is_stopped_in_this_company_only(
    alpha_client: Client, beta_client: Client
) -> None:
    for slug in ("alpha", "beta"):
        with company_scope(slug):
            person(Role.ADMIN, email="anna@people.example")
            person(Role.ADMIN, email="boris@people.example")
    answers = [sign_in(alpha_client, "Anna@people.example", f"wrong {number}") for number in range(6)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert sign_in(alpha_client, "anna@people.example") == 429, "the right password does not help any more"
    assert not is_in(alpha_client)
    assert sign_in(alpha_client, "boris@people.example") == 302, "others at the same address may sign in"
    assert sign_in(beta_client, "anna@people.example") == 302, "and so may this e-mail in another company"


def test_guessing_many_accounts_from_one_address_is_stopped_too(alpha_client: Client) -> None:
    with company_scope("alpha"):
        person(Role.ADMIN, email="anna@people.example")
    for number in range(60):
        sign_in(alpha_client, f"guess{number}@people.example", "wrong")
    sign_in(alpha_client, "anna@people.example")
    assert not is_in(alpha_client)


def test_a_forgotten_password_is_changed_by_the_link_in_the_letter(
    alpha_client: Client, beta_client: Client
) -> None:
    old, user = signed_in("alpha", Role.ADMIN, email="anna@alpha.example")
    alpha_client.post("/account/password/reset/", {"email": "anna@alpha.example"})
    [letter] = mail.outbox
    link = re.search(r"http://alpha\.localhost(/account/password/reset/key/\S+)", str(letter.body))
    assert link is not None
    assert b"password1" not in beta_client.get(link[1], follow=True).content, "the link is alpha's"
    form = alpha_client.get(link[1], follow=True)
    address = form.redirect_chain[-1][0]
    fresh = {"password1": "another-horse-battery", "password2": "another-horse-battery"}
    assert alpha_client.post(address, fresh).status_code == 302
    assert not is_in(old), "sessions opened by the old password are over"
    assert sign_in(alpha_client, user.email, "another-horse-battery") == 302
    assert is_in(alpha_client)


def test_a_letter_is_sent_to_nobody_whom_the_company_does_not_know(beta_client: Client) -> None:
    with company_scope("alpha"):
        person(Role.ADMIN, email="anna@alpha.example")
    page = beta_client.post("/account/password/reset/", {"email": "anna@alpha.example"}, follow=True)
    assert page.status_code == 200
    assert not [letter for letter in mail.outbox if "/password/reset/key/" in str(letter.body)]


def test_nobody_signs_up(alpha_client: Client) -> None:
    details = {"email": "new@alpha.example", "password1": PASSWORD, "password2": PASSWORD}
    alpha_client.post("/account/signup/", details)
    with company_scope("alpha"):
        assert not User.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["/account/login/", "/account/password/reset/", "/account/password/reset/done/", "/account/signup/",
     "/account/inactive/"],
)  # fmt: skip
@pytest.mark.parametrize(("language", "word"), [("ru", "Войти"), ("en", "Sign in")])
def test_the_doors_pages_speak_both_languages(
    alpha_client: Client, path: str, language: str, word: str
) -> None:
    alpha_client.cookies["django_language"] = language
    page = alpha_client.get(path)
    assert page.status_code == 200
    assert page["Content-Language"] == language
    if path == LOGIN:
        assert word in page.content.decode()


def test_the_company_speaks_its_language_until_the_person_chooses(alpha_client: Client) -> None:
    client, user = signed_in("alpha", Role.MANAGER)
    assert alpha_client.get(LOGIN, headers={"accept-language": "en"})["Content-Language"] == "ru"
    with company_scope("alpha"):
        User.objects.filter(pk=user.pk).update(language="en")
    assert client.get("/account/")["Content-Language"] == "en"


@pytest.mark.parametrize("path", ["/account/", "/account/password/change/", "/account/2fa/", "/account/logout/",
                                  "/account/reauthenticate/", "/account/2fa/totp/activate/"])  # fmt: skip
def test_a_persons_own_pages_open(path: str) -> None:
    for client in (signed_in("alpha", Role.MANAGER)[0], signed_in_staff()[0]):
        client.post("/account/reauthenticate/", {"password": PASSWORD})
        page = client.get(path)
        assert page.status_code == 200
        assert "script-src 'self'" in page["Content-Security-Policy"]
        assert "unsafe" not in page["Content-Security-Policy"]


def test_a_host_of_nobody_gets_a_plain_404() -> None:
    page = Client(headers={"host": "gamma.localhost"}).get(LOGIN)
    assert page.status_code == 404
    assert b"<" not in page.content


def test_a_closed_company_is_not_there_any_more(alpha_client: Client) -> None:
    company = Company.objects.get(schema_name="alpha")
    close_company(company=company)
    assert alpha_client.get(LOGIN).status_code == 404
    reopen_company(company=company)
    assert alpha_client.get(LOGIN).status_code == 200


def test_a_part_of_a_page_sends_the_whole_page_to_the_door_when_the_session_is_over(
    alpha_client: Client,
) -> None:
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://alpha.localhost/account/?a=1"}
    answer = alpha_client.get("/account/", headers=htmx)
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/account/login/?next=/account/"
    assert answer.content == b""
    foreign = alpha_client.get("/account/", headers={**htmx, "HX-Current-URL": "javascript:alert(1)"})
    assert foreign["HX-Redirect"] == "/account/login/?next=/"

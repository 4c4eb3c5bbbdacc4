"""The staff's pages of payments: nobody else opens them, each act is one press, and each can be undone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from billing.models import Act, Allocation, BankStatement, Payment
from billing.selectors.balance import balance
from billing.services import statements
from billing.services.acts import Who
from tenants.models import Company
from tenants.people.models import Role
from tests.factories import money
from tests.factories.bank import document, statement_file
from tests.factories.people import signed_in, signed_in_staff

pytestmark = pytest.mark.django_db
BASE = "/billing/payments/"


@pytest.fixture
def sold(alpha: Company, beta: Company) -> SimpleNamespace:
    """Alpha owes invoice 1, beta invoice 2; a statement left a payment of each in the queue."""
    mine, theirs = (money.issued_invoice(money.subscribe(company)) for company in (alpha, beta))
    statements.import_statement(
        who=Who("Клерк", "platform"), file_name="июль.txt",
        data=statement_file(
            document(number="7", inn=money.INNS["alpha"], purpose="за связь"),
            document(number="8", inn="", name="<b>Кто-то</b>", purpose="=1+1", amount="10.00"),
        ),
    )  # fmt: skip
    known, stranger = Payment.objects.order_by("document")
    return SimpleNamespace(alpha=alpha, beta=beta, mine=mine, theirs=theirs, known=known, stranger=stranger)


@pytest.fixture
def staff(db: None) -> Client:
    client, _member = signed_in_staff(name="Клерк")
    return client


def upload(client: Client, data: bytes, name: str = "выписка.txt") -> HttpResponse:
    return client.post(f"{BASE}statements/", {"file": SimpleUploadedFile(name, data)})


def pages(sold: SimpleNamespace) -> list[str]:
    statement = BankStatement.objects.get()
    return [
        BASE, f"{BASE}queue/", f"{BASE}new/", f"{BASE}debts/", f"{BASE}statements/",
        f"{BASE}statements/{statement.pk}/", f"{BASE}{sold.known.pk}/",
    ]  # fmt: skip


def test_every_page_opens_for_staff_and_strangers_words_stay_words(
    sold: SimpleNamespace, staff: Client
) -> None:
    for path in pages(sold):
        answer = staff.get(path)
        assert answer.status_code == 200, path
        assert "<b>Кто-то</b>" not in answer.content.decode(), path
    assert "&lt;b&gt;Кто-то" in staff.get(f"{BASE}queue/").content.decode()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_on_a_companys_host_none_of_them_is_there(sold: SimpleNamespace, role: Role) -> None:
    client, _user = signed_in("alpha", role)
    before = (Act.objects.count(), Allocation.objects.count())
    own = f"{BASE}"  # the company's own list of payments has this address
    for path in [path for path in pages(sold) if path != own]:
        assert client.get(path).status_code == 404, path
        assert client.post(path, {"company": sold.alpha.pk}).status_code == 404, path
    assert client.post(f"{BASE}{sold.known.pk}/match/", {"company": sold.alpha.pk}).status_code == 404
    assert (Act.objects.count(), Allocation.objects.count()) == before


def test_a_stranger_on_the_platforms_host_is_asked_to_sign_in(
    sold: SimpleNamespace, public_client: Client
) -> None:
    for path in pages(sold):
        assert public_client.get(path).status_code == 302, path
    assert public_client.post(f"{BASE}{sold.known.pk}/match/", {"company": sold.alpha.pk}).status_code == 302
    assert upload(public_client, statement_file(document(number="9"))).status_code == 302
    assert (Allocation.objects.count(), BankStatement.objects.count()) == (0, 1)


def test_a_payment_in_the_queue_is_matched_by_one_press_and_taken_off_by_another(
    sold: SimpleNamespace, staff: Client
) -> None:
    queue = staff.get(f"{BASE}queue/").content.decode()
    assert sold.mine.full_number in queue
    assert sold.theirs.full_number not in queue
    answer = staff.post(
        f"{BASE}{sold.known.pk}/match/",
        {"invoice": sold.mine.full_number, "back": f"{BASE}queue/"},
        follow=True,
    )
    assert answer.redirect_chain == [(f"{BASE}queue/", 302)]
    assert f"{BASE}{sold.known.pk}/" in answer.content.decode()
    sold.mine.refresh_from_db()
    assert sold.mine.state == "paid"
    staff.post(f"{BASE}{sold.known.pk}/unmatch/")
    sold.mine.refresh_from_db()
    assert sold.mine.state == "finalised"
    done = staff.get(f"{BASE}{sold.known.pk}/").content.decode()
    assert "зачтён платёж" in done
    assert "платёж возвращён в очередь" in done
    assert (
        list(Act.objects.filter(details__payment=sold.known.pk).values_list("who", flat=True))
        == ["Клерк"] * 2
    )


def test_a_payment_goes_to_a_company_that_is_chosen(sold: SimpleNamespace, staff: Client) -> None:
    staff.post(f"{BASE}{sold.stranger.pk}/match/", {"company": sold.beta.pk})
    assert (balance(sold.alpha), balance(sold.beta)) == (Decimal("-1500.00"), Decimal("-1490.00"))


@pytest.mark.parametrize(
    "given", [{}, {"invoice": "СЧ-2026/999999"}, {"company": "999999"}, {"company": "x"}]
)
def test_what_names_nobody_is_asked_again(
    sold: SimpleNamespace, staff: Client, given: dict[str, str]
) -> None:
    answer = staff.post(f"{BASE}{sold.known.pk}/match/", given)
    assert answer.status_code == 422
    assert not Allocation.objects.exists()


def test_an_invoice_and_a_company_that_disagree_are_refused(sold: SimpleNamespace, staff: Client) -> None:
    given = {"invoice": sold.mine.full_number, "company": sold.beta.pk}
    assert staff.post(f"{BASE}{sold.known.pk}/match/", given).status_code == 422
    assert not Allocation.objects.exists()


def test_what_is_not_ours_leaves_the_queue_and_comes_back(sold: SimpleNamespace, staff: Client) -> None:
    staff.post(f"{BASE}{sold.stranger.pk}/ignore/", {"back": "https://evil.example/billing/"})
    assert "Кто-то" not in staff.get(f"{BASE}queue/").content.decode()
    staff.post(f"{BASE}{sold.stranger.pk}/unmatch/")
    assert "Кто-то" in staff.get(f"{BASE}queue/").content.decode()


def test_a_way_back_leads_to_our_own_pages_alone(sold: SimpleNamespace, staff: Client) -> None:
    for back in ("https://evil.example/billing/", "//evil.example", "/companies/", ""):
        answer = staff.post(f"{BASE}{sold.stranger.pk}/unmatch/", {"back": back})
        assert answer.headers["Location"] == f"{BASE}{sold.stranger.pk}/", back


def test_an_act_that_is_none_and_a_payment_that_is_none_are_not_there(
    sold: SimpleNamespace, staff: Client
) -> None:
    assert staff.post(f"{BASE}{sold.known.pk}/burn/").status_code == 404
    assert staff.post(f"{BASE}999999/match/", {"company": sold.alpha.pk}).status_code == 404
    assert staff.get(f"{BASE}{sold.known.pk}/match/").status_code == 405


def test_a_statement_is_handed_in_and_its_page_says_what_became_of_it(
    sold: SimpleNamespace, staff: Client
) -> None:
    file = statement_file(
        document(number="7", inn=money.INNS["alpha"], purpose="за связь"),
        document(number="9", inn=money.INNS["alpha"], purpose=f"счет {sold.mine.full_number}"),
        document(number="10", payee="40702810000000000777"),
    )
    answer = upload(staff, file)
    statement = BankStatement.objects.order_by("pk").last()
    assert statement is not None
    assert answer.headers["Location"] == f"{BASE}statements/{statement.pk}/"
    assert (statement.incoming, statement.known, statement.matched) == (2, 1, 1)
    page = staff.get(answer.headers["Location"]).content.decode()
    assert "выписка.txt" in page
    assert "1\u00a0500,00" in page
    again = upload(staff, file, "она же.txt")
    assert again.headers["Location"] == answer.headers["Location"]
    assert "уже загружали" in staff.get(again.headers["Location"]).content.decode()


def test_a_wrong_file_is_refused_with_its_line(sold: SimpleNamespace, staff: Client) -> None:
    before = Payment.objects.count()
    for data, words in (
        (b"\x89PNG\r\n", "Строка 1"),
        (b"", ""),
        (statement_file(document(amount="тысяча")), "Строка 17"),
        (statement_file(document(), accounts="40702810000000000777"), "40702810000000000777"),
    ):
        answer = upload(staff, data)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert (Payment.objects.count(), BankStatement.objects.count()) == (before, 1)


def test_a_payment_is_entered_by_hand_once(sold: SimpleNamespace, staff: Client) -> None:
    given = {
        "company": sold.beta.pk,
        "amount": "1 500,00",
        "paid_on": "2026-07-20",
        "document": "44",
        "purpose": "касса",
    }
    made = staff.post(f"{BASE}new/", given)
    assert made.status_code == 302
    sold.theirs.refresh_from_db()
    assert sold.theirs.state == "paid"
    assert staff.post(f"{BASE}new/", given).status_code == 422
    assert staff.post(f"{BASE}new/", {**given, "paid_on": "2990-01-01"}).status_code == 422
    assert staff.post(f"{BASE}new/", {**given, "amount": "0", "document": "45"}).status_code == 422
    assert Payment.objects.filter(statement=None).count() == 1


def test_the_list_is_narrowed_down(sold: SimpleNamespace, staff: Client) -> None:
    staff.post(f"{BASE}{sold.known.pk}/match/", {"company": sold.alpha.pk})

    def found(query: str) -> tuple[bool, bool]:
        page = staff.get(f"{BASE}?{query}").content.decode()
        return f'href="{BASE}{sold.known.pk}/"' in page, f'href="{BASE}{sold.stranger.pk}/"' in page

    assert found("") == (True, True)
    assert found("state=matched") == (True, False)
    assert found(f"company={sold.beta.pk}") == (False, False)
    assert found(f"q={sold.mine.full_number}") == (True, False)
    assert found("q=10,00") == (False, True)
    assert found("q=Кто-то") == (False, True)
    assert found("begin=2026-07-21") == (False, False)
    assert found("end=2026-07-20&begin=2026-07-20") == (True, True)
    for nonsense in (
        "state=x&company=x&begin=x&q=NaN",
        "company=" + "9" * 40,
        "q=%25&page=-4",
        "statement=x",
    ):
        assert staff.get(f"{BASE}?{nonsense}").status_code == 200


def test_debts_say_who_owes_since_when_and_how_they_stand(
    sold: SimpleNamespace, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.views.platform import payments as view

    monkeypatch.setattr(view, "today", lambda: date(2026, 8, 14))
    staff.post(f"{BASE}{sold.known.pk}/match/", {"company": sold.alpha.pk})
    page = staff.get(f"{BASE}debts/").content.decode()
    assert sold.theirs.full_number in page
    assert sold.mine.full_number not in page
    assert "14.07.2026" in page
    assert 'data-tone="alarm"' in page

"""The staff's pages of invoices: found, explained, issued, taken back, credited; and nobody else's."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from unittest.mock import patch

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError
from openpyxl import load_workbook

from billing.models import Act, CreditNote, Invoice, InvoiceState
from billing.selectors import explained
from billing.services import batches, invoice_letters, payments
from billing.services.acts import Who
from billing.services.credits import credit
from billing.services.invoices import finalise
from billing.tasks.papers import finalise_batch, send_invoice
from tenants.models import Company
from tenants.people.models import Role, User
from tests.factories.money import account, handled, moscow, subscribe
from tests.factories.papers import draft, unpriced
from tests.factories.people import signed_in, signed_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
WHO = Who("Бухгалтер", "platform")
JULY = date(2026, 7, 4)


@pytest.fixture
def staff() -> Client:
    return signed_in_staff()[0]


@pytest.fixture(autouse=True)
def _july() -> Iterator[None]:
    """The machine's day must not decide what is overdue."""
    with (
        patch("billing.views.platform.invoices.today", return_value=date(2026, 7, 20)),
        patch("billing.views.platform.invoice.today", return_value=date(2026, 7, 20)),
        patch("billing.services.invoices.local_day", return_value=JULY),
        patch("billing.services.credits.local_day", return_value=JULY),
    ):
        yield


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode().replace("\u00a0", " ")


def test_the_list_is_narrowed_down_and_summed_up(staff: Client, alpha: Company, beta: Company) -> None:
    one = subscribe(alpha)
    finalise(who=WHO, invoice=draft(one), today=JULY)
    draft(one, date(2026, 5, 1), [("250.00", "22")])
    draft(subscribe(beta), date(2026, 5, 1), [("1000.00", "22")])
    whole = page(staff, "/billing/invoices/")
    for part in ("СЧ-2026/000001", "2 750,00 ₽", "Альфа", "Бета", "просрочен"):
        assert part in whole
    for query, seen, unseen in (
        ("state=draft", "1 250,00 ₽", "СЧ-2026/000001"),
        ("state=overdue", "СЧ-2026/000001", "1 250,00 ₽"),
        ("state=unpaid", "СЧ-2026/000001", "1 250,00 ₽"),
        ("month=2026-05", "1 250,00 ₽", "СЧ-2026/000001"),
        (f"company={beta.pk}", "1 000,00 ₽", "СЧ-2026/000001"),
        ("q=000001", "СЧ-2026/000001", "1 250,00 ₽"),
        ("q=7728168971", "1 000,00 ₽", "СЧ-2026/000001"),
        ("state=nonsense&month=99-99&company=x", "СЧ-2026/000001", "Traceback"),
    ):
        text = page(staff, f"/billing/invoices/?{query}")
        assert seen in text, query
        assert unseen not in text, query


def test_a_list_without_invoices_says_what_to_do(staff: Client) -> None:
    assert "/billing/runs/" in page(staff, "/billing/invoices/")
    assert "/billing/invoices/" in page(staff, "/billing/invoices/?state=paid")


def test_a_page_of_the_list_asks_the_database_a_constant_number_of_times(
    staff: Client, alpha: Company, beta: Company
) -> None:
    one, two = subscribe(alpha), subscribe(beta)
    draft(one)
    page(staff, "/billing/invoices/")  # what is read once for all is read
    few = _queries(staff)
    for month in range(1, 6):
        draft(one, date(2026, month, 1))
        draft(two, date(2026, month, 1))
    assert _queries(staff) == few


def _queries(staff: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        page(staff, "/billing/invoices/")
    return len(asked)


def test_a_draft_is_issued_from_its_page(staff: Client, alpha: Company) -> None:
    row = draft(subscribe(alpha))
    assert f"/billing/invoices/{row.pk}/issue/" in page(staff, f"/billing/invoices/{row.pk}/")
    answer = staff.post(f"/billing/invoices/{row.pk}/issue/", follow=True)
    assert "СЧ-2026/000001" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == InvoiceState.FINALISED


def test_what_keeps_a_draft_from_being_issued_is_said_first(
    staff: Client, alpha: Company, beta: Company
) -> None:
    row, dear = draft(subscribe(alpha)), unpriced(subscribe(beta))
    account(alpha, inn="")
    text = page(staff, f"/billing/invoices/{row.pk}/")
    assert "ИНН" in text
    assert f"/billing/invoices/{row.pk}/issue/" not in text
    assert f"/billing/invoices/{dear.pk}/issue/" not in page(staff, f"/billing/invoices/{dear.pk}/")
    for pk in (row.pk, dear.pk):
        assert staff.post(f"/billing/invoices/{pk}/issue/").status_code == 302
    assert not Invoice.objects.exclude(number=None).exists()


def test_an_invoice_shows_its_payments_credit_notes_what_is_owed_and_its_history(
    staff: Client, alpha: Company
) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    payments.enter(who=WHO, company=alpha, amount=Decimal("400.00"), paid_on=JULY, document="77", purpose="")
    credit(who=WHO, invoice=row, amount=Decimal("100.00"), reason="Перерыв <b>", today=JULY)
    text = page(staff, f"/billing/invoices/{row.pk}/")
    for part in (
        "№ <bdi>77</bdi>",
        "−400,00 ₽",
        "КС-2026/000001",
        "−100,00 ₽",
        "Перерыв &lt;b&gt;",
        "1 000,00 ₽",
    ):
        assert part in text
    for words in ("выставлен счёт", "возвращены деньги"):
        assert words in text
    assert text.count("<time") == 3


def test_taking_back_wants_a_reason_and_happens_once(staff: Client, alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    assert staff.post(f"/billing/invoices/{row.pk}/void/", {"reason": ""}).status_code == 422
    assert staff.post(f"/billing/invoices/{row.pk}/void/", {"reason": "Не те реквизиты"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.void_reason) == ("void", "Не те реквизиты")
    assert staff.post(f"/billing/invoices/{row.pk}/void/", {"reason": "Ещё раз"}).status_code == 422


def test_a_credit_sent_twice_is_given_once_and_too_much_is_refused(staff: Client, alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    form = {"amount": "1 000,50", "reason": "Перерыв", "mark": uuid.uuid4().hex}
    for _ in range(2):
        assert staff.post(f"/billing/invoices/{row.pk}/credit/", form).status_code == 302
    assert CreditNote.objects.get().amount == Decimal("1000.50")
    more = {**form, "amount": "500", "mark": uuid.uuid4().hex}
    assert staff.post(f"/billing/invoices/{row.pk}/credit/", more).status_code == 422
    assert staff.post(f"/billing/invoices/{row.pk}/credit/", {**more, "amount": "abc"}).status_code == 422
    assert CreditNote.objects.count() == 1


def test_papers_come_as_pdf_and_are_kept_by_nobody(staff: Client, alpha: Company) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    note = credit(who=WHO, invoice=row, amount=Decimal(1), reason="Перерыв", today=JULY)
    for path in (f"invoices/{row.pk}/pdf/", f"invoices/{row.pk}/act/", f"credits/{note.pk}/pdf/"):
        answer = staff.get(f"/billing/{path}")
        assert answer.content.startswith(b"%PDF-")
        assert answer["Content-Type"] == "application/pdf"
        assert "no-store" in answer["Cache-Control"]
        assert re.fullmatch(r'inline; filename="[a-zA-Z0-9-]+\.pdf"', answer["Content-Disposition"])


def test_the_table_taken_along_has_numbers_and_no_formulas(
    staff: Client, alpha: Company, beta: Company
) -> None:
    of = subscribe(alpha)
    account(alpha, legal_name='=HYPERLINK("http://x")')
    finalise(who=WHO, invoice=draft(of), today=JULY)
    draft(subscribe(beta))
    rows = list(
        load_workbook(BytesIO(staff.get("/billing/invoices/invoices.xlsx?state=issued").content)).active
    )
    assert len(rows) == 2
    cells = {head.value: cell for head, cell in zip(rows[0], rows[1], strict=True)}
    assert cells["Итого, ₽"].value == 1500
    assert cells["Плательщик"].value == '=HYPERLINK("http://x")'
    assert cells["Плательщик"].data_type == "s"
    assert cells["ИНН"].value == "7707083893"


def test_the_file_for_1c_holds_what_of_the_list_is_issued(
    staff: Client, alpha: Company, beta: Company
) -> None:
    finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    draft(subscribe(beta))
    answer = staff.get("/billing/invoices/1c.xml")
    assert answer["Content-Type"].startswith("application/xml")
    assert answer.content.decode().count("<Документ>") == 2
    assert staff.get(f"/billing/invoices/1c.xml?company={beta.pk}").content.decode().count("<Документ>") == 0
    assert Act.objects.filter(verb="invoice.export").count() == 2


def test_all_drafts_of_the_list_are_issued_as_they_were_shown(
    staff: Client, alpha: Company, beta: Company
) -> None:
    of = subscribe(alpha)
    draft(of)
    text = page(staff, "/billing/invoices/?month=2026-06")
    found = re.search(r'name="shown" value="([^"]+)"', text)
    assert found is not None
    assert "Выставить 1 черновик, 1 500,00 ₽" in text
    late = draft(subscribe(beta))
    form = {"month": "2026-06", "shown": found[1]}
    answer = staff.post("/billing/invoices/issue/", form, follow=True)
    assert not Act.objects.filter(verb=batches.VERB).exists()
    assert "изменился" in answer.content.decode()
    late.lines.update(amount=None, net=None, vat=None)
    late.state, late.total, late.vat = InvoiceState.NEEDS_APPROVAL, None, None
    late.save()
    answer = staff.post("/billing/invoices/issue/", form)
    act = Act.objects.get(verb=batches.VERB)
    assert answer["Location"] == f"/billing/invoices/issue/{act.pk}/"
    assert "0 из 1" in page(staff, f"/billing/invoices/issue/{act.pk}/")
    batches.carry_out(act.pk)
    batches.carry_out(act.pk)
    done = page(staff, f"/billing/invoices/issue/{act.pk}/")
    assert "1 из 1" in done
    assert "hx-trigger" not in done
    assert Invoice.objects.filter(state=InvoiceState.FINALISED).count() == 1


def test_a_batch_says_why_some_were_refused_and_goes_on_when_it_is_mended(
    staff: Client, alpha: Company, beta: Company
) -> None:
    rows = [draft(subscribe(alpha)), draft(subscribe(beta))]
    account(beta, inn="")
    act = batches.request(who=WHO, invoices=[row.pk for row in rows])
    batches.carry_out(act.pk)
    text = page(staff, f"/billing/invoices/issue/{act.pk}/")
    assert "1 из 2" in text
    assert "реквизиты плательщика" in text
    account(beta)
    batches.carry_out(act.pk)
    found = batches.progress(act.pk, now=datetime(2026, 7, 5, tzinfo=UTC))
    assert (found.issued, found.refused, found.moving) == (2, [], False)


def test_a_batch_whose_worker_died_says_so(staff: Client, alpha: Company) -> None:
    act = batches.request(who=WHO, invoices=[draft(subscribe(alpha)).pk])
    soon, late = (batches.progress(act.pk, now=act.at + timedelta(seconds=after)) for after in (30, 90))
    assert (soon.moving, soon.silent) == (True, False)
    assert (late.moving, late.silent) == (False, True)


def test_a_line_says_what_was_counted_and_the_arithmetic(staff: Client, alpha: Company) -> None:
    key = handled(alpha, (moscow(2026, 6, 12, 14), moscow(2026, 6, 12, 15)), customer="79990001122")
    details: dict[str, object] = {
        "measure": "calls", "measured": 6, "at": "2026-06-12T11:00:00.000001+00:00", "keys": [key, "gone"],
        "bounds": [6, 15], "vat_mode": "included",
    }  # fmt: skip
    row = draft(subscribe(alpha), rows=[("1500.00", "22")], details=details)
    row.lines.update(share_days=15, unit_price=Decimal(3000), quantity=6)
    text = page(staff, f"/billing/invoices/{row.pk}/")
    for part in (
        "12.06.2026 14:00:00.000001", "6–15", "3 000,00 ₽ × 15/30 = 1 500,00 ₽", "1 500,00 ₽ × 22/122 = 270,49 ₽",
        key, "12.06.2026 14:00:00–15:00:00", "ещё 4",
    ):  # fmt: skip
        assert part in text, part
    assert "79990001122" not in text


def test_further_profiles_explain_themselves_as_people_would(alpha: Company) -> None:
    row = draft(
        subscribe(alpha, "per_profile"), rows=[("125.00", "22")],
        details={"measure": "profiles", "measured": 4, "included": 3, "keys": ["1", "2", "3", "4"]},
    )  # fmt: skip
    row.lines.update(kind="further_profiles", share_days=15, unit_price=Decimal(250), quantity=1)
    one = explained.explained_lines(row)[0]
    assert one.formula.replace("\u00a0", " ") == "4 профиля − 3 включено = 1 × 250,00 ₽ × 15/30 = 125,00 ₽"
    assert explained.behind(one, {}, zone="Europe/Moscow")[0].text == "профиль мониторинга № 1"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_a_companys_people_find_none_of_it(role: Role, alpha: Company, public_client: Client) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    theirs, user = signed_in("alpha", role)
    before = (Invoice.objects.values_list("state", flat=True)[0], Act.objects.count())
    for path in (
        "invoices/invoices.xlsx", "invoices/1c.xml", "invoices/issue/", "invoices/issue/1/",
        f"invoices/{row.pk}/issue/", f"invoices/{row.pk}/void/", f"invoices/{row.pk}/credit/",
    ):  # fmt: skip
        for ask in (theirs.get, theirs.post):
            assert ask(f"/billing/{path}").status_code in (403, 404, 405)
        # On the platform's host they are nobody: their session is of another host.
        for ask in (public_client.get, public_client.post):
            assert ask(f"/billing/{path}").status_code in (302, 403)
    assert (Invoice.objects.values_list("state", flat=True)[0], Act.objects.count()) == before
    assert user.company == "alpha"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.MANAGER])
def test_a_role_of_a_company_on_the_platforms_host_would_still_be_refused(role: Role, alpha: Company) -> None:
    row = draft(subscribe(alpha))
    client, user = signed_in_staff()
    User.objects.filter(pk=user.pk).update(role=role)  # no service would make such a person
    for path in ("invoices/", "invoices/1c.xml", "invoices/invoices.xlsx", f"invoices/{row.pk}/"):
        assert client.get(f"/billing/{path}").status_code in (302, 403)
    for path in ("issue/", f"{row.pk}/issue/", f"{row.pk}/void/", f"{row.pk}/credit/"):
        assert client.post(f"/billing/invoices/{path}").status_code in (302, 403)
    row.refresh_from_db()
    assert row.state == InvoiceState.DRAFT


def test_reading_changes_nothing_and_writing_is_no_get(staff: Client, alpha: Company) -> None:
    row = draft(subscribe(alpha))
    for path in ("issue/", f"{row.pk}/issue/", f"{row.pk}/void/", f"{row.pk}/credit/"):
        assert staff.get(f"/billing/invoices/{path}").status_code == 405
    assert staff.get("/billing/invoices/999999/").status_code == 404
    assert staff.get("/billing/invoices/issue/999999/").status_code == 404


def test_the_letter_with_the_papers_goes_out_once_in_the_companys_language(
    alpha: Company, beta: Company
) -> None:
    row = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    finalise(who=WHO, invoice=draft(subscribe(beta)), today=JULY)
    assert invoice_letters.send(row.pk) == ["pay@alpha.example"]
    assert invoice_letters.send(row.pk) == []
    assert len(mail.outbox) == 1
    letter = mail.outbox[0]
    assert "Счёт № СЧ-2026/000001" in letter.subject
    assert "14.07.2026" in letter.body
    names = [attached[0] for attached in letter.attachments]
    assert names == ["СЧ-2026-000001.pdf", "СЧ-2026-000001-akt.pdf"]
    assert all(attached[1].startswith(b"%PDF-") for attached in letter.attachments)


def test_a_letter_whose_message_was_lost_is_found_again(alpha: Company, beta: Company) -> None:
    one = finalise(who=WHO, invoice=draft(subscribe(alpha)), today=JULY)
    two = finalise(who=WHO, invoice=draft(subscribe(beta)), today=JULY)
    invoice_letters.send(one.pk)
    assert two.finalised_at is not None
    assert invoice_letters.unsent(now=two.finalised_at + timedelta(minutes=1)) == []
    assert invoice_letters.unsent(now=two.finalised_at + timedelta(minutes=11)) == [two.pk]
    assert invoice_letters.unsent(now=two.finalised_at + timedelta(days=3)) == []


def test_a_draft_is_never_sent(alpha: Company) -> None:
    assert invoice_letters.send(draft(subscribe(alpha)).pk) == []
    assert mail.outbox == []


def test_a_queue_that_is_away_is_said_and_the_request_stays(staff: Client, alpha: Company) -> None:
    act = batches.request(who=WHO, invoices=[draft(subscribe(alpha)).pk])
    path = f"/billing/invoices/issue/{act.pk}/again/"
    with patch("celery.app.task.Task.apply_async", side_effect=OperationalError("away")):
        answer = staff.post(path, follow=True)
    text = answer.content.decode()
    assert "Очередь фоновых задач недоступна" in text
    with patch("celery.app.task.Task.apply_async") as queued:
        assert staff.post(path).status_code == 302
    queued.assert_called_once_with((act.pk,), retry=False)
    assert staff.post("/billing/invoices/issue/999999/again/").status_code == 404


def test_the_tasks_do_once_what_they_are_given_twice(alpha: Company, beta: Company) -> None:
    act = batches.request(who=WHO, invoices=[draft(subscribe(one)).pk for one in (alpha, beta)])
    for _ in range(2):
        finalise_batch(act.pk)
    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    assert numbers == [1, 2]
    for _ in range(2):
        for invoice in Invoice.objects.all():
            send_invoice(invoice.pk)
    assert sorted(letter.to[0] for letter in mail.outbox) == ["pay@alpha.example", "pay@beta.example"]

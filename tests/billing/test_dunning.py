"""Reminders go out on their days by the payer's calendar, each once, in the payer's language, to nobody else."""

from __future__ import annotations

import smtplib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from billing.models import Act, Invoice, Reminder
from billing.services import dunning, letters, payments
from billing.services.acts import TIMETABLE
from billing.tasks.dunning import remind_company, remind_debtors
from tenants.models import Company
from tenants.people.models import Role
from tenants.scope import company_scope
from tests.factories import money
from tests.factories.people import person

pytestmark = pytest.mark.django_db
DUE = date(2026, 7, 14)


@pytest.fixture
def owing(alpha: Company, beta: Company) -> Invoice:
    """Alpha owes 1500.00 due on 14 July; beta has paid the same."""
    mine = money.issued_invoice(money.subscribe(alpha))
    money.issued_invoice(money.subscribe(beta))
    payments.enter(
        who=TIMETABLE, company=beta, amount=Decimal("1500.00"), paid_on=DUE, document="1", purpose=""
    )
    assert mine.due_on == DUE
    return mine


def day(late: int, hour: int = 12) -> datetime:
    """Moscow's clock, ``late`` days after the day it was due."""
    return datetime(2026, 7, 14, hour - 3, tzinfo=UTC) + timedelta(days=late)


def told() -> list[list[str]]:
    found = [letter.to for letter in mail.outbox]
    mail.outbox.clear()
    return found


def test_a_letter_goes_out_on_each_of_its_days_and_on_no_other(owing: Invoice) -> None:
    letters_by_day = {late: dunning.remind(now=day(late)) for late in range(-1, 40)}
    assert [late for late, sent in letters_by_day.items() if sent] == [1, 5, 10]
    assert told() == [["pay@alpha.example"]] * 3
    assert list(Reminder.objects.values_list("invoice", "day", "sent_to")) == [
        (owing.pk, late, "pay@alpha.example") for late in (1, 5, 10)
    ]


def test_asked_many_times_a_day_it_writes_once(owing: Invoice) -> None:
    assert [dunning.remind(now=day(1, hour)) for hour in (3, 9, 12, 23)] == [1, 0, 0, 0]


def test_the_day_is_the_payers(owing: Invoice, beta: Company) -> None:
    at = datetime(2026, 7, 14, 20, 59, tzinfo=UTC)  # 23:59 in Moscow
    assert dunning.remind(now=at) == 0
    assert dunning.remind(now=at + timedelta(minutes=1)) == 1


def test_in_vladivostok_it_is_late_seven_hours_earlier(alpha: Company, beta: Company) -> None:
    money.issued_invoice(money.subscribe(alpha, zone="Asia/Vladivostok"))
    money.issued_invoice(money.subscribe(beta, zone="America/New_York"))
    at = datetime(2026, 7, 14, 14, 0, tzinfo=UTC)
    assert (dunning.remind(now=at - timedelta(minutes=1)), dunning.remind(now=at)) == (0, 1)
    assert told() == [["pay@alpha.example"]]
    assert dunning.remind(now=datetime(2026, 7, 15, 3, 59, tzinfo=UTC)) == 0
    assert dunning.remind(now=datetime(2026, 7, 15, 4, 0, tzinfo=UTC)) == 1
    assert told() == [["pay@beta.example"]]


def test_after_a_pause_one_letter_makes_up_for_all(owing: Invoice) -> None:
    assert dunning.remind(now=day(7)) == 1
    assert list(Reminder.objects.values_list("day", "sent_to")) == [(1, ""), (5, "pay@alpha.example")]
    assert dunning.remind(now=day(8)) == 0


def test_who_pays_hears_no_more(owing: Invoice, alpha: Company) -> None:
    dunning.remind(now=day(1))
    payments.enter(
        who=TIMETABLE, company=alpha, amount=Decimal("1500.00"), paid_on=DUE, document="9", purpose=""
    )
    assert dunning.remind(now=day(5)) == 0


def test_a_letter_says_how_much_and_where_to_pay_in_the_payers_language(
    owing: Invoice, alpha: Company
) -> None:
    payments.enter(
        who=TIMETABLE, company=alpha, amount=Decimal("500.00"), paid_on=DUE, document="9", purpose=""
    )
    dunning.remind(now=day(1))
    (letter,) = mail.outbox
    assert letter.subject == "Напоминание: счёт № СЧ-2026/000001 на 1 500,00 ₽ не оплачен"
    for words in (
        "1\u00a0000,00\u00a0₽", "14 июля 2026", "40702810900000000001", "044525225", "ООО «Связь»", "29 июля 2026",
        "13 августа 2026", "http", "alpha.localhost", "/billing/",
    ):  # fmt: skip
        assert words in letter.body, words
    assert "&" not in letter.body
    Company.objects.filter(pk=alpha.pk).update(language="en")
    mail.outbox.clear()
    dunning.remind(now=day(5))
    assert mail.outbox[0].subject == "Reminder: invoice No. СЧ-2026/000001 for ₽1,500.00 is not paid"
    assert "13 August 2026" in mail.outbox[0].body


def test_without_an_address_of_its_own_every_admin_of_the_company_is_written_to(
    owing: Invoice, alpha: Company
) -> None:
    money.account(alpha, email="")
    with company_scope("alpha"):
        person(Role.ADMIN, email="a@alpha.example")
        person(Role.ADMIN, email="b@alpha.example")
        person(Role.SUPERVISOR, email="s@alpha.example")
        gone = person(Role.ADMIN, email="gone@alpha.example")
        gone.is_active = False
        gone.save()
    with company_scope("beta"):
        person(Role.ADMIN, email="a@beta.example")
    assert dunning.remind(now=day(1)) == 2
    assert told() == [["a@alpha.example"], ["b@alpha.example"]]


def test_a_dead_mail_server_is_no_failure_and_the_next_look_tries_again(
    owing: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(self: EmailBackend, messages: object) -> int:
        raise smtplib.SMTPServerDisconnected("gone")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", dead)
        assert dunning.remind(now=day(1)) == 0
    assert not Reminder.objects.exists()
    assert Act.objects.get(verb="invoice.remind").done is False
    assert dunning.remind(now=day(1, 15)) == 1


def test_what_dies_before_the_letter_does_not_send_it_twice(
    owing: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**_words: object) -> list[str]:
        raise SystemExit  # kill -9 between the row and the letter

    with monkeypatch.context() as patch:
        patch.setattr(letters, "send", killed)
        with pytest.raises(SystemExit):
            dunning.remind(now=day(1))
    assert list(Reminder.objects.values_list("day", "sent_to")) == [(1, "")]
    assert dunning.remind(now=day(2)) == 0
    assert dunning.remind(now=day(5)) == 1


def test_a_name_with_a_line_break_writes_no_header(alpha: Company) -> None:
    money.account(alpha)
    sent = letters.send(company=alpha, subject="Счёт\r\nBcc: all@beta.example", text="…")
    assert sent == ["pay@alpha.example"]
    assert mail.outbox[0].subject == "Счёт Bcc: all@beta.example"
    assert mail.outbox[0].recipients() == ["pay@alpha.example"]


def test_the_timetable_writes_to_each_late_company_once(
    owing: Invoice, alpha: Company, beta: Company
) -> None:
    assert dunning.late_companies(now=day(1)) == [alpha.pk]
    # The tasks ask the machine's clock: long after the day in any year a test may run in.
    remind_debtors()
    remind_company(alpha.pk)
    remind_company(beta.pk)
    assert told() == [["pay@alpha.example"]]

"""A bank's file is read whole or refused with its line; whatever its encoding, and whatever was put into it."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import bank
from billing.domain.bank import BadStatement, Document, Problem, read
from billing.domain.purpose import names, numbers_in
from tests.factories.bank import SELLERS_ACCOUNT, document, statement_file

NUMBER = "СЧ-2026/000015"


def one(**fields: str) -> Document:
    (found,) = read(statement_file(document(**fields))).documents
    return found


@pytest.mark.parametrize("encoding", ["cp1251", "cp866", "utf-8", "utf-8-sig"])
def test_a_file_is_read_in_each_encoding_banks_use(encoding: str) -> None:
    found = read(statement_file(document(name="ООО «Ёлка и Ко»", purpose="Счёт № 15"), encoding=encoding))
    assert found.accounts == (SELLERS_ACCOUNT,)
    assert (found.begins_on, found.ends_on) == (date(2026, 7, 1), date(2026, 7, 31))
    (paid,) = found.documents
    assert (paid.number, paid.dated, paid.amount) == ("7", date(2026, 7, 20), Decimal("1500.00"))
    assert paid.payer_name == ("ООО ?Ёлка и Ко?" if encoding == "cp866" else "ООО «Ёлка и Ко»")
    assert (paid.payer_inn, paid.payer_kpp) == ("7707083893", "770701001")
    assert paid.payee_account == SELLERS_ACCOUNT
    assert "№" in paid.purpose


def test_bytes_decide_not_what_the_file_claims() -> None:
    claimed = statement_file(document(purpose="Счёт")).replace(b"Windows", b"DOS")
    assert read(claimed).documents[0].purpose == "Счёт"


def test_a_purpose_comes_whole_in_parts_or_broken_into_lines() -> None:
    parts = "услуги\r\nНазначениеПлатежа1=по счету\r\nНазначениеПлатежа2=№ 15"
    assert one(purpose=parts).purpose == "услуги"
    assert (
        one(purpose="\r\nНазначениеПлатежа1=по счету\r\nНазначениеПлатежа2=№ 15").purpose == "по счету № 15"
    )
    assert one(purpose="по счету\r\n№ 15").purpose == "по счету № 15"


def test_the_day_money_arrived_counts() -> None:
    assert one(arrived="22.07.2026").paid_on == date(2026, 7, 22)
    assert one(arrived="\r").paid_on == date(2026, 7, 20)


def test_the_inn_is_not_part_of_a_name() -> None:
    text = statement_file(document()).decode("cp1251").replace("Плательщик1=", "Плательщик9=")
    assert read(text.encode("cp1251")).documents[0].payer_name == "ООО «Альфа»"


@pytest.mark.parametrize(
    ("written", "amount"),
    [("1", "1.00"), ("1,5", "1.50"), ("0.01", "0.01"), ("999999999999.99", "999999999999.99")],
)
def test_amounts_are_exact(written: str, amount: str) -> None:
    assert str(one(amount=written).amount) == amount


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("1CClientBankExchange", "1CClientBankExchang", Problem.NOT_A_STATEMENT),
        ("КонецФайла", "", Problem.CUT_OFF),
        ("КонецДокумента\r\n", "", Problem.NOT_CLOSED),
        ("СекцияДокумент=Платежное поручение\r\n", "", Problem.NOT_OPENED),
        ("КонецРасчСчет", "КонецДокумента", Problem.NOT_OPENED),
        ("Дата=20.07.2026", "Дата=31.02.2026", Problem.BAD_DAY),
        ("Дата=20.07.2026", "Дата=2026-07-20", Problem.BAD_DAY),
        ("Дата=20.07.2026", "Дата=", Problem.MISSING),
        ("Сумма=1500.00", "Сумма=", Problem.MISSING),
        ("Сумма=1500.00", "Сумма=-1500.00", Problem.BAD_AMOUNT),
        ("Сумма=1500.00", "Сумма=0.00", Problem.BAD_AMOUNT),
        ("Сумма=1500.00", "Сумма=1500.001", Problem.BAD_AMOUNT),
        ("Сумма=1500.00", "Сумма=NaN", Problem.BAD_AMOUNT),
        ("Сумма=1500.00", "Сумма=1e3", Problem.BAD_AMOUNT),
        ("Сумма=1500.00", "Сумма=1500.00\r\nСумма=9000.00", Problem.SAID_TWICE),
        ("Отправитель=Банк", "Отправитель", Problem.NOT_UNDERSTOOD),
        ("Номер=7", "Номер=7\r\nи ещё", Problem.NOT_UNDERSTOOD),
        ("КонецФайла", "КонецФайла\r\nСекцияДокумент=Платежное поручение", Problem.AFTER_THE_END),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, problem: Problem) -> None:
    text = statement_file(document()).decode("cp1251")
    assert old in text
    broken = text.replace(old, new, 1)
    with pytest.raises(BadStatement) as refused:
        read(broken.encode("cp1251"))
    assert refused.value.problem == problem
    assert 1 <= refused.value.line <= broken.count("\n") + 2


def test_the_line_is_the_one_an_editor_shows() -> None:
    with pytest.raises(BadStatement) as refused:
        read(statement_file(document(), document(amount="тысяча")))
    lines = statement_file(document(), document(amount="тысяча")).decode("cp1251").split("\r\n")
    assert lines[refused.value.line - 1] == "Сумма=тысяча"
    assert refused.value.what == "тысяча"


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "MOST_BYTES", 1000)
    with pytest.raises(BadStatement) as refused:
        read(b"1CClientBankExchange\r\n" * 100)
    assert refused.value.problem == Problem.TOO_BIG
    monkeypatch.undo()
    monkeypatch.setattr(bank, "MOST_DOCUMENTS", 2)
    with pytest.raises(BadStatement) as refused:
        read(statement_file(*[document()] * 3))
    assert refused.value.problem == Problem.TOO_BIG


def test_names_of_ten_kilobytes_and_marks_that_turn_text_are_tamed() -> None:
    found = one(name="\u202eх\x07" * 5000, purpose="=HYPERLINK(1)\u2066" * 2000, number="№" * 900)
    assert (len(found.payer_name), len(found.purpose), len(found.number)) <= (250, 500, 40)
    assert found.payer_name.isprintable()
    assert found.purpose.isprintable()


@given(st.binary(max_size=400))
def test_no_bytes_at_all_do_harm(data: bytes) -> None:
    with suppress(BadStatement):
        read(data)
    with suppress(BadStatement):
        read(b"1CClientBankExchange\n" + data + "\nКонецФайла".encode("cp1251"))


LINES = st.sampled_from(
    [
        *statement_file(document()).decode("cp1251").split("\r\n"),
        "", "=", "Сумма=1", "Сумма=x", "РасчСчет=1", "СекцияДокумент=", "СекцияРасчСчет", "Дата=01.01.2026",
        "НазначениеПлатежа",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=40))
def test_shuffled_lines_are_a_whole_statement_or_an_error(lines: list[str]) -> None:
    data = "\n".join(["1CClientBankExchange", *lines]).encode("cp1251")
    found = None
    with suppress(BadStatement):
        found = read(data)
    if found is not None:
        assert len(found.documents) == sum(line.startswith("СекцияДокумент") for line in lines)
        assert all(paid.amount > 0 for paid in found.documents)


TEXTS = st.text(
    st.characters(codec="cp1251", exclude_characters="\r\n\x1a\x00", exclude_categories=["Cc"]), max_size=60
)


@given(name=TEXTS, purpose=TEXTS, kopecks=st.integers(1, 10**13))
def test_what_was_written_is_what_is_read(name: str, purpose: str, kopecks: int) -> None:
    whole = f"{kopecks // 100}.{kopecks % 100:02}"
    found = one(name=f"А{name}", purpose=f"А{purpose}", amount=whole)
    assert found.amount == Decimal(whole)
    assert found.payer_name == bank.plain(f"А{name}", 250)
    assert found.purpose == bank.plain(f"А{purpose}", 500)


# ------------------------------------------------------------------------------------------------ the purpose
@pytest.mark.parametrize(
    "purpose",
    [
        "Оплата по счету СЧ-2026/000015 от 04.07.2026 г.",
        "оплата счёта сч 2026 / 15",
        "СЧ2026/000015",
        "Оплата счета №СЧ–2026–15, в т.ч. НДС 22% 270-49",
        "cч-2026/15",  # a Latin c
        "По счету № 15 от 04.07.2026",
        "счет N 00015",
        "счет 2026/15",
        "Invoice no. 15",
        "Счет: 15",
    ],
)
def test_a_number_is_found_however_people_write_it(purpose: str) -> None:
    assert names(purpose, NUMBER)
    assert 15 in numbers_in(purpose)


@pytest.mark.parametrize(
    "purpose",
    [
        "", "за услуги связи 15", "НДС 15%", "сумма 15.00", "№ 151", "№ 115", "СЧ-2025/000015", "СЧ-2026/000151",
        "КС-2026/000015", "оплата 15.07.2026", "от 2026-07-15", "счет 2025/15", "№ 1 5",
    ],
)  # fmt: skip
def test_other_numbers_days_and_shares_are_not_the_number(purpose: str) -> None:
    assert not names(purpose, NUMBER)


@given(st.text(max_size=200))
def test_a_number_is_found_wherever_it_stands(around: str) -> None:
    said = f"{around} по счёту {NUMBER} {around}"
    assert names(said, NUMBER)
    assert 15 in numbers_in(said)

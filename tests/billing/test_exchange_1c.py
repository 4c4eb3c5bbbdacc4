"""The file for 1С: the sequence the published schema wants, money that adds up, and nothing that breaks the XML."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from billing.models import Invoice
from billing.services.acts import Who
from billing.services.exchange_1c import NAMESPACE, commerce_ml
from billing.services.invoices import finalise, void
from tenants.models import Company
from tests.factories.money import account, subscribe
from tests.factories.papers import draft

pytestmark = pytest.mark.django_db
WHO = Who("Бухгалтер", "platform")
JULY = date(2026, 7, 4)
MADE = datetime(2026, 7, 5, 12, 30, tzinfo=UTC)
C = f"{{{NAMESPACE}}}"
# CommerceML 2.10, the parts we write: child elements in the order of the schema; True: it must be there.
SEQUENCES = {
    "Документ": {
        "Ид": True, "Номер": True, "Дата": True, "ХозОперация": True, "Роль": True, "Валюта": True, "Курс": True,
        "Сумма": True, "Контрагенты": True, "Время": False, "СрокПлатежа": False, "Комментарий": False,
        "Налоги": False, "Товары": False, "ЗначенияРеквизитов": False,
    },
    "Контрагент": {
        "Ид": False, "Наименование": False, "ОфициальноеНаименование": False, "ЮридическийАдрес": False,
        "ИНН": False, "КПП": False, "Роль": True,
    },
    "Товар": {
        "Ид": False, "Наименование": False, "БазоваяЕдиница": False, "СтавкиНалогов": False,
        "ЗначенияРеквизитов": False, "ЦенаЗаЕдиницу": False, "Количество": False, "Сумма": False, "Налоги": False,
    },
    "Налог": {"Наименование": True, "УчтеноВСумме": False, "Сумма": True, "Ставка": False},
    "СтавкаНалога": {"Наименование": True, "Ставка": True},
    "ЗначениеРеквизита": {"Наименование": True, "Значение": True},
    "ЮридическийАдрес": {"Представление": True},
}  # fmt: skip


def written(*invoices: Invoice) -> ET.Element:
    return ET.fromstring(commerce_ml(invoices, made_at=MADE))  # noqa: S314 - our own file


def text(parent: ET.Element, path: str) -> str:
    return parent.findtext("/".join(C + name for name in path.split("/")), default="")


def documents(root: ET.Element) -> list[ET.Element]:
    return root.findall(f"{C}Документ")


def issued(company: Company, rows: list[tuple[str, str]] | None = None) -> Invoice:
    return finalise(who=WHO, invoice=draft(subscribe(company), rows=rows or [("1500.00", "22")]), today=JULY)


def test_every_element_stands_in_the_order_of_the_schema(alpha: Company, beta: Company) -> None:
    root = written(issued(alpha), issued(beta, [("1500.00", "22"), ("300.00", "20"), ("100.00", "")]))
    assert root.tag == f"{C}КоммерческаяИнформация"
    assert (root.get("ВерсияСхемы"), root.get("ДатаФормирования")) == ("2.10", "2026-07-05T12:30:00")
    met = set()
    for element in root.iter():
        name = element.tag.removeprefix(C)
        wanted = SEQUENCES.get(name)
        if wanted is None:
            continue
        met.add(name)
        children = [child.tag.removeprefix(C) for child in element]
        known = list(wanted)
        assert all(child in wanted for child in children), (name, children)
        assert children == sorted(children, key=known.index), name
        assert all(child in children for child, must in wanted.items() if must), name
    assert met == set(SEQUENCES)


def test_each_issued_invoice_is_a_bill_and_a_delivery_between_the_two_sides(alpha: Company) -> None:
    bill, act = documents(written(issued(alpha)))
    assert [text(one, "ХозОперация") for one in (bill, act)] == ["Счет на оплату", "Отпуск товара"]
    assert [text(one, "Дата") for one in (bill, act)] == ["2026-07-04", "2026-06-30"]
    assert [text(one, "СрокПлатежа") for one in (bill, act)] == ["2026-07-14", ""]
    assert text(bill, "Номер") == text(act, "Номер") == "СЧ-2026/000001"
    seller, buyer = bill.findall(f"{C}Контрагенты/{C}Контрагент")
    assert (text(seller, "Роль"), text(seller, "ИНН"), text(seller, "КПП")) == (
        "Продавец", "7736050003", "773601001",
    )  # fmt: skip
    assert (text(buyer, "Роль"), text(buyer, "ИНН"), text(buyer, "Наименование")) == (
        "Покупатель", "7707083893", "ООО «Альфа»",
    )  # fmt: skip
    assert text(buyer, "ЮридическийАдрес/Представление") == "101000, Москва, ул. Первая, 1"


def test_money_and_taxes_add_up_in_every_document(alpha: Company) -> None:
    row = issued(alpha, [("1500.00", "22"), ("300.00", "20"), ("100.00", "")])
    for document in documents(written(row)):
        goods = document.findall(f"{C}Товары/{C}Товар")
        amounts = [Decimal(text(item, "Сумма")) for item in goods]
        prices = [Decimal(text(item, "ЦенаЗаЕдиницу")) * int(text(item, "Количество")) for item in goods]
        assert amounts == prices
        assert sum(amounts) == Decimal(text(document, "Сумма")) == row.total
        taxes = [Decimal(text(tax, "Сумма")) for tax in document.findall(f"{C}Налоги/{C}Налог")]
        assert sum(taxes) == row.vat
        rates = [text(item, "СтавкиНалогов/СтавкаНалога/Ставка") for item in goods]
        assert rates == ["22", "20", "Без НДС"]


def test_what_is_not_issued_is_left_out(alpha: Company, beta: Company) -> None:
    gone = void(who=WHO, invoice=issued(alpha), reason="Ошибка")
    assert documents(written(gone, draft(subscribe(beta)))) == []


def test_hostile_names_stay_text(alpha: Company) -> None:
    name = "</Наименование><Взлом/>&amp;\"'<![CDATA[ \ud83d\ude00]]>".encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16")
    of = subscribe(alpha)
    account(alpha, legal_name=name + "\x00\x1b\u202e"[1:])
    row = finalise(who=WHO, invoice=draft(of, title="=cmd|' /C calc'!A0 & <b>"), today=JULY)
    root = written(row)
    assert root.find(f".//{C}Взлом") is None
    buyer = documents(root)[0].findall(f"{C}Контрагенты/{C}Контрагент")[1]
    assert text(buyer, "Наименование").startswith(name)
    assert "\x1b" not in text(buyer, "Наименование")
    assert text(documents(root)[0], "Товары/Товар/Наименование") == "=cmd|' /C calc'!A0 & <b>"


def test_the_same_invoice_has_the_same_identity_in_every_file(alpha: Company, beta: Company) -> None:
    one, other = issued(alpha), issued(beta)
    first = [text(document, "Ид") for document in documents(written(one))]
    again = [text(document, "Ид") for document in documents(written(one, other))]
    assert again[:2] == first
    assert len(set(again)) == 4

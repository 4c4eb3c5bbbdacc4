"""Issued invoices for 1С: an XML file of CommerceML 2, each as «Счет на оплату» and as «Отпуск товара» (the act).

Order and names of elements are those of the published schema (v8.1c.ru, commerceml 2.10): 1С reads a sequence, not a
bag. The sides are the copies of the invoice, so a file made again says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from django.conf import settings

from billing.domain.crediting import RateShare
from billing.domain.periods import DAY
from billing.models import Invoice, InvoiceLine
from billing.selectors import rates
from billing.selectors.balance import ISSUED
from billing.services.priced import priced

NAMESPACE = "urn:1C.ru:commerceml_2"
SCHEMA = "2.10"
LONGEST_NAME = 250
# What XML 1.0 cannot hold at all; escaping does not help.
_UNREADABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def commerce_ml(invoices: Iterable[Invoice], *, made_at: datetime) -> bytes:
    """UTF-8 with its declaration. Drafts and voided invoices are left out. ``made_at``: aware."""
    root = ET.Element("КоммерческаяИнформация")
    root.set("xmlns", NAMESPACE)
    root.set("ВерсияСхемы", SCHEMA)
    root.set("ДатаФормирования", f"{made_at:%Y-%m-%dT%H:%M:%S}")
    for invoice in invoices:
        if invoice.state in ISSUED:
            _document(root, invoice, "Счет на оплату", invoice.issued_on)
            _document(root, invoice, "Отпуск товара", invoice.period_end - DAY)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _document(root: ET.Element, invoice: Invoice, operation: str, day: date | None) -> None:
    assert day is not None
    assert invoice.total is not None
    document = ET.SubElement(root, "Документ")
    _add(document, "Ид", _id("document", str(invoice.pk), operation))
    _add(document, "Номер", invoice.full_number)
    _add(document, "Дата", day.isoformat())
    _add(document, "ХозОперация", operation)
    _add(document, "Роль", "Продавец")
    _add(document, "Валюта", "RUB")
    _add(document, "Курс", "1")
    _add(document, "Сумма", _money(invoice.total))
    sides = ET.SubElement(document, "Контрагенты")
    _side(sides, invoice.seller_copy, "Продавец", _id("seller", str(invoice.seller_id)))
    _side(sides, invoice.buyer_copy, "Покупатель", _id("company", str(invoice.company_id)))
    _add(document, "Время", "00:00:00")
    if operation == "Счет на оплату" and invoice.due_on is not None:
        _add(document, "СрокПлатежа", invoice.due_on.isoformat())
    last = invoice.period_end - DAY
    _add(document, "Комментарий", f"Услуги за период {invoice.period_start:%d.%m.%Y}–{last:%d.%m.%Y}")
    _taxes(document, rates.issued(invoice))
    goods = ET.SubElement(document, "Товары")
    # Sorted here, not by a query: the caller may have fetched the lines of all invoices at once.
    for line in sorted(invoice.lines.all(), key=lambda line: line.position):
        _goods(goods, line)


def _side(sides: ET.Element, copy: dict[str, str], role: str, identity: str) -> None:
    side = ET.SubElement(sides, "Контрагент")
    _add(side, "Ид", identity)
    _add(side, "Наименование", copy.get("legal_name", ""))
    _add(side, "ОфициальноеНаименование", copy.get("legal_name", ""))
    if copy.get("address"):
        _add(ET.SubElement(side, "ЮридическийАдрес"), "Представление", copy["address"])
    if copy.get("inn"):
        _add(side, "ИНН", copy["inn"])
    if copy.get("kpp"):
        _add(side, "КПП", copy["kpp"])
    _add(side, "Роль", role)


def _goods(goods: ET.Element, line: InvoiceLine) -> None:
    found = priced(line)
    assert found is not None
    item = ET.SubElement(goods, "Товар")
    _add(item, "Ид", _id("line", line.kind))
    _add(item, "Наименование", line.title_ru)
    unit = ET.SubElement(item, "БазоваяЕдиница")
    unit.set("Код", found.unit.code)
    unit.set("НаименованиеПолное", found.unit.full)
    unit.set("МеждународноеСокращение", found.unit.international)
    unit.text = found.unit.name.rstrip(".")
    rate = ET.SubElement(ET.SubElement(item, "СтавкиНалогов"), "СтавкаНалога")
    _add(rate, "Наименование", "НДС")
    _add(rate, "Ставка", _rate(line.vat_rate))
    details = ET.SubElement(item, "ЗначенияРеквизитов")
    for name in ("ВидНоменклатуры", "ТипНоменклатуры"):
        detail = ET.SubElement(details, "ЗначениеРеквизита")
        _add(detail, "Наименование", name)
        _add(detail, "Значение", "Услуга")
    _add(item, "ЦенаЗаЕдиницу", _money(found.price))
    _add(item, "Количество", str(found.quantity))
    _add(item, "Сумма", _money(found.amount))
    if line.vat_rate is not None and line.vat is not None:
        _taxes(item, [RateShare(line.vat_rate, found.amount, line.vat)])


def _taxes(parent: ET.Element, shares: list[RateShare]) -> None:
    taxed = [share for share in shares if share.rate is not None]
    if not taxed:
        return
    taxes = ET.SubElement(parent, "Налоги")
    for share in taxed:
        tax = ET.SubElement(taxes, "Налог")
        _add(tax, "Наименование", "НДС")
        _add(tax, "УчтеноВСумме", "true")
        _add(tax, "Сумма", _money(share.vat))
        _add(tax, "Ставка", _rate(share.rate))


def _add(parent: ET.Element, name: str, text: str) -> None:
    longest = LONGEST_NAME if name in ("Наименование", "ОфициальноеНаименование") else 3_000
    ET.SubElement(parent, name).text = _UNREADABLE.sub(" ", text)[:longest]


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _rate(rate: Decimal | None) -> str:
    return "Без НДС" if rate is None else f"{rate.normalize():f}"


def _id(*parts: str) -> str:
    """The same thing has the same identity in every file, so that 1С does not make it twice."""
    home = str(settings.PUBLIC_HOSTS[0]) if settings.PUBLIC_HOSTS else "ccenter"
    return str(uuid5(NAMESPACE_URL, "/".join((home, *parts))))

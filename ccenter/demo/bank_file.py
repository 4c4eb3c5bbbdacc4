"""A bank's statement as a file in the format banks and accounting programs exchange (1CClientBankExchange 1.03)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money that came to the statement's account."""

    number: str
    on: date
    amount: Decimal
    payer: str
    inn: str
    account: str
    purpose: str


def statement(*, account: str, transfers: Iterable[Transfer]) -> bytes:
    """In Windows-1251 with CR LF, as banks write it."""
    rows = sorted(transfers, key=lambda one: (one.on, one.number))
    days = [one.on for one in rows]
    lines = [
        "1CClientBankExchange", "ВерсияФормата=1.03", "Кодировка=Windows", "Отправитель=Банк", "Получатель=",
        f"ДатаНачала={min(days):%d.%m.%Y}", f"ДатаКонца={max(days):%d.%m.%Y}", f"РасчСчет={account}",
        "СекцияРасчСчет", f"ДатаНачала={min(days):%d.%m.%Y}", f"РасчСчет={account}", "КонецРасчСчет",
    ]  # fmt: skip
    for one in rows:
        lines += [
            "СекцияДокумент=Платёжное поручение", f"Номер={one.number}", f"Дата={one.on:%d.%m.%Y}",
            f"Сумма={one.amount:.2f}", f"ПлательщикСчет={one.account}", f"ДатаПоступило={one.on:%d.%m.%Y}",
            f"Плательщик=ИНН {one.inn} {one.payer}", f"ПлательщикИНН={one.inn}", f"Плательщик1={one.payer}",
            f"ПолучательСчет={account}", f"НазначениеПлатежа={one.purpose}", "КонецДокумента",
        ]  # fmt: skip
    return "\r\n".join([*lines, "КонецФайла", ""]).encode("cp1251", errors="replace")

"""Bank statements as text: what a bank's file looks like, with one thing changed at a time."""

from __future__ import annotations

SELLERS_ACCOUNT = "40702810900000000001"


def document(
    *,
    number: str = "7",
    dated: str = "20.07.2026",
    arrived: str = "",
    amount: str = "1500.00",
    name: str = "ООО «Альфа»",
    inn: str = "7707083893",
    payer_account: str = "40702810500000000123",
    payee: str = SELLERS_ACCOUNT,
    purpose: str = "Оплата услуг",
    encoding: str = "",
) -> str:
    """One payment order of a file. ``encoding`` is for the reader: the file's own decides."""
    return "\r\n".join(
        [
            "СекцияДокумент=Платежное поручение",
            f"Номер={number}",
            f"Дата={dated}",
            f"Сумма={amount}",
            f"ПлательщикСчет={payer_account}",
            f"Плательщик=ИНН {inn} {name}",
            f"ПлательщикИНН={inn}",
            f"Плательщик1={name}",
            "ПлательщикКПП=770701001",
            f"ПолучательСчет={payee}",
            f"ДатаПоступило={arrived or dated}",
            "Получатель=ООО Связь",
            f"НазначениеПлатежа={purpose}",
            "КонецДокумента",
        ]
    )


def statement_file(*documents: str, accounts: str = SELLERS_ACCOUNT, encoding: str = "cp1251") -> bytes:
    """A whole file. ``accounts``: separated by commas."""
    named = {"cp1251": "Windows", "cp866": "DOS"}.get(encoding, "UTF-8")
    lines = [
        "1CClientBankExchange",
        "ВерсияФормата=1.03",
        f"Кодировка={named}",
        "Отправитель=Банк",
        "ДатаСоздания=31.07.2026",
        "ДатаНачала=01.07.2026",
        "ДатаКонца=31.07.2026",
        *(f"РасчСчет={account}" for account in accounts.split(",") if account),
    ]
    for account in accounts.split(","):
        lines += [
            "СекцияРасчСчет",
            "ДатаНачала=01.07.2026",
            f"РасчСчет={account}",
            "НачальныйОстаток=0.00",
            "КонецРасчСчет",
        ]
    return "\r\n".join([*lines, *documents, "КонецФайла", ""]).encode(encoding, errors="replace")

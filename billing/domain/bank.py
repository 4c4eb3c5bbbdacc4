"""Bank statements as Russian banks and 1C exchange them: the text format 1CClientBankExchange, read strictly.

A file is believed whole or not at all: what is cut off, doubled or unreadable is an error with its line.
Format: v8.1c.ru/tekhnologii/obmen-dannymi-i-integratsiya/standarty-i-formaty (versions 1.01 to 1.03).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

MOST_BYTES = 16 * 2**20
MOST_DOCUMENTS = 50_000
_FIRST, _LAST = "1CClientBankExchange", "КонецФайла"
_DAY = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")
_AMOUNT = re.compile(r"(\d{1,12})(?:[.,](\d{1,2}))?")
# Keys we read; the rest of a document may repeat itself as it likes.
_PURPOSE = "НазначениеПлатежа"
_READ = {
    "Номер", "Дата", "Сумма", "ДатаПоступило", "ПлательщикСчет", "ПлательщикРасчСчет", "Плательщик", "Плательщик1",
    "ПлательщикИНН", "ПлательщикКПП", "ПолучательСчет", "ПолучательРасчСчет", _PURPOSE,
    *(f"{_PURPOSE}{n}" for n in range(1, 7)),
}  # fmt: skip


class Problem(Enum):
    """What can be wrong with a file; the words for people are the caller's."""

    TOO_BIG = "too_big"
    NOT_A_STATEMENT = "not_a_statement"
    NOT_UNDERSTOOD = "not_understood"
    CUT_OFF = "cut_off"
    NOT_CLOSED = "not_closed"
    NOT_OPENED = "not_opened"
    SAID_TWICE = "said_twice"
    MISSING = "missing"
    BAD_DAY = "bad_day"
    BAD_AMOUNT = "bad_amount"
    AFTER_THE_END = "after_the_end"


class BadStatement(ValueError):
    """``line``: 1 is the first; ``what``: the key or text that is wrong, fit to be shown."""

    def __init__(self, problem: Problem, line: int, what: str = "") -> None:
        self.problem, self.line, self.what = problem, line, plain(what, 80)
        super().__init__(f"line {line}: {problem.value} {self.what}".rstrip())


@dataclass(frozen=True, slots=True)
class Document:
    """One transfer, in or out. ``arrived_on``: when the money came, None where the bank does not say.

    Accounts are digits alone; "" where nothing is said. ``line``: where it begins in the file.
    """

    line: int
    kind: str
    number: str
    dated: date
    amount: Decimal
    arrived_on: date | None
    payer_account: str
    payer_name: str
    payer_inn: str
    payer_kpp: str
    payee_account: str
    purpose: str

    @property
    def paid_on(self) -> date:
        return self.arrived_on or self.dated


@dataclass(frozen=True, slots=True)
class Statement:
    """``accounts``: whose statement it is, in the file's order; days are those the file says, inclusive."""

    accounts: tuple[str, ...]
    begins_on: date | None
    ends_on: date | None
    documents: tuple[Document, ...]


@dataclass(slots=True)
class _Section:
    line: int
    kind: str
    said: dict[str, tuple[int, str]] = field(default_factory=dict)
    last: str = ""

    def say(self, line: int, key: str, value: str) -> None:
        before = self.said.get(key)
        # Of two different amounts or accounts neither is to be believed: somebody may have put one into a purpose.
        if before is not None and key in _READ and before[1] != value:
            raise BadStatement(Problem.SAID_TWICE, line, key)
        self.said[key] = (line, value)
        self.last = key

    def go_on(self, line: int, text: str) -> None:
        """A purpose of several lines; nothing else has them."""
        if not self.last.startswith(_PURPOSE):
            raise BadStatement(Problem.NOT_UNDERSTOOD, line, text)
        begun, value = self.said[self.last]
        self.said[self.last] = (begun, f"{value} {text}")

    def get(self, *keys: str) -> str:
        return next((self.said[key][1] for key in keys if self.said.get(key, (0, ""))[1]), "")


def read(data: bytes) -> Statement:
    """Raises BadStatement. Windows-1251, DOS (866) and UTF-8 are told apart by the bytes, not by what is claimed."""
    if len(data) > MOST_BYTES:
        raise BadStatement(Problem.TOO_BIG, 1)
    # str.splitlines would also break at characters that stand within a value.
    lines = re.split(r"\r\n|\n|\r", _text(data))
    if lines[0].strip() != _FIRST:
        raise BadStatement(Problem.NOT_A_STATEMENT, 1, lines[0])
    header = _Section(1, "file")
    accounts: list[str] = []
    documents: list[Document] = []
    section: _Section | None = None
    ended = False
    for at, raw in enumerate(lines[1:], start=2):
        line = raw.strip(" \t\x1a\x00")
        if not line:
            continue
        if ended:
            raise BadStatement(Problem.AFTER_THE_END, at, line)
        key, equals, value = (part.strip() for part in line.partition("="))
        if key in ("СекцияДокумент", "СекцияРасчСчет"):
            if section is not None:
                raise BadStatement(Problem.NOT_CLOSED, section.line, section.kind)
            section = _Section(at, value if key == "СекцияДокумент" else "")
            if key == "СекцияДокумент" and len(documents) >= MOST_DOCUMENTS:
                raise BadStatement(Problem.TOO_BIG, at)
            if key == "СекцияДокумент":
                section.kind = value or "?"
        elif not equals and key in ("КонецДокумента", "КонецРасчСчет"):
            if section is None or bool(section.kind) != (key == "КонецДокумента"):
                raise BadStatement(Problem.NOT_OPENED, at, key)
            if section.kind:
                documents.append(_document(section))
            else:
                accounts.append(_digits(section.get("РасчСчет")))
            section = None
        elif not equals and key == _LAST:
            ended = True
        elif section is not None:
            section.say(at, key, value) if equals else section.go_on(at, line)
        elif not equals:
            raise BadStatement(Problem.NOT_UNDERSTOOD, at, line)
        elif key == "РасчСчет":
            accounts.append(_digits(value))
        else:
            header.say(at, key, value)
    if section is not None:
        raise BadStatement(Problem.NOT_CLOSED, section.line, section.kind)
    if not ended:
        raise BadStatement(Problem.CUT_OFF, len(lines))
    return Statement(
        accounts=tuple(dict.fromkeys(account for account in accounts if account)),
        begins_on=_day(header, "ДатаНачала"),
        ends_on=_day(header, "ДатаКонца"),
        documents=tuple(documents),
    )


def plain(text: str, most: int) -> str:
    """One line a person can read: what cannot be seen, or turns the text around, becomes a space."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[: most * 8]).split())[:most]


def _text(data: bytes) -> str:
    """A Cyrillic word of the other encodings is never valid UTF-8; between them the keys themselves decide."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for encoding in ("cp1251", "cp866"):
        if f"\n{_LAST}".encode(encoding) in data.replace(b"\r", b"\n"):
            return data.decode(encoding, errors="replace")
    return data.decode("cp1251", errors="replace")


def _document(section: _Section) -> Document:
    number = plain(section.get("Номер"), 40)
    purpose = section.get(_PURPOSE)
    parts = [section.get(f"{_PURPOSE}{n}") for n in range(1, 7)]
    # Banks write the purpose whole, in parts, or both ways at once.
    whole = purpose or " ".join(part for part in parts if part)
    dated = _day(section, "Дата")
    if dated is None:
        raise BadStatement(Problem.MISSING, section.line, "Дата")
    return Document(
        line=section.line,
        kind=plain(section.kind, 60),
        number=number,
        dated=dated,
        amount=_amount(section),
        arrived_on=_day(section, "ДатаПоступило"),
        payer_account=_digits(section.get("ПлательщикСчет", "ПлательщикРасчСчет")),
        payer_name=_name(section),
        payer_inn=_digits(section.get("ПлательщикИНН"))[:12],
        payer_kpp=_digits(section.get("ПлательщикКПП"))[:9],
        payee_account=_digits(section.get("ПолучательСчет", "ПолучательРасчСчет")),
        purpose=plain(whole, 500),
    )


def _name(section: _Section) -> str:
    """``Плательщик`` often begins with the INN, which stands in a field of its own."""
    name = plain(section.get("Плательщик1", "Плательщик"), 250)
    return re.sub(r"^ИНН\s*\d{10,12}(?:[/\s]+(?:КПП\s*)?\d{9})?\s+", "", name)


def _day(section: _Section, key: str) -> date | None:
    line, value = section.said.get(key, (section.line, ""))
    if not value:
        return None
    found = _DAY.fullmatch(value)
    try:
        day = date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2199:
        raise BadStatement(Problem.BAD_DAY, line, f"{key}={value}")
    return day


def _amount(section: _Section) -> Decimal:
    line, value = section.said.get("Сумма", (section.line, ""))
    if not value:
        raise BadStatement(Problem.MISSING, line, "Сумма")
    found = _AMOUNT.fullmatch(value)
    amount = (
        Decimal(f"{found[1]}.{(found[2] or '').ljust(2, '0')}") if found and value.isascii() else Decimal(0)
    )
    if amount <= 0:
        raise BadStatement(Problem.BAD_AMOUNT, line, value)
    return amount


def _digits(value: str) -> str:
    return "".join(sign for sign in value if sign in "0123456789")[:20]

"""What is asked of the journal: its address parameters, checked, as one value everybody can hand on.

Dates are local days of the company; a number may be typed in any way people write numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _
from phonenumbers import PhoneMetadata

from monitoring.domain.statistics import LONGEST_DAYS

PRESETS = ("today", "yesterday", "week", "month")
DIRECTIONS = ("in", "out", "internal")
OUTCOMES = ("answered", "abandoned", "no_answer", "busy", "failed", "interrupted", "open")
LONGEST_SECONDS = 86_400
MOST = 2**31 - 1


class BadFilter(ValueError):
    """``problems``: parameter → what is wrong with it, in words for a person."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class NumberPart:
    """``anywhere``: digits that may stand anywhere in the number; ``begins``: digits of E.164 it may begin with."""

    anywhere: str = ""
    begins: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Local days [``first``, ``last``], both included. ``number`` as typed. ``mark``: "any", a mark's id, or "".

    ``given``: the parameters as they came, for links and forms; unknown ones are dropped.
    """

    first: date
    last: date
    zone: str
    period: str = "week"
    direction: str = ""
    outcome: str = ""
    line: str = ""
    queue: int | None = None
    group: int | None = None
    manager: int | None = None
    number: str = ""
    min_wait: int = 0
    min_talk: int = 0
    lost: bool = False
    recorded: bool = False
    mark: str = ""
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def begin(self) -> datetime:
        """UTC moment the first day begins."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """UTC moment the last day is over."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def query(self) -> str:
        """The question as an address, without a page's place in it."""
        return urlencode(self.given)

    @property
    def narrowed(self) -> int:
        """How many filters besides the period are set."""
        return len(set(self.given) - {"period", "from", "to"})

    def without(self, *names: str) -> Wanted:
        return replace(self, given={key: value for key, value in self.given.items() if key not in names})


def parse(parameters: QueryDict, *, zone: str, now: datetime) -> Wanted:
    """Raises BadFilter naming every parameter that makes no sense; unknown parameters are ignored."""
    problems: dict[str, str] = {}
    given = {key: _one(parameters, key) for key in PARAMETERS if _one(parameters, key)}
    today = now.astimezone(ZoneInfo(zone)).date()
    first, last, period = _period(given, today, problems)
    wanted = Wanted(
        first=first,
        last=last,
        zone=zone,
        period=period,
        direction=_choice(given, "direction", DIRECTIONS, problems),
        outcome=_choice(given, "outcome", OUTCOMES, problems),
        line=given.get("line", ""),
        queue=_id(given, "queue", problems),
        group=_id(given, "group", problems),
        manager=_id(given, "manager", problems),
        number=_number(given, problems),
        min_wait=_seconds(given, "min_wait", problems),
        min_talk=_seconds(given, "min_talk", problems),
        lost=given.get("lost") == "open",
        recorded=given.get("recorded") == "1",
        mark=_mark(given, problems),
        given=given,
    )
    if problems:
        raise BadFilter(problems)
    return wanted


PARAMETERS = (
    "period", "from", "to", "direction", "outcome", "line", "queue", "group", "manager", "number", "min_wait",
    "min_talk", "lost", "recorded", "marked", "mark",
)  # fmt: skip


def number_parts(typed: str, region: str) -> list[NumberPart]:
    """Ways to read what was typed as part of a number: "8 (495) 1" is 84951 anywhere, or a number from +7 495 1."""
    digits = "".join(c for c in typed if "0" <= c <= "9")
    if not digits:
        return []
    if typed.lstrip().startswith("+"):
        return [NumberPart(begins=digits)]
    parts = [NumberPart(anywhere=digits)]
    known = PhoneMetadata.metadata_for_region(region, None)
    prefix = (known.national_prefix or "") if known is not None else ""
    if known is not None and prefix and digits.startswith(prefix) and len(digits) > len(prefix):
        parts.append(NumberPart(begins=f"{known.country_code}{digits[len(prefix) :]}"))
    return parts


def _one(parameters: QueryDict, key: str) -> str:
    return parameters.get(key, "").strip()[:80].replace("\0", "")


def _period(given: dict[str, str], today: date, problems: dict[str, str]) -> tuple[date, date, str]:
    if "from" in given or "to" in given:
        given.pop("period", None)
        last = _day(given, "to", problems) or today
        first = _day(given, "from", problems) or last - timedelta(days=6)
        if first > last:
            problems["from"] = _("The first day is after the last one.")
        elif (last - first).days > LONGEST_DAYS:
            problems["from"] = _("That is more than three years. Choose a shorter period.")
        return first, last, "days"
    period = given.get("period", "week")
    if period not in PRESETS:
        problems["period"] = _("There is no such period.")
    yesterday = today - timedelta(days=1)
    days = {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "month": (today - timedelta(days=29), today),
    }
    first, last = days.get(period, (today - timedelta(days=6), today))
    return first, last, period


def _day(given: Mapping[str, str], key: str, problems: dict[str, str]) -> date | None:
    text = given.get(key)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not 1990 <= day.year <= 2199:
        problems[key] = _("Write the day as year-month-day: 2026-03-31.")
        return None
    return day


def _choice(given: Mapping[str, str], key: str, known: tuple[str, ...], problems: dict[str, str]) -> str:
    value = given.get(key, "")
    if value and value not in known:
        problems[key] = _("There is nothing of that kind to choose.")
    return value


def _id(given: Mapping[str, str], key: str, problems: dict[str, str]) -> int | None:
    value = given.get(key)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and int(value) <= MOST):
        problems[key] = _("There is nothing of that kind to choose.")
        return None
    return int(value)


def _seconds(given: Mapping[str, str], key: str, problems: dict[str, str]) -> int:
    value = given.get(key)
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and int(value) <= LONGEST_SECONDS):
        problems[key] = _("Write whole seconds, no more than a day.")
        return 0
    return int(value)


def _number(given: Mapping[str, str], problems: dict[str, str]) -> str:
    value = given.get("number", "")
    if value and not any("0" <= c <= "9" for c in value):
        problems["number"] = _("Write digits of the number, any part of it.")
    return value


def _mark(given: Mapping[str, str], problems: dict[str, str]) -> str:
    value = given.get("mark") or ("any" if given.get("marked") == "1" else "")
    if value and value != "any" and _id({"mark": value}, "mark", problems) is None:
        return ""
    return value


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)

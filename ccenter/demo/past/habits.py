"""How much is called when, by whom, and with what patience: the numbers behind the believable past.

Shapes are those of a Russian small company: two peaks a day, a busy Monday, quiet holidays.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

# Calls per manager of the company on a Wednesday.
CALLS_EACH = 13.0
WEEKDAYS = (1.18, 1.06, 1.0, 1.02, 0.9, 0.3, 0.14)
# Share of a day's calls by the hour, 0…23, company's time.
HOURS = (
    0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 1.5, 4.0, 8.5, 11.0, 11.5, 9.0, 8.0, 10.0, 10.5, 9.0, 7.0, 4.5, 2.5,
    1.4, 0.8, 0.5, 0.3,
)  # fmt: skip
HOLIDAYS = {(1, 1), (1, 2), (1, 3), (1, 7), (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)}
GROWTH_A_YEAR = 0.18
PATIENCE = 95.0  # seconds, mean of an exponential
TALK = (4.85, 0.75)  # log-normal: median 128 s, mean 170 s
RECALL_SHARE, CALL_BACK_SHARE = 0.22, 0.62  # of lost callers: call again themselves, are called back
OUTGOING_A_DAY = 7.0  # calls a manager places
CITIES = ("495", "499", "812", "343", "383", "846", "843")
MOBILES = ("903", "905", "909", "912", "916", "917", "921", "925", "926", "960", "965", "977", "985", "999")
PEOPLE = ("Ольга", "Игорь", "Марина", "ООО «Свет»", "Сергей П.", "ИП Крюков", "Тамара", "Аптека на Мира", "")


@dataclass(frozen=True, slots=True)
class Temper:
    """How one manager is at the phone. ``answers``: share of rings answered; ``slow``: mean seconds of ringing."""

    answers: float
    slow: float
    talk: float


def temper(name: str, *, days_ago: int, troubled: str) -> Temper:
    """The same person every day. The troubled one began to let calls ring two weeks ago although available."""
    own = random.Random(f"temper {name}")
    answers, slow, talk = own.uniform(0.93, 0.985), own.uniform(3.0, 6.5), own.uniform(0.8, 1.3)
    if name == troubled and days_ago <= 14:
        answers = 0.58
    return Temper(answers, slow, talk)


def calls_of(day: date, *, people: int, days_ago: int, luck: random.Random) -> float:
    """How many customers call on ``day``."""
    amount = people * CALLS_EACH * WEEKDAYS[day.weekday()] * (1 - GROWTH_A_YEAR * days_ago / 365)
    if (day.month, day.day) in HOLIDAYS:
        amount *= 0.12
    return max(0.0, amount * luck.lognormvariate(0, 0.09))


def rush(day: date, *, luck: random.Random) -> tuple[float, float, float] | None:
    """About once in three weeks something breaks at the customers': (first hour, last hour, how many times more)."""
    if luck.random() > 0.05 or day.weekday() > 4:
        return None
    first = luck.choice((10, 11, 14, 15))
    return first, first + luck.choice((1.5, 2.0, 2.5)), luck.uniform(2.2, 3.2)


def customers(seed: str, *, amount: int) -> list[tuple[str, str]]:
    """(number, name) of everybody who ever calls this company, the most frequent first."""
    luck = random.Random(f"customers {seed}")
    found = []
    for _ in range(amount):
        code = luck.choice(MOBILES if luck.random() < 0.8 else CITIES)
        name = luck.choice(PEOPLE) if luck.random() < 0.12 else ""
        found.append((f"7{code}{luck.randrange(10**7):07d}", name))
    return found


def pick(people: list[tuple[str, str]], luck: random.Random) -> tuple[str, str]:
    """A few call often, most once or twice; one in forty hides the number."""
    if luck.random() < 0.025:
        return "", ""
    return people[min(int(len(people) * luck.random() ** 2.6), len(people) - 1)]

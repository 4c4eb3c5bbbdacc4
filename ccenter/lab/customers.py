"""Believable calls: who calls whom, how patiently, in what mix. Pure: the same seed gives the same day.

``traffic`` plays them for hours, ``mixed`` plays a fixed list of them and compares the counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ccenter.lab.plan import CompanyPlan, LinePlan, ManagerPlan, PbxPlan
from ccenter.lab.ports import PBX_HOST
from ccenter.lab.sipp import Caller, keys

FIRST = (
    "Александр",
    "Мария",
    "Дмитрий",
    "Екатерина",
    "Михаил",
    "Ольга",
    "Сергей",
    "Наталья",
    "Андрей",
    "Елена",
)
LAST = ("Иваненко", "Ткач", "Ким", "Галиуллин", "Черных", "Седых", "Бондаренко", "Хан", "Ли", "Долгих")
FIRMS = ("ООО «Лютик»", "ИП Сомов", "Аптека 36", "Стройдвор", "Кафе «Чайка»", "АО «Вымпел»")
CODES = ("903", "905", "909", "910", "915", "916", "921", "925", "926", "960", "965", "977", "985", "999")
CITIES = ("495", "499", "812", "343", "383", "863")


@dataclass(frozen=True, slots=True)
class Planned:
    """One call to be. ``manager``: whose phone dials (``romashka_101``), empty for a customer."""

    shape: str
    company: str
    caller: Caller
    manager: str = ""


def number(dice: Random) -> str:
    head = dice.choice(CODES) if dice.random() < 0.8 else dice.choice(CITIES)
    return f"7{head}{dice.randrange(1_000_000, 9_999_999)}"


def label(dice: Random) -> str:
    """What the network says of the caller: mostly nothing."""
    told = dice.random()
    if told < 0.6:
        return ""
    return dice.choice(FIRMS) if told < 0.7 else f"{dice.choice(FIRST)} {dice.choice(LAST)}"


def customer(line: LinePlan, dice: Random, *, stay: float, keyed: str = "") -> Caller:
    acts = keys(keyed, before=dice.uniform(1.0, 3.0)) if keyed else ()
    return Caller(
        dials=line.number, number=number(dice), name=label(dice), stay=stay, patience=25.0, acts=acts
    )


def phone(company: CompanyPlan, manager: ManagerPlan, dials: str, *, stay: float, patience: float) -> Caller:
    return Caller(
        dials=dials,
        number=company.endpoint(manager.name),
        secret=manager.secret,
        host=PBX_HOST,
        stay=stay,
        patience=patience,
    )


def to_queue(company: CompanyPlan, dice: Random, pace: float) -> Planned | None:
    return inward("queue", company, dice, leads_to="queue", stay=dice.uniform(60, 180) * pace)


def impatient(company: CompanyPlan, dice: Random, pace: float) -> Planned | None:
    return inward("impatient", company, dice, leads_to="queue", stay=dice.uniform(1.5, 20) * pace)


def leaver(company: CompanyPlan, dice: Random, pace: float) -> Planned | None:
    """Presses the key that leads out of every queue, unless somebody answers first."""
    return inward("leaver", company, dice, leads_to="queue", stay=dice.uniform(20, 60) * pace, keyed="0")


def menu(company: CompanyPlan, dice: Random, pace: float) -> Planned | None:
    stay = dice.uniform(60, 150) * pace
    keyed = dice.choice([key for ivr in company.ivrs for key, _ in ivr.keys]) if company.ivrs else ""
    return inward("menu", company, dice, leads_to="ivr", stay=stay, keyed=keyed)


def menu_silent(company: CompanyPlan, dice: Random, pace: float) -> Planned | None:
    return inward("menu_silent", company, dice, leads_to="ivr", stay=dice.uniform(3, 60) * pace)


def direct(company: CompanyPlan, dice: Random, pace: float) -> Planned | None:
    return inward("direct", company, dice, leads_to="manager", stay=dice.uniform(20, 90) * pace)


def inward(
    shape: str, company: CompanyPlan, dice: Random, *, leads_to: str, stay: float, keyed: str = ""
) -> Planned | None:
    lines = [line for line in company.lines if line.leads_to == leads_to]
    if not lines:
        return None
    return Planned(shape, company.slug, customer(dice.choice(lines), dice, stay=stay, keyed=keyed))


def outgoing(company: CompanyPlan, dice: Random, pace: float) -> Planned:
    manager = dice.choice(company.managers)
    stay = dice.uniform(15, 90) * pace
    caller = phone(company, manager, number(dice), stay=stay, patience=dice.uniform(8, 25))
    return Planned("outgoing", company.slug, caller, company.endpoint(manager.name))


def internal(company: CompanyPlan, dice: Random, pace: float) -> Planned:
    manager, other = dice.sample(company.managers, 2)
    caller = phone(company, manager, other.extension, stay=dice.uniform(8, 40) * pace, patience=12)
    return Planned("internal", company.slug, caller, company.endpoint(manager.name))


Shape = Callable[[CompanyPlan, Random, float], Planned | None]
MIX: tuple[tuple[float, Shape], ...] = (
    (0.42, to_queue), (0.12, impatient), (0.04, leaver), (0.16, menu), (0.04, menu_silent), (0.05, direct),
    (0.11, outgoing), (0.06, internal),
)  # fmt: skip


def next_call(plan: PbxPlan, dice: Random, *, pace: float = 1.0) -> Planned:
    """One call of the mix; companies weigh as many as their managers are. ``pace``: 1 = real talks, less = hurried."""
    while True:
        company = dice.choices(plan.companies, [len(c.managers) for c in plan.companies])[0]
        shape = dice.choices([s for _, s in MIX], [weight for weight, _ in MIX])[0]
        if planned := shape(company, dice, pace):
            return planned


def burst(plan: PbxPlan, dice: Random, size: int, *, pace: float = 1.0) -> list[Planned]:
    """Many customers of one company at one moment, as after an advertisement."""
    company = dice.choices(plan.companies, [len(c.managers) for c in plan.companies])[0]
    calls = [(to_queue if dice.random() < 0.8 else impatient)(company, dice, pace) for _ in range(size)]
    return [call for call in calls if call]

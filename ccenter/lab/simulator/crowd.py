"""A plan for load: as many managers as wanted, in companies and queues of a size that exists."""

from __future__ import annotations

from ccenter.lab.plan import CompanyPlan, LinePlan, ManagerPlan, PbxPlan, QueuePlan
from ccenter.lab.sample import PORTAL, RECORDER, ROMASHKA_NAMES

SEATS = 25


def company(slug: str, managers: int, first_line: int) -> CompanyPlan:
    people = tuple(
        ManagerPlan(
            name=str(10_001 + n),
            title=f"{ROMASHKA_NAMES[n % len(ROMASHKA_NAMES)]} {n + 1}",
            extension=str(10_001 + n),
            secret=f"{slug}-{10_001 + n}",
            contact=f"sip:{slug}_{10_001 + n}@127.0.0.1:5060",
        )
        for n in range(managers)
    )
    queues = tuple(
        QueuePlan(
            name=f"q{number}",
            title=f"Очередь {number}",
            extension=str(6_000 + number),
            members=tuple(m.name for m in people[start : start + SEATS]),
        )
        for number, start in enumerate(range(0, managers, SEATS), 1)
    )
    lines = tuple(LinePlan(str(first_line + n), queue.title, queue.name) for n, queue in enumerate(queues))
    return CompanyPlan(slug=slug, title=f"Компания {slug}", managers=people, queues=queues, lines=lines)


def crowd(*, managers: int, companies: int = 1, slugs: tuple[str, ...] = ()) -> PbxPlan:
    """``managers`` in all, dealt evenly; companies are named ``load1``, ``load2``… unless ``slugs`` names them."""
    names = slugs or tuple(f"load{n + 1}" for n in range(companies))
    each = managers // len(names)
    return PbxPlan(
        companies=tuple(company(slug, each, 74950000000 + 10_000 * n) for n, slug in enumerate(names)),
        accounts=(PORTAL, RECORDER),
    )

"""How fast facts become rows, against Django's bulk_create of the same rows, in batches of a thousand.

It brings its own PostgreSQL and leaves nothing.
"""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccenter.demo import embedded
from tests.bench.table import Row

if TYPE_CHECKING:
    from monitoring.domain.facts import CallFact

BATCH = 1_000
BATCHES = 10  # of each way in each round
ROUNDS = 5  # ways take turns, so that all meet the same machine
START = 1_795_338_000.0

GOAL = 3.5
OURS = "ours"


def rows() -> list[Row]:
    """Medians of rounds in which the ways take turns."""
    state = Path(tempfile.mkdtemp(prefix="ccenter-bench-"))
    state.chmod(0o711)  # PostgreSQL runs as another user and must walk through
    try:
        os.environ |= {
            "CCENTER_STATE": str(state),
            "DATABASE_URL": embedded.postgres(state, throwaway=True),
            "DATABASE_POOL": "0",
            "DJANGO_SETTINGS_MODULE": "ccenter.settings.demo",
        }
        return measure()
    finally:
        embedded.stop(state)
        shutil.rmtree(state, ignore_errors=True)


def measure() -> list[Row]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tenants.scope import company_scope
    from tenants.services import create_company

    call_command("migrate_schemas", shared=True, verbosity=0)
    create_company(slug="bench", name="Замер")
    connection.settings_dict["CONN_MAX_AGE"] = None
    found: list[Row] = []
    with company_scope("bench"):
        for what, legs, ways in (
            (
                "a call's own row",
                0,
                {"bulk_create": created, "bulk_create, upserting": upserted, OURS: stored},
            ),
            ("a call with its leg and five steps", 1, {"bulk_create": created, OURS: stored}),
        ):
            speeds = compare(ways, with_legs=bool(legs))
            found += [
                Row(
                    what=f"idempotent ingest in batches of 1,000, {what}, beside {baseline}",
                    unit="rows/s",
                    baseline=speeds[baseline],
                    ours=speeds[OURS],
                    ratio=speeds[OURS] / speeds[baseline],
                    least_ratio=GOAL if baseline == "bulk_create" else None,
                )
                for baseline in ways
                if baseline != OURS
            ]
    return found


def compare(ways: Mapping[str, Callable[[list[CallFact]], None]], *, with_legs: bool) -> dict[str, float]:
    """Database rows a second of each way. The table starts empty for each, in each round."""
    from django.db import connection

    seconds: dict[str, list[float]] = {way: [] for way in ways}
    per_call = 7 if with_legs else 1
    for _round in range(ROUNDS):
        for way, write in ways.items():
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE monitoring_call, monitoring_leg, monitoring_step CASCADE")
            batches = list(told(with_legs=with_legs))
            gc.collect()
            began = time.perf_counter()
            for batch in batches:
                write(batch)
            seconds[way].append(time.perf_counter() - began)
    return {way: BATCH * BATCHES * per_call / statistics.median(each) for way, each in seconds.items()}


def told(*, with_legs: bool) -> Iterator[list[CallFact]]:
    from monitoring.domain.facts import CallFact, LegFact, StepFact

    for batch in range(BATCHES):
        facts = []
        for number in range(BATCH):
            at = START + batch * BATCH + number
            legs = (
                LegFact(
                    f"{at}-2",
                    "bench_101",
                    "bench_main",
                    at,
                    at + 5,
                    at + 65,
                    "answered",
                    ((at + 5, at + 65),),
                    (),
                ),
            )
            steps = tuple(StepFact("queue", "bench_main", at + place, at + place + 1) for place in range(5))
            facts.append(
                CallFact(
                    f"1:{at}", "in", "+79161234567", "Иванов Иван", "78005553535", at, at + 5, at + 65, "answered",
                    "customer", legs if with_legs else (), steps if with_legs else (), None, at + 65,
                )
            )  # fmt: skip
        yield facts


def stored(facts: list[CallFact]) -> None:
    from monitoring.services import ingest

    ingest.store("1", facts)


def created(facts: list[CallFact]) -> None:
    """What one would write first: rows by bulk_create, in one transaction; a second telling fails on it."""
    from django.db import transaction

    from monitoring.models import Call, Leg, Step

    with transaction.atomic():
        calls = Call.objects.bulk_create(_call(fact) for fact in facts)
        legs = [
            Leg(call=call, **_leg(leg)) for call, fact in zip(calls, facts, strict=True) for leg in fact.legs
        ]
        steps = [
            Step(
                call=call,
                position=place,
                kind=step.kind,
                what=step.what,
                at=_at(step.at),
                until=_at(step.until),
            )
            for call, fact in zip(calls, facts, strict=True)
            for place, step in enumerate(fact.steps)
        ]
        Leg.objects.bulk_create(legs)
        Step.objects.bulk_create(steps)


def upserted(facts: list[CallFact]) -> None:
    """bulk_create that may be told twice: it overwrites, later or not."""
    from monitoring.models import Call

    fields = [field.name for field in Call._meta.fields if field.name not in ("id", "key")]
    Call.objects.bulk_create(
        [_call(fact) for fact in facts], update_conflicts=True, unique_fields=["key"], update_fields=fields
    )


def _call(fact: CallFact) -> Any:
    from monitoring.models import Call

    return Call(
        key=fact.key, pbx="1", direction=fact.direction, number=fact.number, name=fact.name, line=fact.line,
        started=_at(fact.started), answered=_at(fact.answered), ended=_at(fact.ended), disposition=fact.disposition,
        hung_up_by=fact.hung_up_by, revision=fact.revision,
    )  # fmt: skip


def _leg(leg: Any) -> dict[str, Any]:
    return {
        "uniqueid": leg.uniqueid, "manager_name": leg.manager, "queue_name": leg.queue, "rang": _at(leg.rang),
        "answered": _at(leg.answered), "ended": _at(leg.ended), "outcome": leg.outcome, "available": leg.available,
        "talk": leg.talk, "hold": leg.hold, "talk_seconds": 60.0, "hold_seconds": 0.0,
    }  # fmt: skip


def _at(moment: float | None) -> Any:
    from datetime import UTC, datetime

    return None if moment is None else datetime.fromtimestamp(moment, UTC)

"""Calls that were, made with the few things a test is about. In the open scope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring.models import Call, Leg, Manager, Queue, QueueVisit, Step
from monitoring.models.phones import customer_of

TODAY = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def make_call(
    key: str,
    *,
    started: datetime = TODAY,
    number: str = "+79160000000",
    name: str = "",
    line: str = "78005553535",
    direction: str = "in",
    disposition: str = "answered",
    wait: float = 10.0,
    talk: float = 30.0,
    manager: Manager | None = None,
    queue: Queue | None = None,
    groups: list[int] | None = None,
    recorded: bool = False,
    merged_into: str = "",
) -> Call:
    """An ended call; with ``manager`` a leg of theirs, with ``queue`` a stay in it, and its steps."""
    answered = started + timedelta(seconds=wait)
    ended = answered + timedelta(seconds=talk)
    call = Call.objects.create(
        key=key, pbx="1", direction=direction, number=number, name=name, line=line, started=started,
        answered=answered if talk else None, ended=ended, disposition=disposition, hung_up_by="customer",
        merged_into=merged_into, revision=1.0, customer=customer_of(number), groups=groups or [],
        wait_seconds=wait, talk_seconds=talk, recorded=recorded,
    )  # fmt: skip
    steps = [("line", line, started, started, "")]
    if queue is not None:
        QueueVisit.objects.create(
            pbx="1", uniqueid=key, call_key=key, queue=queue, queue_name=queue.pbx_name, joined=started,
            left=answered, outcome="answered" if talk else "abandoned", wait=wait, position=1,
            answer_within=20.0, short_abandon=5.0, line=line,
        )  # fmt: skip
        steps.append(("queue", queue.pbx_name, started, answered, "answered"))
    if manager is not None:
        Leg.objects.create(
            call=call, uniqueid=f"{key}-{manager.pk}", manager=manager, manager_name=manager.pbx_name,
            queue_name=queue.pbx_name if queue else "", rang=started, answered=answered if talk else None,
            ended=ended, outcome="answered" if talk else "missed", available=True,
            talk=[[answered.timestamp(), ended.timestamp()]] if talk else [], talk_seconds=talk, hold_seconds=0.0,
        )  # fmt: skip
        steps.append(("ring", manager.pbx_name, started, answered, "answered" if talk else "missed"))
        if talk:
            steps.append(("talk", manager.pbx_name, answered, ended, ""))
    Step.objects.bulk_create(
        Step(call=call, position=place, kind=kind, what=what[:80], at=at, until=until, note=note)
        for place, (kind, what, at, until, note) in enumerate(steps)
    )
    return call

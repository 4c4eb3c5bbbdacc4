"""Facts as a collector would tell them, short enough for tests to read as statements."""

from __future__ import annotations

from monitoring.domain.facts import CallFact, Disposition, LegFact, StepFact, VisitFact, VisitOutcome

NOON = 1_795_338_000.25  # 2026-11-22 12:00:00.25 in Moscow


def leg(manager: str, *, rang: float = NOON, talk: float | None = 30.0, queue: str = "") -> LegFact:
    """One manager's part: answered two seconds after it rang and talked for ``talk`` seconds; None =
    missed."""
    if talk is None:
        return LegFact(f"u-{manager}", manager, queue, rang, None, rang + 15, "missed", (), ())
    start = rang + 2
    return LegFact(
        f"u-{manager}", manager, queue, rang, start, start + talk, "answered", ((start, start + talk),), ()
    )


def call(
    key: str,
    *,
    revision: float = 1.0,
    started: float = NOON,
    talk: float | None = 30.0,
    legs: tuple[LegFact, ...] = (),
    steps: tuple[StepFact, ...] = (),
    number: str = "+79160000000",
    name: str = "",
    direction: str = "in",
    disposition: Disposition = "answered",
    merged_into: str | None = None,
) -> CallFact:
    """An ended call of ``talk`` seconds; ``talk=None``: still open."""
    ended = None if talk is None else started + 2 + talk
    return CallFact(
        key,
        direction,
        number,
        name,
        "78005553535",
        started,
        started + 2,
        ended,
        "open" if talk is None else disposition,
        "customer",
        legs,
        steps,
        merged_into,
        revision,
    )


def visit(
    call_key: str,
    queue: str,
    *,
    outcome: VisitOutcome = "answered",
    joined: float = NOON,
    wait: float = 10.0,
    manager: str = "",
) -> VisitFact:
    left = None if outcome == "open" else joined + wait
    uniqueid = call_key.partition(":")[2]
    return VisitFact(uniqueid, call_key, queue, joined, left, outcome, "", manager, wait, 1, 20.0, 5.0)

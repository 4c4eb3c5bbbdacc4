"""Facts as JSON lines, for the disk spool: what is written by one version must be read by the next.

Fields go by name; a line that is no fact of ours raises ValueError, never anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from monitoring.domain.facts import (
    AutoFact,
    BlindFact,
    CallFact,
    Fact,
    Interval,
    LegFact,
    ListenFact,
    PauseFact,
    StepFact,
    VisitFact,
)

_Simple = type[VisitFact] | type[PauseFact] | type[ListenFact] | type[AutoFact] | type[BlindFact]
_SIMPLE: dict[str, _Simple] = {
    "visit": VisitFact,
    "pause": PauseFact,
    "listen": ListenFact,
    "auto": AutoFact,
    "blind": BlindFact,
}
_KINDS = {kind: name for name, kind in _SIMPLE.items()}


def dump(company: str, facts: Sequence[Fact]) -> bytes:
    """One line with its line break. Text that is no Unicode (a lone surrogate) is kept as question marks."""
    entry = {"company": company, "facts": [_plain(fact) for fact in facts]}
    try:
        return orjson.dumps(entry) + b"\n"
    except orjson.JSONEncodeError:
        return orjson.dumps(_scrubbed(entry)) + b"\n"


def load(line: bytes) -> tuple[str, list[Fact]]:
    """Company and facts of one line; ValueError when it is torn or foreign."""
    try:
        entry = orjson.loads(line)
        return str(entry["company"]), [_fact(item) for item in entry["facts"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a line of facts: {error!r}") from error


def _plain(fact: Fact) -> dict[str, Any]:
    if isinstance(fact, CallFact):
        legs = [leg._asdict() for leg in fact.legs]
        steps = [step._asdict() for step in fact.steps]
        return {"kind": "call", "of": {**fact._asdict(), "legs": legs, "steps": steps}}
    return {"kind": _KINDS[type(fact)], "of": fact._asdict()}


def _fact(item: dict[str, Any]) -> Fact:
    fields: dict[str, Any] = item["of"]
    if item["kind"] != "call":
        return _SIMPLE[item["kind"]](**fields)
    return CallFact(
        **{
            **fields,
            "legs": tuple(_leg(leg) for leg in fields["legs"]),
            "steps": tuple(StepFact(**step) for step in fields["steps"]),
        }
    )


def _leg(fields: dict[str, Any]) -> LegFact:
    return LegFact(**{**fields, "talk": _intervals(fields["talk"]), "hold": _intervals(fields["hold"])})


def _intervals(pairs: list[list[Any]]) -> tuple[Interval, ...]:
    return tuple((start, end) for start, end in pairs)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    return value

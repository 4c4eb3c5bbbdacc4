"""What the portal may ask of a PBX's collector, typed; values that could break out of an AMI line are refused here.

Commands travel as JSON over the bus, so each class says its fields and nothing else. ``at`` is epoch seconds (UTC).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

StatusKind = Literal["available", "break", "away"]
_FORBIDDEN = frozenset("\r\n\0")


class BadValue(ValueError):
    """A value holds CR, LF or NUL and would inject a second AMI action."""


def checked(value: str, *, limit: int = 256) -> str:
    """The value itself, or BadValue when it cannot be sent on one AMI line of at most ``limit`` characters."""
    if _FORBIDDEN.intersection(value):
        raise BadValue(f"line break or NUL in {value[:40]!r}")
    if len(value) > limit:
        raise BadValue(f"longer than {limit} characters: {value[:40]!r}…")
    return value


@dataclass(frozen=True, slots=True)
class SetStatus:
    """A manager's declared status changed: pause or unpause in every queue, with the label as the reason."""

    kind: ClassVar[str] = "set_status"
    company: str
    manager: str
    status: int
    status_kind: StatusKind
    reason: str
    at: float

    def __post_init__(self) -> None:
        for value in (self.company, self.manager, self.reason):
            checked(value)


@dataclass(frozen=True, slots=True)
class ReloadDirectory:
    """The company's people, queues or lines changed in the portal."""

    kind: ClassVar[str] = "reload_directory"
    company: str

    def __post_init__(self) -> None:
        checked(self.company)


Command = SetStatus | ReloadDirectory
_CLASSES: dict[str, type[SetStatus] | type[ReloadDirectory]] = {
    c.kind: c for c in (SetStatus, ReloadDirectory)
}


def to_json(command: Command) -> dict[str, Any]:
    return {"kind": command.kind, **asdict(command)}


def from_json(data: dict[str, Any]) -> Command:
    """The command, or ValueError when the kind is unknown or a field is missing, surplus or unsafe."""
    cls = _CLASSES.get(str(data.get("kind")))
    if cls is None:
        raise ValueError(f"unknown command {data.get('kind')!r}")
    given = {k: v for k, v in data.items() if k != "kind"}
    if set(given) != {f.name for f in fields(cls)}:
        raise ValueError(f"fields of {cls.kind} are {[f.name for f in fields(cls)]}")
    return cls(**given)

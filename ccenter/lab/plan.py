"""What one PBX should look like, as frozen data: the lab renders it, tests compare with it, the demo fills it.

Names on the PBX are always ``<company>_<name>``; every value is checked here, so that rendering cannot be injected.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Strategy = Literal["ringall", "rrmemory", "leastrecent", "fewestcalls", "random", "linear"]

SLUG = re.compile(r"[a-z][a-z0-9]{1,30}")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
NUMBER = re.compile(r"[0-9]{1,18}")
SECRET = re.compile(r"[A-Za-z0-9._~+=-]{4,80}")
# Breaks a line, opens a comment or a substitution, or separates fields in Asterisk's configuration files.
UNSAFE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069;\[\]{}$\"'`\\|,<>&()=]")


class PlanError(ValueError):
    """A plan holds a value that must not reach Asterisk's configuration; the message names it."""


def checked(kind: str, value: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        raise PlanError(f"{kind} {value[:60]!r} cannot be used on the PBX")
    return value


def spoken(title: str) -> str:
    """A person's or queue's title made harmless for a configuration line; at most 60 characters."""
    return " ".join(UNSAFE.sub(" ", title).split())[:60]


@dataclass(frozen=True, slots=True)
class ManagerPlan:
    """A manager's phone. ``contact``: a fixed SIP address; empty = the phone registers with ``secret``."""

    name: str
    title: str
    extension: str
    secret: str
    contact: str = ""
    webrtc: bool = False

    def __post_init__(self) -> None:
        checked("manager", self.name, NAME)
        checked("extension", self.extension, NUMBER)
        checked("secret of", self.secret, SECRET)
        if self.contact and not re.fullmatch(r"sip:[a-z0-9_.-]+@[0-9.]+:[0-9]+", self.contact):
            raise PlanError(f"contact {self.contact[:60]!r} cannot be used on the PBX")


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """``members``: manager names. ``ring_timeout``, ``max_wait``, ``wrap_up`` in seconds; ``via_local``: ring through
    Local/."""

    name: str
    title: str
    extension: str
    members: tuple[str, ...]
    strategy: Strategy = "rrmemory"
    ring_timeout: int = 15
    max_wait: int = 120
    exit_key: str = "0"
    via_local: bool = False
    retry: int = 1
    wrap_up: int = 0

    def __post_init__(self) -> None:
        checked("queue", self.name, NAME)
        checked("queue's extension", self.extension, NUMBER)
        checked("exit key", self.exit_key, re.compile(r"[0-9]?"))
        for member in self.members:
            checked("queue member", member, NAME)


@dataclass(frozen=True, slots=True)
class IvrPlan:
    """A menu: ``keys`` maps one digit to a queue's name; no key or a wrong one leads to ``otherwise``."""

    name: str
    keys: tuple[tuple[str, str], ...]
    otherwise: str
    wait: int = 6

    def __post_init__(self) -> None:
        checked("menu", self.name, NAME)
        checked("queue", self.otherwise, NAME)
        for key, queue in self.keys:
            checked("menu key", key, re.compile(r"[0-9]"))
            checked("queue", queue, NAME)


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A number calls come to. ``target``: a queue's, a menu's or a manager's name according to ``leads_to``."""

    number: str
    title: str
    target: str
    leads_to: Literal["queue", "ivr", "manager"] = "queue"

    def __post_init__(self) -> None:
        checked("line", self.number, NUMBER)
        checked("line's target", self.target, NAME)


@dataclass(frozen=True, slots=True)
class CompanyPlan:
    """``records``: talks with customers are recorded."""

    slug: str
    title: str
    managers: tuple[ManagerPlan, ...]
    queues: tuple[QueuePlan, ...]
    lines: tuple[LinePlan, ...]
    ivrs: tuple[IvrPlan, ...] = ()
    records: bool = True

    def __post_init__(self) -> None:
        checked("company", self.slug, SLUG)
        names = {m.name for m in self.managers}
        queues = {q.name for q in self.queues}
        numbers = [m.extension for m in self.managers] + [q.extension for q in self.queues]
        if len(numbers) != len(set(numbers)):
            raise PlanError(f"{self.slug}: an extension is given twice")
        missing = {name for q in self.queues for name in q.members} - names
        if missing:
            raise PlanError(f"{self.slug}: queue members {sorted(missing)} are no managers")
        places = {"queue": queues, "ivr": {i.name for i in self.ivrs}, "manager": names}
        for line in self.lines:
            if line.target not in places[line.leads_to]:
                raise PlanError(f"{self.slug}: line {line.number} leads to unknown {line.target!r}")
        for ivr in self.ivrs:
            if missing := {q for _, q in ivr.keys} - queues | {ivr.otherwise} - queues:
                raise PlanError(f"{self.slug}: menu {ivr.name} leads to unknown {sorted(missing)}")

    def endpoint(self, manager: str) -> str:
        return f"{self.slug}_{manager}"

    def queue_key(self, queue: str) -> str:
        return f"{self.slug}_{queue}"


@dataclass(frozen=True, slots=True)
class AmiAccount:
    """An account of manager.conf. ``events``: names let through (empty = all the classes of ``read``)."""

    name: str
    secret: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    events: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checked("AMI account", self.name, NAME)
        checked("AMI secret of", self.secret, SECRET)
        for word in self.read + self.write:
            checked("AMI class", word, re.compile(r"[a-z]+"))
        for event in self.events:
            checked("AMI event", event, re.compile(r"[A-Za-z]+"))


@dataclass(frozen=True, slots=True)
class CelDatabase:
    """The PostgreSQL that takes Asterisk's call event log, and the role that may write there and read nothing."""

    host: str
    port: int
    name: str
    user: str
    password: str

    def __post_init__(self) -> None:
        checked("host", self.host, re.compile(r"[A-Za-z0-9.:_-]{1,255}"))
        checked("port", str(int(self.port)), NUMBER)
        for what in ("name", "user"):
            checked(f"database {what}", getattr(self, what), re.compile(r"[A-Za-z0-9_-]{1,63}"))
        checked("database password of", self.password, SECRET)


def frozen(value: Any) -> Any:
    """JSON's lists as the tuples they were."""
    return tuple(frozen(item) for item in value) if isinstance(value, list) else value


def company_from(row: dict[str, Any]) -> CompanyPlan:
    parts = {"managers": ManagerPlan, "queues": QueuePlan, "lines": LinePlan, "ivrs": IvrPlan}
    made = {
        name: tuple(kind(**{k: frozen(v) for k, v in entry.items()}) for entry in row[name])
        for name, kind in parts.items()
    }
    records = bool(row.get("records", True))
    return CompanyPlan(slug=row["slug"], title=row["title"], records=records, **made)


@dataclass(frozen=True, slots=True)
class PbxPlan:
    """One Asterisk: its companies and the accounts that may speak to it.

    ``guarded``: a caller's number and name pass through a filter before Asterisk believes them. Without it line
    breaks in a number (``sip:7%0D%0A…``) reach AMI as headers of the caller's choice; an ordinary Asterisk has none.
    """

    companies: tuple[CompanyPlan, ...]
    accounts: tuple[AmiAccount, ...] = field(default_factory=tuple)
    guarded: bool = True
    cel: CelDatabase | None = None

    def __post_init__(self) -> None:
        slugs = [c.slug for c in self.companies]
        numbers = [line.number for c in self.companies for line in c.lines]
        if len(slugs) != len(set(slugs)):
            raise PlanError("a company is named twice")
        if len(numbers) != len(set(numbers)):
            raise PlanError("a line belongs to two companies")

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> PbxPlan:
        """The plan ``to_json`` wrote; every value is checked again. Raises PlanError for anything else."""
        try:
            rows = json.loads(text)
            return cls(
                companies=tuple(company_from(row) for row in rows["companies"]),
                accounts=tuple(
                    AmiAccount(**{k: frozen(v) for k, v in row.items()}) for row in rows["accounts"]
                ),
                guarded=bool(rows["guarded"]),
                cel=CelDatabase(**rows["cel"]) if rows.get("cel") else None,
            )
        except (ValueError, KeyError, TypeError) as trouble:
            raise PlanError(f"this is no plan of a PBX: {trouble}") from trouble

    def company(self, slug: str) -> CompanyPlan:
        return next(c for c in self.companies if c.slug == slug)

    def account(self, name: str) -> AmiAccount:
        return next(a for a in self.accounts if a.name == name)

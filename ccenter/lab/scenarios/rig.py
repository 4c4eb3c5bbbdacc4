"""What a scenario plays on: one Asterisk, phones by name, callers, and a controlling AMI connection.

The plan is small and quick (rings for 3 s, linear order), each phone has a loopback address of its own, so that
every phone can behave in its own way.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from ccenter.lab import sample
from ccenter.lab.ami import Connection, channel_of, channels
from ccenter.lab.asterisk import Instance
from ccenter.lab.plan import CompanyPlan, IvrPlan, LinePlan, ManagerPlan, PbxPlan, QueuePlan
from ccenter.lab.ports import PBX_HOST
from ccenter.lab.sipp import Caller, Phone, Stage

ROMASHKA_NET, VEKTOR_NET = "127.0.11", "127.0.12"
ROMASHKA, VEKTOR = "romashka", "vektor"
SALES, SUPPORT, VIP, MENU, DIRECT = "74951230001", "74951230002", "88001230000", "74951230003", "74951230101"
VEKTOR_MAIN = "78123330001"
ANNA, IVAN = "79161234567", "79031112233"


class Told(TypedDict, total=False):
    """A call as the scenario did it, by hand. ``outcome``: the disposition to expect; ``answered_by`` in order."""

    caller: str
    company: str
    direction: str
    dialled: str
    outcome: str
    answered_by: list[str]
    rang_without_answer: list[str]
    queues: list[dict[str, Any]]
    note: str


class Story(TypedDict, total=False):
    calls: list[Told]
    not_calls: list[str]
    note: str


Scenario = Callable[["Rig"], Story]


def people(slug: str, net: str, titles: tuple[str, ...], port: int) -> tuple[ManagerPlan, ...]:
    return tuple(
        ManagerPlan(
            name=str(101 + n),
            title=title,
            extension=str(101 + n),
            secret=f"{slug}-{101 + n}-secret",
            contact=f"sip:{slug}_{101 + n}@{net}.{101 + n}:{port}",
        )
        for n, title in enumerate(titles)
    )


def plan(port: int) -> PbxPlan:
    romashka = CompanyPlan(
        slug=ROMASHKA,
        title="ООО «Ромашка»",
        managers=people(ROMASHKA, ROMASHKA_NET, sample.ROMASHKA_NAMES[:8], port),
        queues=(
            QueuePlan("sales", "Продажи", "601", ("101", "102", "103"), "linear", ring_timeout=3, max_wait=9),
            QueuePlan(
                "support", "Поддержка", "602", sample.span(103, 108), "ringall", ring_timeout=6, max_wait=20
            ),
            QueuePlan(
                "vip", "VIP", "603", ("101", "104"), "linear", ring_timeout=4, max_wait=20, via_local=True
            ),
        ),
        ivrs=(IvrPlan("main", keys=(("1", "sales"), ("2", "support")), otherwise="support", wait=3),),
        lines=(
            LinePlan(SALES, "Продажи", "sales"),
            LinePlan(SUPPORT, "Поддержка", "support"),
            LinePlan(MENU, "Главный номер", "main", "ivr"),
            LinePlan(VIP, "VIP 8-800", "vip"),
            LinePlan(DIRECT, "Прямой Анны", "101", "manager"),
        ),
    )
    vektor = CompanyPlan(
        slug=VEKTOR,
        title="Вектор",
        managers=people(VEKTOR, VEKTOR_NET, sample.VEKTOR_NAMES[:3], port),
        queues=(
            QueuePlan("main", "Главная", "601", sample.span(101, 103), "linear", ring_timeout=4, max_wait=20),
        ),
        lines=(LinePlan(VEKTOR_MAIN, "Главный номер", "main"),),
    )
    return PbxPlan(companies=(romashka, vektor), accounts=(sample.PORTAL, sample.RECORDER), guarded=False)


class Tape:
    """Both recordings of one run: an account with every class, and the portal's own."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.running: list[Connection] = []
        self.full = b""
        self.filtered = b""

    def begin(self) -> None:
        """Also again, after the PBX went down: what came before stays on the tape, as in a captured file."""
        self.end()
        port = self.instance.ports.ami
        self.running = [Connection(port, sample.RECORDER), Connection(port, sample.PORTAL)]

    def ask(self, action: str) -> None:
        """Send an action on the recorded connections, so that its answer is on the tape."""
        for connection in self.running:
            connection.act({"Action": action})

    def end(self) -> None:
        if self.running:
            self.full += self.running[0].close()
            self.filtered += self.running[1].close()
        self.running = []


@dataclass(slots=True)
class Rig:
    """``control``: an AMI connection without events. ``tape``: already running unless the scenario is ``late``."""

    instance: Instance
    plan: PbxPlan
    stage: Stage
    control: Connection
    tape: Tape
    placed: dict[str, Phone] = field(default_factory=dict)

    def phones(self, **behaviour: Phone) -> None:
        """``romashka_101=Phone(...)``: these behave so, every other phone rings and is never answered."""
        self.placed.update(behaviour)
        for company in self.plan.companies:
            for manager in company.managers:
                name = company.endpoint(manager.name)
                phone = self.placed.get(name, Phone(deaf=1.0))
                host, _, port = manager.contact.rpartition("@")[2].partition(":")
                self.stage.phones(phone, int(port), host)
        time.sleep(0.4)

    def city(self, phone: Phone) -> None:
        """How numbers outside behave when a manager calls them."""
        self.stage.phones(phone, self.instance.ports.city, "127.0.0.2")

    def call(self, line: str, number: str = ANNA, name: str = "", **more: Any) -> subprocess.Popen[bytes]:
        return self.stage.call(Caller(dials=line, number=number, name=name, **more))

    def dial(self, endpoint: str, number: str, **more: Any) -> subprocess.Popen[bytes]:
        """A manager's phone dials."""
        slug, _, name = endpoint.partition("_")
        manager = next(m for m in self.plan.company(slug).managers if m.name == name)
        caller = Caller(dials=number, number=endpoint, secret=manager.secret, host=PBX_HOST, **more)
        return self.stage.call(caller)

    def restart_pbx(self) -> None:
        """kill -9 and a new start; the tape goes on with the new Asterisk."""
        self.instance.kill()
        self.control.close()
        self.instance.start()
        self.control = Connection(self.instance.ports.ami, sample.RECORDER, events=False)
        self.tape.begin()

    def order(self, action: str, **fields: str) -> dict[str, str]:
        """What the portal would order over AMI."""
        return self.control.act({"Action": action, **fields})

    def channel(self, endpoint: str) -> str:
        return channel_of(self.control, endpoint)["Channel"]

    def quiet(self, seconds: float = 40) -> None:
        """Wait until no channel is left."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not channels(self.control):
                time.sleep(0.4)
                return
            time.sleep(0.2)
        raise TimeoutError(
            f"channels are left after {seconds:g} s: {[c['Channel'] for c in channels(self.control)]}"
        )

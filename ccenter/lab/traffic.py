"""Demo traffic: calls all the time, for hours, against one instance, until SIGTERM.

Bounded in two ways, by the mean time between calls and by the calls alive at once; ended phones are started anew;
on the way out every channel of the instance is hung up, because phones that vanish leave calls that never end.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from subprocess import CalledProcessError, Popen, TimeoutExpired

from ccenter.lab.ami import AmiError, Connection, channels
from ccenter.lab.asterisk import Instance
from ccenter.lab.customers import Planned, burst, next_call
from ccenter.lab.plan import AmiAccount, CompanyPlan, ManagerPlan, PbxPlan
from ccenter.lab.ports import CITY_HOST, PBX_HOST
from ccenter.lab.sipp import Hold, Maybe, Phone, Refer, Stage
from ccenter.lab.speech import voices

LONGEST_CALL = 900.0
RESTART_EVERY = 10.0
SIGN_ON_EVERY = 900.0
AWAY_EVERY, AWAY_FOR = 240.0, 45.0
BURST_EVERY = 150.0

MANAGERS = Phone(
    ring=1.5, slow=0.4, ring_slow=6.0, busy=0.03, deaf=0.09,
    talk=25.0, talks_long=0.45, talk_long=75.0,
    acts=(
        Maybe(0.08, (Refer("601", 8.0),)),
        Maybe(0.08, (Refer("102", 7.0),)),
        Maybe(0.12, (Hold(5.0), Hold(9.0, "sendrecv"))),
    ),
)  # fmt: skip
CITY = Phone(
    host=CITY_HOST,
    ring=3.0,
    slow=0.3,
    ring_slow=9.0,
    busy=0.12,
    deaf=0.2,
    talk=20.0,
    talks_long=0.5,
    talk_long=60.0,
)


@dataclass(slots=True)
class Traffic:
    """``every``: mean seconds between calls; ``most``: calls alive at once; ``pace``: below 1 talks are shorter.

    ``speaks``: both sides say something, so that recordings can be heard.
    """

    instance: Instance
    plan: PbxPlan
    every: float = 4.0
    most: int = 18
    pace: float = 1.0
    seed: int | None = None
    speaks: bool = True
    say: Callable[[str], None] = print
    over: threading.Event = field(default_factory=threading.Event)
    placed: int = 0

    def run(self) -> None:
        """Until ``over`` is set. Survives restarts of Asterisk and of any SIPp process."""
        dice = Random(self.seed)
        folder = (
            self.instance.home / "sipp"
        )  # with the instance, so that even a killed traffic leaves nothing in /tmp
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with Stage(self.instance.ports.sip, logs=False, folder=folder) as stage:
            hang_up_everything(self.instance, self.account())
            play = Play(self, stage, dice, self.voices())
            while not self.over.wait(min(1.0, dice.expovariate(1 / self.every))):
                play.tick()
        hang_up_everything(self.instance, self.account())

    def voices(self) -> tuple[Path, ...]:
        """What is said; nothing where no prompts are installed, and calls go on in silence."""
        if not self.speaks:
            return ()
        try:
            return voices(self.instance.runtime, self.instance.home / "speech")
        except (OSError, CalledProcessError, TimeoutExpired) as trouble:
            self.say(f"calls are silent: {trouble}")
            return ()

    def account(self) -> AmiAccount:
        """The account with every right: it must see channels and hang them up."""
        return max(self.plan.accounts, key=lambda account: len(account.write))


class Play:
    """What is going on at the moment: phones, customers, who is signed on."""

    def __init__(self, traffic: Traffic, stage: Stage, dice: Random, voices: tuple[Path, ...] = ()) -> None:
        self.traffic, self.stage, self.dice, self.voices = traffic, stage, dice, voices
        self.standing: dict[str, Popen[bytes]] = {}
        self.customers: list[tuple[float, Popen[bytes]]] = []
        self.due: list[tuple[float, Planned]] = []
        self.next_call = self.next_burst = self.next_away = 0.0
        self.not_before: dict[str, float] = {}
        self.sign_on: dict[str, float] = {}
        now = time.monotonic()
        self.next_burst, self.next_away = now + 20, now + AWAY_EVERY / 2

    def tick(self) -> None:
        now = time.monotonic()
        if not self.traffic.instance.pid():
            self.sign_on.clear()  # Asterisk is down: phones sign on again when it is back
            return
        self.phones(now)
        self.registrations(now)
        self.stage.tidy()
        self.end_old(now)
        if now >= self.next_burst:
            self.next_burst = now + self.dice.uniform(0.6, 1.4) * BURST_EVERY
            for call in burst(self.traffic.plan, self.dice, self.dice.randint(4, 8), pace=self.traffic.pace):
                self.due.append((now + self.dice.uniform(0, 5), call))
        if now >= self.next_call:
            self.next_call = now + self.dice.expovariate(1 / self.traffic.every)
            self.due.append((now, next_call(self.traffic.plan, self.dice, pace=self.traffic.pace)))
        self.place(now)

    def phones(self, now: float) -> None:
        """Managers' phones and the city must stand; a dead one is replaced."""
        ports = self.traffic.instance.ports
        for name, phone, port in (("managers", MANAGERS, ports.phones), ("city", CITY, ports.city)):
            process = self.standing.get(name)
            if (process is not None and process.poll() is None) or now < self.not_before.get(name, 0.0):
                continue
            if process is not None:
                self.traffic.say(
                    f"SIPp that played {name} on UDP port {port} ended ({process.returncode}; 254 = the port is busy);"
                    f" starting it again every {RESTART_EVERY:g} s"
                )
            self.not_before[name] = now + RESTART_EVERY
            speaking = replace(paced(phone, self.traffic.pace), speech=self.voice())
            self.standing[name] = self.stage.phones(speaking, port)

    def registering(self) -> list[tuple[CompanyPlan, ManagerPlan]]:
        return [(c, m) for c in self.traffic.plan.companies for m in c.managers if not m.contact]

    def registrations(self, now: float) -> None:
        """Phones that register do so in time; now and then one signs off for a while, as people do."""
        who = self.registering()
        if who and now >= self.next_away:
            self.next_away = now + AWAY_EVERY
            company, manager = self.dice.choice(who)
            if self.register(company, manager, expires=0):
                self.sign_on[company.endpoint(manager.name)] = now + AWAY_FOR
        for company, manager in who:
            name = company.endpoint(manager.name)
            if now >= self.sign_on.get(name, 0.0):
                self.register(company, manager, expires=3600)
                self.sign_on[name] = now + SIGN_ON_EVERY * self.dice.uniform(0.8, 1.0)

    def register(self, company: CompanyPlan, manager: ManagerPlan, *, expires: int) -> bool:
        name = company.endpoint(manager.name)
        contact = f"sip:{name}@{PBX_HOST}:{self.traffic.instance.ports.phones}"
        return self.stage.register(name, manager.secret, contact, expires)

    def end_old(self, now: float) -> None:
        for since, process in self.customers:
            if now - since > LONGEST_CALL:
                process.kill()
        self.customers = [(since, process) for since, process in self.customers if process.poll() is None]

    def place(self, now: float) -> None:
        ready = [call for at, call in self.due if at <= now]
        self.due = [(at, call) for at, call in self.due if at > now]
        for call in ready:
            if len(self.customers) >= self.traffic.most or (call.manager and self.engaged(call.manager)):
                continue
            self.customers.append((now, self.stage.call(replace(call.caller, speech=self.voice()))))
            self.traffic.placed += 1

    def voice(self) -> Path | None:
        return self.dice.choice(self.voices) if self.voices else None

    def engaged(self, endpoint: str) -> bool:
        """A manager who talks or is rung does not dial as well."""
        try:
            control = Connection(self.traffic.instance.ports.ami, self.traffic.account(), events=False)
            live = channels(control)
            control.close()
        except (OSError, AmiError):
            return True
        return any(c.get("Channel", "").startswith(f"PJSIP/{endpoint}-") for c in live)


def paced(phone: Phone, pace: float) -> Phone:
    """The same people in a hurry."""
    if math.isclose(pace, 1.0):
        return phone
    quick = max(pace, 0.05)
    return Phone(
        ring=phone.ring * quick, slow=phone.slow, ring_slow=phone.ring_slow * quick, busy=phone.busy,
        deaf=phone.deaf, talk=phone.talk * quick, talks_long=phone.talks_long,
        talk_long=phone.talk_long * quick, acts=phone.acts if quick > 0.5 else (), host=phone.host,
    )  # fmt: skip


def hang_up_everything(instance: Instance, account: AmiAccount) -> None:
    """Ends every channel of the instance; a PBX that is down has none."""
    try:
        control = Connection(instance.ports.ami, account, events=False)
        for _ in range(20):  # a queue rings the next member meanwhile
            live = channels(control)
            for channel in live:
                with contextlib.suppress(AmiError):  # it went by itself
                    control.act({"Action": "Hangup", "Channel": channel["Channel"]})
            if not live:
                break
            time.sleep(0.2)
        control.close()
    except (OSError, AmiError):
        return


def run_until_terminated(traffic: Traffic) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: traffic.over.set())
    traffic.say(
        f"calls to {traffic.instance.name}: one in about {traffic.every:g} s, at most {traffic.most} at once"
    )
    traffic.run()
    traffic.say(f"{traffic.placed} calls were placed")

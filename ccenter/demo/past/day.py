"""One day of calls, played through the people who were there: who rang, who answered, who gave up, who was called back.

Pure: the same seed gives the same facts, with the same keys, so that a past written twice is written once.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ccenter.demo.past import habits
from ccenter.demo.past.shift import Stretch, available_at, next_available
from monitoring.domain.facts import CallFact, Disposition, Fact, LegFact, StepFact, VisitFact, VisitOutcome

MADE_UP = ".9000"  # how a channel's count begins here: no Asterisk lives long enough to count so far


@dataclass(frozen=True, slots=True)
class PastQueue:
    """Seconds; ``max_wait`` 0 = no limit."""

    key: str
    members: tuple[str, ...]
    ringall: bool
    ring_for: float
    max_wait: float
    answer_within: float
    short_abandon: float


@dataclass(frozen=True, slots=True)
class PastLine:
    """Exactly one of ``queues`` (several behind a menu) and ``manager`` is where its calls go."""

    number: str
    queues: tuple[str, ...]
    manager: str
    menu: bool
    weight: float


@dataclass(frozen=True, slots=True)
class PastCompany:
    slug: str
    pbx: str
    managers: tuple[str, ...]
    queues: Mapping[str, PastQueue]
    lines: tuple[PastLine, ...]
    customers: list[tuple[str, str]]
    available: int
    troubled: str


@dataclass(order=True, slots=True)
class Wish:
    """Somebody is about to call: ``manager`` "" = a customer calls in, else this manager calls the customer."""

    at: float
    customer: tuple[str, str] = field(compare=False)
    manager: str = field(default="", compare=False)
    again: int = field(default=0, compare=False)


@dataclass(slots=True)
class Ringing:
    """What came of ringing people for one caller."""

    legs: list[LegFact] = field(default_factory=list)
    steps: list[StepFact] = field(default_factory=list)
    answered_by: str = ""
    at: float = 0.0
    leg: str = ""
    rang: float = 0.0
    timed_out: bool = False


class Day:
    """``start``, ``end``: the day's midnights in the company's zone, epoch seconds."""

    def __init__(
        self,
        company: PastCompany,
        day: date,
        *,
        start: float,
        end: float,
        days_ago: int,
        shifts: Mapping[str, Sequence[Stretch]],
    ) -> None:
        self.company, self.day, self.start, self.end, self.shifts = company, day, start, end, shifts
        self.luck = random.Random(f"{company.slug} {day.isoformat()}")
        self.tempers = {
            name: habits.temper(name, days_ago=days_ago, troubled=company.troubled)
            for name in company.managers
        }
        self.days_ago = days_ago
        self.free_at: dict[str, float] = dict.fromkeys(company.managers, start)
        self.wishes: list[Wish] = []
        self.number = 0

    def facts(self) -> Iterator[Fact]:
        """Everything that happened, call by call in the order in which they began."""
        self._plan()
        while self.wishes:
            wish = heapq.heappop(self.wishes)
            if wish.at >= self.end - 3600:
                continue  # nothing of this day reaches into the next
            yield from self._out(wish) if wish.manager else self._in(wish)

    # ------------------------------------------------------------ who will call
    def _plan(self) -> None:
        people = len(self.company.managers)
        amount = habits.calls_of(self.day, people=people, days_ago=self.days_ago, luck=self.luck)
        rush = habits.rush(self.day, luck=self.luck)
        for _ in range(round(amount)):
            hour = self.luck.choices(range(24), habits.HOURS)[0] + self.luck.random()
            self._wish(self.start + 3600 * hour)
        if rush is not None:
            first, last, times = rush
            for _ in range(round(amount * (times - 1) * (last - first) * 0.1)):
                self._wish(self.start + 3600 * self.luck.uniform(first, last))
        for name in self.company.managers:
            for _ in range(round(self.luck.gauss(habits.OUTGOING_A_DAY, 2))):
                at = self.start + 3600 * self.luck.uniform(9.2, 18.8)
                if available_at(self.shifts[name], at, self.company.available):
                    heapq.heappush(self.wishes, Wish(at, self._customer(), name))

    def _wish(self, at: float) -> None:
        heapq.heappush(self.wishes, Wish(at, self._customer()))

    def _customer(self) -> tuple[str, str]:
        return habits.pick(self.company.customers, self.luck)

    # ------------------------------------------------------------ a customer calls
    def _in(self, wish: Wish) -> Iterator[Fact]:
        line = self.luck.choices(self.company.lines, [line.weight for line in self.company.lines])[0]
        key, now = self._key(wish.at), wish.at
        steps = [StepFact("line", line.number, now, now)]
        now += self.luck.uniform(0.3, 0.8)
        queue = self.luck.choice(line.queues) if line.queues else ""
        if line.menu:
            heard = self.luck.uniform(4, 19)
            pressed = str(1 + line.queues.index(queue)) if self.luck.random() < 0.8 else ""
            steps.append(StepFact("ivr", "main", now, now + heard, pressed))
            now += heard
            if self.luck.random() < 0.03:
                yield self._ended(key, wish, line.number, steps, [], now, "abandoned", "customer")
                return
        if not queue:
            yield from self._straight(key, wish, line, steps, now)
            return
        visits: list[VisitFact] = []
        legs: list[LegFact] = []
        answered = None
        while True:
            ringing = self._queue(key, queue, now, steps, visits)
            legs += ringing.legs
            now = ringing.at
            if not ringing.answered_by:
                break
            answered = answered or now
            leg, now = self._talk(ringing, steps, queue)
            legs.append(leg)
            others = [name for name in self.company.queues if name != queue]
            if not others or self.luck.random() > 0.05:
                break
            queue = self.luck.choice(others)
            steps.append(StepFact("transfer", queue, now, now, f"blind:{ringing.answered_by}"))
            now += 0.01
        over = self._over(answered, visits)
        if over in ("abandoned", "no_answer"):
            if visits and visits[-1].reason == "timeout":
                steps.append(StepFact("voicemail", self.company.slug, now, now + 9.0))
                now += 9.0
            self._lost(wish, now, queue)
        by = legs[-1].manager if answered and self.luck.random() < 0.4 else "customer"
        yield self._ended(key, wish, line.number, steps, legs, now, over, by, answered)
        yield from visits

    def _straight(
        self, key: str, wish: Wish, line: PastLine, steps: list[StepFact], now: float
    ) -> Iterator[Fact]:
        """To one person's own number."""
        name, legs = line.manager, list[LegFact]()
        patience = now + self.luck.expovariate(1 / 25)
        if self.free_at[name] <= now and available_at(self.shifts[name], now, self.company.available):
            ringing = Ringing(answered_by=name, leg=self._uniqueid(now), rang=now)
            ringing.at = now + self.luck.expovariate(1 / self.tempers[name].slow) + 1
            if ringing.at < patience and self.luck.random() < self.tempers[name].answers:
                steps.append(StepFact("ring", name, now, ringing.at, "answered"))
                leg, over = self._talk(ringing, steps, "")
                legs.append(leg)
                yield self._ended(
                    key, wish, line.number, steps, legs, over, "answered", "customer", ringing.at
                )
                return
            legs.append(self._unanswered(ringing.leg, name, "", now, patience, "cancelled"))
            steps.append(StepFact("ring", name, now, patience, "cancelled"))
        yield self._ended(key, wish, line.number, steps, legs, patience, "no_answer", "customer")

    def _queue(
        self, key: str, name: str, joined: float, steps: list[StepFact], visits: list[VisitFact]
    ) -> Ringing:
        """Wait in the queue until somebody answers, patience ends or the queue's limit comes."""
        queue = self.company.queues[name]
        gives_up = joined + self.luck.expovariate(1 / habits.PATIENCE) + 2
        limit = joined + queue.max_wait if queue.max_wait else gives_up + 1
        until = min(gives_up, limit)
        place = len(steps)
        ringing = self._ring(queue, joined, until)
        outcome: VisitOutcome = (
            "answered" if ringing.answered_by else "abandoned" if gives_up < limit else "flow-out"
        )
        steps.insert(place, StepFact("queue", name, joined, ringing.at, outcome))
        steps += ringing.steps
        visits.append(
            VisitFact(
                uniqueid=key.partition(":")[2], call=key, queue=name, joined=joined, left=ringing.at,
                outcome=outcome, reason="timeout" if outcome == "flow-out" else "",
                manager=ringing.answered_by, wait=ringing.at - joined, position=1,
                answer_within=queue.answer_within, short_abandon=queue.short_abandon,
            )
        )  # fmt: skip
        return ringing

    def _ring(self, queue: PastQueue, now: float, until: float) -> Ringing:
        ringing = Ringing()
        while now < until:
            free = [name for name in queue.members if self._is_free(name, now)]
            if not free:
                now = min((self._soonest(name, now) for name in queue.members), default=until)
                continue
            rung = free if queue.ringall else [min(free, key=lambda name: self.free_at[name])]
            answers = {name: now + 1 + self.luck.expovariate(1 / self.tempers[name].slow) for name in rung}
            willing = [name for name in rung if self.luck.random() < self.tempers[name].answers]
            first = min(willing, key=lambda name: answers[name]) if willing else ""
            stop = min(until, now + queue.ring_for)
            if first and answers[first] < stop:
                ringing.answered_by, ringing.at = first, answers[first]
                ringing.rang, ringing.leg = now, self._uniqueid(now)
                ringing.steps.append(StepFact("ring", first, now, ringing.at, "answered"))
                self._rang_in_vain(
                    ringing, queue, [n for n in rung if n != first], now, ringing.at, "cancelled"
                )
                return ringing
            missed = stop < until
            self._rang_in_vain(ringing, queue, rung, now, stop, "missed" if missed else "cancelled")
            now = stop + 1
        ringing.at = until
        return ringing

    def _rang_in_vain(
        self, ringing: Ringing, queue: PastQueue, names: Sequence[str], rang: float, end: float, outcome: str
    ) -> None:
        for name in names:
            ringing.legs.append(self._unanswered(self._uniqueid(rang), name, queue.key, rang, end, outcome))
            ringing.steps.append(StepFact("ring", name, rang, end, outcome))
            self.free_at[name] = max(self.free_at[name], end)

    def _is_free(self, name: str, now: float) -> bool:
        return self.free_at[name] <= now and available_at(self.shifts[name], now, self.company.available)

    def _soonest(self, name: str, now: float) -> float:
        soonest = next_available(self.shifts[name], max(now, self.free_at[name]), self.company.available)
        return self.end if soonest is None else max(soonest, now + 0.5)

    def _talk(self, ringing: Ringing, steps: list[StepFact], queue: str) -> tuple[LegFact, float]:
        """The conversation and when it was over; one in eight has a hold in its middle."""
        name, at = ringing.answered_by, ringing.at
        lasts = min(2400.0, self.luck.lognormvariate(*habits.TALK) * self.tempers[name].talk)
        talk, hold = [(at, at + lasts)], list[tuple[float, float]]()
        if lasts > 60 and self.luck.random() < 0.12:
            pause = self.luck.uniform(8, 55)
            talk = [(at, at + lasts / 2), (at + lasts / 2 + pause, at + lasts + pause)]
            hold = [(at + lasts / 2, at + lasts / 2 + pause)]
        over = talk[-1][1]
        for kind, spans in (("talk", talk), ("hold", hold)):
            steps += [StepFact(kind, name, begin, end) for begin, end in spans]
        steps.sort(key=lambda step: step.at)
        self.free_at[name] = over + self.luck.uniform(4, 25)
        leg = LegFact(
            ringing.leg,
            name,
            queue,
            ringing.rang,
            at,
            over,
            "answered",
            tuple(talk),
            tuple(hold),
            True,
            False,
        )
        return leg, over

    def _lost(self, wish: Wish, now: float, queue: str) -> None:
        """Lost callers call again, or somebody of the queue calls them."""
        if not wish.customer[0] or wish.again > 2:
            return
        if self.luck.random() < habits.RECALL_SHARE:
            heapq.heappush(
                self.wishes, Wish(now + self.luck.uniform(60, 900), wish.customer, "", wish.again + 1)
            )
        elif self.luck.random() < habits.CALL_BACK_SHARE:
            at = now + 60 * self.luck.lognormvariate(2.6, 0.8)
            free = [n for n in self.company.queues[queue].members if self._is_free(n, at)]
            if free:
                heapq.heappush(self.wishes, Wish(at, wish.customer, self.luck.choice(free)))

    # ------------------------------------------------------------ a manager calls
    def _out(self, wish: Wish) -> Iterator[Fact]:
        name, (number, _) = wish.manager, wish.customer
        if not number or not self._is_free(name, wish.at):
            return
        key, now = self._key(wish.at), wish.at
        line = self._line_of(name)
        steps = [StepFact("dial", number, now, now), StepFact("line", line.number, now, now)]
        rings = self.luck.uniform(4, 22)
        uniqueid = key.partition(":")[2]
        if self.luck.random() < 0.28:
            leg = LegFact(uniqueid, name, "", now, None, now + rings, "answered", (), (), True, True)
            self.free_at[name] = now + rings + 2
            over: Disposition = self.luck.choice(("no_answer", "busy"))
            yield self._ended(key, wish, line.number, steps, [leg], now + rings, over, name, direction="out")
            return
        ringing = Ringing(answered_by=name, at=now + rings, leg=uniqueid, rang=now)
        leg, end = self._talk(ringing, steps, "")
        yield self._ended(
            key, wish, line.number, steps, [leg._replace(origin=True)], end, "answered",
            self.luck.choice((name, "customer")), now + rings, direction="out",
        )  # fmt: skip

    def _line_of(self, name: str) -> PastLine:
        """The number this manager's customers see: that of an own queue, rather a plain one than one behind a menu."""
        own = [queue.key for queue in self.company.queues.values() if name in queue.members]
        plain = [line for line in self.company.lines if line.queues and not line.menu]
        return next((line for line in plain if line.queues[0] in own), self.company.lines[0])

    # ------------------------------------------------------------ rows to be
    def _ended(
        self, key: str, wish: Wish, line: str, steps: Sequence[StepFact], legs: Sequence[LegFact], ended: float,
        disposition: Disposition, by: str, answered: float | None = None, direction: str = "in",
    ) -> CallFact:  # fmt: skip
        return CallFact(
            key=key, direction=direction, number=wish.customer[0], name=wish.customer[1], line=line,
            started=wish.at, answered=answered, ended=ended, disposition=disposition, hung_up_by=by,
            legs=tuple(legs), steps=tuple(steps), revision=ended,
        )  # fmt: skip

    @staticmethod
    def _over(answered: float | None, visits: Sequence[VisitFact]) -> Disposition:
        if answered is not None:
            return "answered"
        return "abandoned" if visits[-1].outcome == "abandoned" else "no_answer"

    @staticmethod
    def _unanswered(uniqueid: str, name: str, queue: str, rang: float, end: float, outcome: str) -> LegFact:
        return LegFact(uniqueid, name, queue, rang, None, end, outcome, (), ())

    def _key(self, at: float) -> str:
        return f"{self.company.pbx}:{self._uniqueid(at)}"

    def _uniqueid(self, at: float) -> str:
        """As Asterisk counts them, apart from those of the demo's real calls."""
        self.number += 1
        return f"{int(at)}{MADE_UP}{self.number:05d}"

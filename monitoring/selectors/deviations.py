"""People and hours outside the usual, each with the calls that made it so.

A person is compared with the own last eight weeks (days of the same kind, working or free) and with the peers of the
same group in the same period; an hour of a day with the same hour of such days. Call it inside ``company_scope``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from monitoring.domain import periods
from monitoring.domain.metric import Metric
from monitoring.domain.metrics import METRICS
from monitoring.domain.robust import OUTLIER, OUTLIER_OF_MANY, Usual, usual
from monitoring.domain.statistics import Answer, Question, Scope
from monitoring.models.people import Group, Manager
from monitoring.models.policy import Policy
from monitoring.selectors import explain, statistics
from monitoring.selectors.policy import policy

WEEKS: Final = 8
LEAST_WEEKS: Final = 4  # of a person's own past, else there is no usual yet
LEAST_PEERS: Final = 3
LEAST_DAYS: Final = 8  # on which an hour was seen before
LONGEST_HOURS: Final = 31  # days in which single hours are looked at

Against = Literal["own", "peers", "hours"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A metric that is looked at. ``volume``: raw counts whose sum must reach ``least`` for a value to mean anything.

    ``floor``: what is no difference yet, in the metric's unit. ``least_difference``: what nobody would care about.
    """

    metric: Metric
    volume: tuple[str, ...]
    least: float
    floor: float
    least_difference: float


PEOPLE: Final = (
    Judged(METRICS["missed_share"], ("missed", "handled_in"), 10, 0.03, 0.1),
    Judged(METRICS["aht"], ("handled",), 10, 15.0, 45.0),
    Judged(METRICS["hold"], ("handled",), 10, 5.0, 20.0),
    Judged(METRICS["wrap_up"], ("handled",), 10, 5.0, 20.0),
    Judged(METRICS["break_share"], ("available", "break"), 4 * 3600, 0.05, 0.15),
    Judged(METRICS["unregistered_share"], ("available",), 4 * 3600, 0.02, 0.1),
)
HOURS: Final = (
    Judged(METRICS["offered"], ("offered",), 10, 3.0, 8.0),
    Judged(METRICS["abandonment"], ("offered",), 20, 0.03, 0.15),
    Judged(METRICS["queue_wait"], ("answered", "abandoned"), 10, 5.0, 30.0),
)


@dataclass(frozen=True, slots=True)
class Deviation:
    """``value`` against what is ``usual``, ``z`` robust scales away. ``bad``: on the metric's bad side.

    ``against`` own, peers: ``manager`` is the person, ``group`` the peers' group (id and title, 0 and "" for own).
    hours: ``at`` is the beginning of the hour. ``calls``: ids of the calls that weigh most in it, heaviest first.
    """

    against: Against
    metric: Metric
    value: float
    usual: float
    z: float
    volume: float
    bad: bool
    manager: int | None = None
    name: str = ""
    group: int = 0
    group_title: str = ""
    at: float | None = None
    calls: tuple[int, ...] = ()

    @property
    def above(self) -> bool:
        return self.z > 0


def deviations(question: Question, *, most: int = 12, now: float | None = None) -> tuple[Deviation, ...]:
    """What stands out in the question's period, scope and audience; the worst first, bad ones before good ones.

    Bucket and split of the question are not regarded. Raises BadQuestion.
    """
    periods.check(question)
    statistics.check_keys(question)
    moment = timezone.now().timestamp() if now is None else now
    kept = policy()
    found = list(_people(question, kept, moment))
    if question.scope.kind != "manager" and (question.last - question.first).days < LONGEST_HOURS:
        found += _hours(question, kept, moment)
    # The same person by the same metric is told once, by what says it loudest.
    loudest: dict[tuple[str, int | None, float | None], Deviation] = {}
    for one in sorted(found, key=lambda one: abs(one.z)):
        loudest[one.metric.key, one.manager, one.at] = one
    ranked = sorted(loudest.values(), key=lambda one: (not one.bad, -abs(one.z)))[:most]
    return tuple(replace(one, calls=_calls(question, one, moment)) for one in ranked)


def sentence(deviation: Deviation) -> str:
    """What stands out, said to a person in the language in force."""
    metric, places = deviation.metric, {
        "who": deviation.name, "metric": pgettext("metric", deviation.metric.title),
        "value": shown(deviation.metric, deviation.value), "usual": shown(deviation.metric, deviation.usual),
        "group": deviation.group_title,
    }  # fmt: skip
    if deviation.against == "hours":
        return _("%(metric)s: %(value)s, at this hour usually %(usual)s") % places
    if metric.key == "missed_share" and deviation.above:
        if deviation.against == "peers":
            return (
                _(
                    "%(who)s misses calls while the status says available: %(value)s, colleagues in %(group)s %(usual)s"
                )
                % places
            )
        return (
            _(
                "%(who)s misses more calls than before while the status says available: %(value)s, usually %(usual)s"
            )
            % places
        )
    if deviation.against == "peers":
        return _("%(who)s: %(metric)s is %(value)s, colleagues in %(group)s %(usual)s") % places
    return _("%(who)s: %(metric)s is %(value)s, usually %(usual)s") % places


def shown(metric: Metric, value: float) -> str:
    """A value with its unit, short."""
    if metric.unit == "share":
        return _("%(share)s %%") % {"share": round(value * 100)}
    if metric.unit == "seconds":
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes}:{seconds:02}"
    return f"{value:.0f}" if metric.unit == "count" else f"{value:.1f}"


def _people(question: Question, kept: Policy, now: float) -> Iterator[Deviation]:
    if question.scope.kind not in ("company", "group", "manager"):
        return
    metrics = [judged.metric for judged in PEOPLE]
    asked = replace(question, bucket="total", split="manager")
    present = {row.key: row.counts for row in statistics.answer(asked, metrics=metrics, now=now).rows}
    names = dict(Manager.objects.filter(pk__in=[int(key) for key in present]).values_list("pk", "title"))
    past = _past_weeks(question, kept, now)
    for key, counts in present.items():
        for judged in PEOPLE:
            if (value := _value(judged, counts)) is None:
                continue
            sample = [old for week in past.get(key, {}).values() if (old := _value(judged, week)) is not None]
            if len(sample) >= LEAST_WEEKS:
                found = _judge(judged, value, sample, _volume(judged, counts), "own")
                if found is not None:
                    yield replace(found, manager=int(key), name=names.get(int(key), ""))
    for group, title in _groups(question):
        yield from _peers(question, group, title, names, now)


def _peers(
    question: Question, group: int, title: str, names: Mapping[int, str], now: float
) -> Iterator[Deviation]:
    metrics = [judged.metric for judged in PEOPLE]
    asked = replace(question, bucket="total", split="manager", scope=Scope("group", str(group)))
    rows = {row.key: row.counts for row in statistics.answer(asked, metrics=metrics, now=now).rows}
    for judged in PEOPLE:
        values = {key: value for key, counts in rows.items() if (value := _value(judged, counts)) is not None}
        for key, value in values.items():
            peers = [other for who, other in values.items() if who != key]
            if len(peers) < LEAST_PEERS:
                continue
            if question.scope.kind == "manager" and key != question.scope.key:
                continue
            found = _judge(judged, value, peers, _volume(judged, rows[key]), "peers")
            if found is not None:
                name = names.get(int(key), "")
                yield replace(found, manager=int(key), name=name, group=group, group_title=title)


def _hours(question: Question, kept: Policy, now: float) -> Iterator[Deviation]:
    metrics = [judged.metric for judged in HOURS]
    asked = replace(question, bucket="hour", split=None)
    present = statistics.answer(asked, metrics=metrics, now=now)
    past = statistics.answer(_before(asked), metrics=metrics, now=now)
    known: dict[tuple[bool, int], list[dict[str, float]]] = defaultdict(list)
    for row in past.rows:
        if row.at is not None:
            known[_kind_of_hour(row.at, question.zone, kept)].append(row.counts)
    for row in present.rows:
        if row.at is None or row.at > now - 3600:
            continue  # an hour that is not over is no hour to judge
        others = known[_kind_of_hour(row.at, question.zone, kept)]
        for judged in HOURS:
            value = _value(judged, row.counts)
            sample = [old for counts in others if (old := judged.metric.value(counts)) is not None]
            if value is None or len(sample) < LEAST_DAYS:
                continue
            found = _judge(judged, value, sample, _volume(judged, row.counts), "hours")
            if found is not None and (found.bad or judged.metric.direction == "neutral"):
                yield replace(found, at=row.at)


def _judge(
    judged: Judged, value: float, sample: list[float], volume: float, against: Against
) -> Deviation | None:
    share = volume if judged.metric.unit == "share" and judged.least < 3600 else None
    yardstick: Usual = usual(sample, floor=judged.floor, share_of=share)
    z = yardstick.z(value)
    limit = OUTLIER_OF_MANY if against == "hours" else OUTLIER
    if abs(z) < limit or abs(value - yardstick.middle) < judged.least_difference:
        return None
    better = {"lower_is_better": z < 0, "higher_is_better": z > 0, "neutral": False}[judged.metric.direction]
    return Deviation(against, judged.metric, value, yardstick.middle, z, volume, bad=not better)


def _value(judged: Judged, counts: Mapping[str, float]) -> float | None:
    return judged.metric.value(counts) if _volume(judged, counts) >= judged.least else None


def _volume(judged: Judged, counts: Mapping[str, float]) -> float:
    return sum(counts.get(key, 0.0) for key in judged.volume)


def _before(question: Question) -> Question:
    """The eight weeks before the period."""
    return replace(
        question, first=question.first - timedelta(days=7 * WEEKS), last=question.first - timedelta(days=1)
    )


def _past_weeks(question: Question, kept: Policy, now: float) -> dict[str, dict[int, dict[str, float]]]:
    """Manager → week before the period → counts over its days of the kinds the period has."""
    asked = _before(replace(question, bucket="day", split="manager"))
    kinds = {_works(day, kept) for day in periods.days_between(question.first, question.last)}
    answer: Answer = statistics.answer(asked, metrics=[judged.metric for judged in PEOPLE], now=now)
    found: dict[str, dict[int, dict[str, float]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(float))
    )
    for row in answer.rows:
        assert row.at is not None, "days have a beginning"
        day = datetime.fromtimestamp(row.at, ZoneInfo(question.zone)).date()
        if _works(day, kept) in kinds:
            week = found[row.key][(question.first - day).days // 7]
            for name, value in row.counts.items():
                week[name] += value
    return found


def _works(day: date, kept: Policy) -> bool:
    return day.isoweekday() in kept.work_days


def _kind_of_hour(at: float, zone: str, kept: Policy) -> tuple[bool, int]:
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return _works(local.date(), kept), local.hour


def _groups(question: Question) -> list[tuple[int, str]]:
    groups = Group.objects.live()
    if question.groups is not None:
        groups = groups.filter(pk__in=question.groups)
    if question.scope.kind == "group":
        groups = groups.filter(pk=int(question.scope.key))
    return list(groups.values_list("pk", "title"))


def _calls(question: Question, deviation: Deviation, now: float, most: int = 20) -> tuple[int, ...]:
    """The calls that weigh most in the figure's numerator."""
    asked = replace(question, bucket="total", split=None)
    if deviation.manager is not None:
        asked = replace(asked, scope=Scope("manager", str(deviation.manager)))
        if deviation.group:
            asked = replace(asked, groups=frozenset({deviation.group}))
        elif question.scope.kind == "group":
            asked = replace(asked, groups=frozenset({int(question.scope.key)}))
    elif deviation.at is not None:
        asked = replace(asked, bucket="hour")
    told = explain.explain(asked, deviation.metric.key, at=deviation.at, limit=explain.MOST_ENTRIES, now=now)
    heavy = sorted(
        (entry for entry in told.entries if entry.top > 0), key=lambda entry: (-entry.top, -entry.at)
    )
    return tuple(dict.fromkeys(entry.call for entry in heavy if entry.call is not None))[:most]

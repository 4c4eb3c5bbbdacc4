"""Norms against the board of this moment: an alert begins, worsens, is eased and ends; people see and take it.

``told`` is the one door others listen at: hooks run inside the transaction that wrote the news.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.bus import BusAway
from monitoring.domain.audience import board_for
from monitoring.domain.limits import RANK, Level, Limits, Standing, judge
from monitoring.domain.metrics import Metric
from monitoring.domain.statistics import Scope
from monitoring.domain.troubles import value_of, watched
from monitoring.domain.watching import Sight, counts
from monitoring.models.alerts import Alert, AlertRule, AlertWatch
from monitoring.models.audit import Outcome
from monitoring.models.norms import NormScope
from monitoring.models.people import Group
from monitoring.models.profiles import Profile
from monitoring.models.queues import Queue
from monitoring.selectors.norms import NormBook, norm_book
from monitoring.selectors.profiles import counted_groups, seen_by, with_switch
from monitoring.services import audit, webhooks
from monitoring.services.board import Entities, board_now
from monitoring.services.errors import NotThere, Refused
from tenants.people.models import User
from tenants.people.roles import Verb, can
from tenants.scope import current_company

What = Literal["began", "worse", "ended"]
MOST_POINTS = 240


@dataclass(frozen=True, slots=True)
class News:
    """Something others may want to tell of: webhooks, for instance."""

    alert: Alert
    what: What


told: list[Callable[[News], None]] = [webhooks.note_alert]


@dataclass(frozen=True, slots=True)
class Post:
    """One scope to watch. ``audience``: whose board is looked at; ``groups``: who may see its alerts."""

    kind: NormScope
    number: int
    title: str
    groups: list[int]
    sight: Sight
    limits: Mapping[str, Limits]
    audience: frozenset[int] | None = None


def look(now: float | None = None) -> list[News]:
    """Judge every watched norm of the company in scope by the live board; returns the news, which is stored.

    Two at once: the second does nothing. Without a connection to every PBX nothing is judged and nothing ends.
    """
    moment = time.time() if now is None else now
    try:
        entities, cause = board_now()
    except BusAway:
        entities, cause = {}, "bus"
    with transaction.atomic():
        if not _alone():
            return []
        _write_watch(moment, cause)
        if cause:
            return []
        news = list(_judge_all(entities, moment))
        for one in news:
            for hook in told:
                hook(one)
    return news


def mark_seen(*, actor: User, alert: Alert) -> None:
    """``actor`` has seen it; the first one stays. Raises Refused."""
    _demand(actor, alert)
    if Alert.objects.filter(pk=alert.pk, seen_at__isnull=True).update(seen_by=actor, seen_at=timezone.now()):
        audit.record(actor=actor, verb=Verb.SEE_ALERTS, kind="alert", what=alert, details={"seen": True})


def take(*, actor: User, alert: Alert) -> None:
    """``actor`` sees to it from now on, whoever did before. Raises Refused, NotThere (it is over)."""
    _demand(actor, alert)
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert.pk, ended__isnull=True).update(owner=actor):
            raise NotThere(_("This alert is over."))
        Alert.objects.filter(pk=alert.pk, seen_at__isnull=True).update(seen_by=actor, seen_at=timezone.now())
        audit.record(actor=actor, verb=Verb.SEE_ALERTS, kind="alert", what=alert, details={"taken": True})


def set_rule(*, actor: User, rule: AlertRule) -> None:
    """One's own wish for letters. Raises Refused."""
    if not can(actor, Verb.SEE_ALERTS):
        raise Refused(_("You may not change this."))
    values = {"letters": rule.letters, "quiet_from": rule.quiet_from, "quiet_until": rule.quiet_until}
    AlertRule.objects.update_or_create(user=actor, defaults=values)


def _demand(actor: User, alert: Alert) -> None:
    if not can(actor, Verb.SEE_ALERTS, alert):
        audit.record(actor=actor, verb=Verb.SEE_ALERTS, kind="alert", what=alert, outcome=Outcome.REFUSED)
        raise Refused(_("You may not do this."))


# what is looked at


def _posts(book: NormBook) -> Iterator[Post]:
    groups = {group.pk: group.title for group in Group.objects.live()}
    for queue in Queue.objects.live().prefetch_related("groups"):
        own = sorted(group.pk for group in queue.groups.all() if group.pk in groups)
        limits = book.of(Scope("queue", str(queue.pk)))
        sight = Sight(queues=frozenset({queue.pbx_name}))
        yield Post(NormScope.QUEUE, queue.pk, queue.title, own, sight, limits)
    for pk, title in groups.items():
        limits = book.of(Scope("group", str(pk)))
        yield Post(NormScope.GROUP, pk, title, [pk], Sight(groups=frozenset({pk})), limits)
    in_use = with_switch(Profile.objects.live().select_related("maker")).filter(is_on=True)
    for profile in in_use:
        if not book.own(NormScope.PROFILE, profile.pk):
            continue
        counted = counted_groups(profile)
        yield Post(
            NormScope.PROFILE,
            profile.pk,
            profile.title,
            sorted(counted or ()),
            seen_by(profile, profile.maker).sight,
            book.of(Scope(), profile=profile.pk),
            counted,
        )


def _judge_all(entities: Entities, now: float) -> Iterator[News]:
    book = norm_book()
    standing = {
        (row.scope, row.scope_id, row.metric): row
        for row in Alert.objects.select_for_update().filter(ended__isnull=True)
    }
    for post in _posts(book):
        pairs = watched(post.kind.value, post.limits)
        if not pairs:
            continue
        raw = counts(_cut(entities, post.audience, now), post.sight, now)
        for metric, limits in pairs:
            alert = standing.pop((post.kind.value, post.number, metric.key), None)
            yield from _judge(alert, post, metric, limits, value_of(metric, raw), now)
    for alert in standing.values():  # its norm, queue or profile is no more
        yield _end(alert, now)


def _cut(entities: Entities, audience: frozenset[int] | None, now: float) -> Entities:
    if audience is None:
        return entities
    board = board_for(audience, now, entities)
    return {(kind, key): row for kind, rows in board.items() if kind != "at" for key, row in rows.items()}


def _judge(
    alert: Alert | None, post: Post, metric: Metric, limits: Limits, value: float | None, now: float
) -> Iterable[News]:
    before = Standing() if alert is None else Standing(_level(alert.level), _epoch(alert.easing_since))
    after = judge(limits, before, value, now)
    if alert is None:
        if after.level == "good":
            return []
        made = Alert(
            metric=metric.key, scope=post.kind, scope_id=post.number, scope_title=post.title,
            groups=post.groups, level=after.level, worst_level=after.level, began=_moment(now),
        )  # fmt: skip
        _update(made, limits, after, value, now)
        return [News(made, "began")]
    if after.level == "good":
        return [_end(alert, now, value)]
    alert.groups = post.groups
    worse = RANK[after.level] > RANK[alert.worst_level]
    if worse:
        alert.worst_level = after.level
    _update(alert, limits, after, value, now)
    return [News(alert, "worse")] if worse else []


def _update(alert: Alert, limits: Limits, after: Standing, value: float | None, now: float) -> None:
    alert.level, alert.value = after.level, value
    alert.limit = limits.limit(alert.worst_level)
    alert.easing_since = None if after.easing_since is None else _moment(after.easing_since)
    if value is not None and (alert.worst is None or limits.sign * (value - alert.worst) > 0):
        alert.worst = value
    _add_point(alert, value, now)
    alert.save()


def _end(alert: Alert, now: float, value: float | None = None) -> News:
    alert.ended, alert.level, alert.easing_since = _moment(now), "good", None
    alert.value = value
    _add_point(alert, value, now)
    alert.save()
    return News(alert, "ended")


def _add_point(alert: Alert, value: float | None, now: float) -> None:
    """A long alert keeps its whole shape in a bounded row: every other of its older moments goes."""
    points: list[Any] = [*alert.points, [round(now), None if value is None else round(value, 4)]]
    if len(points) > MOST_POINTS:
        points = [*points[: MOST_POINTS // 2 : 2], *points[MOST_POINTS // 2 :]]
    alert.points = points


def _alone() -> bool:
    """Whether no other worker looks at this company's norms in this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"alerts:{current_company()}"]
        )
        return bool(cursor.fetchone()[0])


def _write_watch(now: float, cause: str) -> None:
    row = AlertWatch.objects.filter(pk=1).first() or AlertWatch()
    if cause:
        row.blind_since = row.blind_since or _moment(now)
    else:
        row.looked_at, row.blind_since = _moment(now), None
    row.cause = cause
    row.save()


def _level(text: str) -> Level:
    return "alarm" if text == "alarm" else "warn" if text == "warn" else "good"


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()

"""Which limits stand for whom: the profile's own, else the queue's, else the group's, else the company's, else
the usual ones of the registry. Live panel, reports and alerts all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from monitoring.domain.limits import HOLD, Limits, Source, SourceKind
from monitoring.domain.metrics import METRICS, Metric
from monitoring.domain.statistics import Scope
from monitoring.models.norms import Norm
from monitoring.models.people import Manager
from monitoring.models.queues import Queue

Key = tuple[str, int]


def graded() -> list[Metric]:
    """The metrics that can have a norm: those of which one side is bad."""
    return [metric for metric in METRICS.values() if metric.direction != "neutral"]


def norms_for(scope: Scope | None = None, *, profile: int | None = None) -> dict[str, Limits]:
    """Limits of every metric that has some, as they stand for ``scope`` seen through ``profile``.

    Metric key → limits, whose ``source`` says where they came from. For many scopes at once take ``norm_book``.
    """
    return norm_book().of(scope, profile=profile)


@dataclass(frozen=True, slots=True)
class NormBook:
    """All norms of the company, read once. Two or three queries whatever is asked of it."""

    rows: Mapping[Key, Mapping[str, Norm]]
    queue_groups: Mapping[int, frozenset[int]] = field(default_factory=dict)
    manager_groups: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def of(self, scope: Scope | None = None, *, profile: int | None = None) -> dict[str, Limits]:
        chain = list(self._chain(scope or Scope(), profile))
        found = ((metric, self._limits(metric, chain)) for metric in graded())
        return {metric.key: limits for metric, limits in found if limits is not None}

    def limits(
        self, metric: Metric, scope: Scope | None = None, *, profile: int | None = None
    ) -> Limits | None:
        """The limits of one metric; None when it has none, not even usual ones."""
        return self._limits(metric, list(self._chain(scope or Scope(), profile)))

    def own(self, kind: str, number: int = 0) -> Mapping[str, Norm]:
        """What exactly this scope has of its own: metric key → row."""
        return self.rows.get((kind, number), {})

    def _chain(self, scope: Scope, profile: int | None) -> Iterator[tuple[SourceKind, int]]:
        if profile is not None:
            yield "profile", profile
        number = int(scope.key) if scope.key.isdecimal() and scope.kind != "line" else 0
        if scope.kind == "queue":
            yield "queue", number
            yield from self._lone_group(self.queue_groups.get(number, frozenset()))
        elif scope.kind == "manager":
            yield from self._lone_group(self.manager_groups.get(number, frozenset()))
        elif scope.kind == "group":
            yield "group", number
        yield "company", 0

    @staticmethod
    def _lone_group(groups: frozenset[int]) -> Iterator[tuple[SourceKind, int]]:
        # Of several groups none could say why its norm should be the queue's: the company's stands then.
        if len(groups) == 1:
            yield "group", next(iter(groups))

    def _limits(self, metric: Metric, chain: list[tuple[SourceKind, int]]) -> Limits | None:
        for kind, number in chain:
            row = self.rows.get((kind, number), {}).get(metric.key)
            if row is not None:
                source = Source(kind, str(number) if number else "")
                return Limits(
                    metric.key, metric.direction, row.warning, row.alarm, row.margin, row.hold, source
                )
        if metric.norm is None:
            return None
        return Limits(metric.key, metric.direction, metric.norm.warn, metric.norm.alarm, None, HOLD)


def norm_book() -> NormBook:
    """The company's norms as they are now. Inside ``company_scope``."""
    rows: dict[Key, dict[str, Norm]] = {}
    for norm in Norm.objects.all():
        rows.setdefault((norm.scope, norm.scope_id), {})[norm.metric] = norm
    if not any(kind == "group" for kind, _number in rows):
        return NormBook(rows)  # who belongs to which group makes no difference then
    return NormBook(
        rows,
        _pairs(Queue.objects.filter(groups__archived_at__isnull=True).values_list("pk", "groups")),
        _pairs(Manager.objects.filter(groups__archived_at__isnull=True).values_list("pk", "groups")),
    )


def _pairs(pairs: Iterable[tuple[int, int | None]]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for number, group in pairs:
        if group is not None:
            found.setdefault(number, set()).add(group)
    return {number: frozenset(groups) for number, groups in found.items()}

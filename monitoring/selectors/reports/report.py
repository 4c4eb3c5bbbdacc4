"""What every page of the statistics starts from: the answer, the one before it, the norms, and addresses of figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.limits import Limits
from monitoring.domain.metric import Metric
from monitoring.domain.metrics import METRICS
from monitoring.domain.periods import slots
from monitoring.domain.statistics import Answer, Bucket, Gap, Row, Scope, ScopeKind
from monitoring.models.calls import Call
from monitoring.selectors.norms import NormBook, norm_book
from monitoring.selectors.reports.ask import Ask, previous
from monitoring.selectors.reports.blocks import Block, Cell, Column, sparkline
from monitoring.selectors.reports.figures import Figure, figure, norm_words, word_of
from monitoring.selectors.reports.wording import meaning_of, moment, period, shown, title_of
from monitoring.selectors.statistics import answer

Counts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Hole:
    """A window of blindness in words. ``open``: it lasts."""

    text: str
    settled: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Report:
    """``last``: when the last call before the end of an empty period was, "" when there is none at all."""

    page: str
    title: str
    about: str
    period: str
    compared: str
    figures: tuple[tuple[Figure, str], ...]
    blocks: tuple[Block, ...]
    holes: tuple[Hole, ...]
    empty: bool
    last: str


class Source:
    """Asks each question once for all blocks of a page."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.norms: NormBook = norm_book()
        self._known: dict[tuple[Bucket, ScopeKind | None], Answer] = {}
        self._before: Counts | None = None

    def answer(self, bucket: Bucket = "total", split: ScopeKind | None = None) -> Answer:
        key = (bucket, split)
        if key not in self._known:
            self._known[key] = answer(self.ask.question(bucket=bucket, split=split))
        return self._known[key]

    @property
    def total(self) -> Counts:
        return self.answer().total

    @property
    def before(self) -> Counts | None:
        """The counts of the time before; None when nobody wants to compare."""
        if self._before is None and self.ask.compare:
            self._before = answer(previous(self.ask).question()).total
        return self._before

    def series(self) -> tuple[Row, ...]:
        """One row for every bucket up to now, those in which nothing happened too: a chart must not skip a day."""
        question = self.ask.question(bucket=self.ask.shown_bucket)
        known = {row.at: row for row in self.answer(self.ask.shown_bucket).rows}
        now = timezone.now().timestamp()
        labels = dict.fromkeys(slot.at for slot in slots(question) if slot.begin <= now)
        return tuple(known.get(at) or Row(at, "", {}) for at in labels)

    def exists(self, metric: Metric, split: ScopeKind | None = None) -> bool:
        """Whether the figure is known for what is asked about."""
        return {self.ask.scope.kind, split or "company"} <= metric.scopes

    def metrics(self, keys: Iterable[str], split: ScopeKind | None = None) -> list[Metric]:
        return [METRICS[key] for key in keys if self.exists(METRICS[key], split)]

    def explain(
        self,
        metric: str,
        *,
        split: ScopeKind | None = None,
        key: str = "",
        bucket: str = "",
        at: float | None = None,
    ) -> str:
        """Query of the page that says how the figure was counted."""
        more = {"metric": metric, "split": split or "", "key": key, "cell": bucket}
        if at is not None:
            more["at"] = f"{at:g}" if bucket == "weekday_hour" else repr(at)
        own = {
            name: value for name, value in self.ask.parameters().items() if name not in ("bucket", "compare")
        }
        return urlencode({**own, **{name: value for name, value in more.items() if value}})

    def figures(self, keys: Sequence[str]) -> tuple[tuple[Figure, str], ...]:
        """Figures that exist for the scope, each with the points of its small curve over the period."""
        limits = self.norms.of(self.ask.scope)
        rows = self.series() if self.ask.days > 1 or self.ask.shown_bucket != "day" else ()
        found = []
        for metric in self.metrics(keys):
            curve = sparkline([metric.value(row.counts) for row in rows])
            found.append((
                figure(
                    metric, self.total, limits=limits.get(metric.key), before=self.before,
                    explain=self.explain(metric.key),
                ),
                curve,
            ))  # fmt: skip
        return tuple(found)

    def columns(self, metrics: Sequence[Metric]) -> tuple[Column, ...]:
        limits = self.norms.of(self.ask.scope)
        return tuple(
            Column(
                metric.key, title_of(metric), meaning_of(metric), norm_words(metric, limits.get(metric.key))
            )
            for metric in metrics
        )

    def cells(
        self,
        metrics: Sequence[Metric],
        counts: Counts,
        *,
        norms: Mapping[str, Limits],
        explain: Mapping[str, str],
    ) -> tuple[Cell, ...]:
        found = []
        for metric in metrics:
            value = metric.value(counts)
            limit = norms.get(metric.key)
            # A count's norm is for the whole company's day: a row of a table is not judged by it.
            grade = limit.grade(value) if limit is not None and metric.unit != "count" else "none"
            found.append(
                Cell(shown(value, metric.unit), value, grade, word_of(grade), explain.get(metric.key, ""))
            )
        return tuple(found)

    def report(
        self, page: str, title: str, about: str, figures: Sequence[str], blocks: Sequence[Block | None]
    ) -> Report:
        empty = not any(value for value in self.total.values())
        return Report(
            page, title, about, period(self.ask.first, self.ask.last), self._compared(),
            () if empty else self.figures(figures),
            () if empty else tuple(block for block in blocks if block is not None),
            tuple(hole(gap, self.ask.zone) for gap in self.answer().gaps),
            empty, self._last_call() if empty else "",
        )  # fmt: skip

    def _compared(self) -> str:
        if not self.ask.compare:
            return ""
        earlier = previous(self.ask)
        return _("compared with %(period)s") % {"period": period(earlier.first, earlier.last)}

    def _last_call(self) -> str:
        calls = Call.objects.filter(ended__isnull=False, merged_into="")
        if self.ask.groups is not None:
            calls = calls.filter(groups__overlap=sorted(self.ask.groups))
        started = calls.order_by("-started").values_list("started", flat=True).first()
        return moment(started.timestamp(), self.ask.zone) if isinstance(started, datetime) else ""


def hole(gap: Gap, zone: str) -> Hole:
    begin, end = moment(gap.begin, zone), "" if gap.end is None else moment(gap.end, zone)
    if end[:10] == begin[:10]:
        end = end[11:]
    if gap.end is None:
        text = _("since %(begin)s the PBX has not been heard: figures are incomplete") % {"begin": begin}
    elif gap.settled:
        text = _("%(begin)s–%(end)s the PBX was not heard; filled in since from its own records") % {
            "begin": begin, "end": end,
        }  # fmt: skip
    else:
        text = _("%(begin)s–%(end)s the PBX was not heard: figures are incomplete") % {
            "begin": begin,
            "end": end,
        }
    return Hole(text, gap.settled, gap.end is None)


def scope_query(ask: Ask, kind: ScopeKind, key: str) -> str:
    """Query of the same report about one queue, line or person."""
    return replace(ask, scope=Scope(kind, key)).query()

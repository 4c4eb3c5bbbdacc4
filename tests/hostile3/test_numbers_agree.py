"""One figure, however it is asked for: live panel, rows, sums, explanation, API, page, file say the same of real calls.

A recorded day of two companies is reduced and stored as a collector would; then everybody who counts is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.domain.counts import VISITS
from monitoring.domain.facts import Fact
from monitoring.domain.metrics import METRICS
from monitoring.domain.statistics import Question, Scope
from monitoring.domain.switchboard import Switchboard
from monitoring.models import Call, Leg, LostCall, Queue, QueueVisit
from monitoring.selectors.explain import explain
from monitoring.selectors.statistics import answer, answer_from_rows
from monitoring.services import exports, ingest, journal_export, report_tables, rollups
from monitoring.services.exports import Asked
from tenants.models import Company
from tenants.people import tokens
from tenants.scope import company_scope
from tests.domain.streams import companies, events, furnished
from tests.factories.staff import Staff, make_manager, make_staff

STREAM = "mixed.filtered.ami.gz"
HOMES = ("alpha", "beta")
ZONE = "Europe/Moscow"
REGISTERED = (journal_export, report_tables)
LIVE = (
    "offered", "answered", "answered_within", "abandoned", "short_abandoned", "flow_out", "wait_answered",
)  # fmt: skip


class Home(NamedTuple):
    slug: str
    staff: Staff
    board: Any
    first: date
    last: date

    def question(self, **more: Any) -> Question:
        return Question(scope=Scope(), first=self.first, last=self.last, zone=ZONE, **more)

    def client(self) -> Client:
        with company_scope(self.slug):
            _row, token = tokens.issue(user=self.staff.admin, name="t", scopes=("statistics", "calls"))
        return Client(headers={"host": f"{self.slug}.localhost", "authorization": f"Bearer {token}"})

    @property
    def days(self) -> dict[str, str]:
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


@pytest.fixture
def homes(alpha: Company, beta: Company) -> list[Home]:
    """The recorded companies' rows in the two the tests have, their people and queues set up as rows."""
    known = furnished(STREAM, 0.0)
    switchboard = Switchboard("1", {name: directory for name, (directory, _standing) in known.items()})
    told: dict[str, list[list[Fact]]] = {name: [] for name in companies(STREAM)}
    for event in events(STREAM):
        switchboard.feed(event)
        for changes in switchboard.drain():
            told[changes.company].append(list(changes.facts))
    switchboard.finish()
    for changes in switchboard.drain():
        told[changes.company].append(list(changes.facts))
    made = []
    for slug, name in zip(HOMES, sorted(told), strict=True):
        staff, directory = make_staff(slug), known[name][0]
        with company_scope(slug):
            for number, key in enumerate(sorted(queue.key for queue in directory.queues)):
                queue = Queue.objects.create(
                    name=f"q{number}", title=key, extension=f"7{number:02}", pbx=staff.pbx, pbx_name=key
                )
                queue.groups.add((staff.sales, staff.support)[number % 2])
            for number, key in enumerate(sorted(manager.key for manager in directory.managers)):
                groups = [staff.sales, staff.support][: number % 3] or [staff.support]
                manager = make_manager(staff.pbx, f"9{number:02}", key, *groups)
                manager.pbx_name = key
                manager.save()
            for batch in told[name]:
                ingest.store("1", batch)
            days = Call.objects.order_by("started").values_list("started", flat=True)
            first, last = (
                at.astimezone(timezone.get_default_timezone()).date() for at in (days[0], days.reverse()[0])
            )
        made.append(
            Home(slug, staff, switchboard.board(name), first - timedelta(days=1), last + timedelta(days=1))
        )
    return made


def shut(counts: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in counts.items() if round(value, 3)}


def test_panel_rows_sums_and_interface_agree_on_every_queue(homes: list[Home]) -> None:
    for home in homes:
        live = {
            key: shut({name: queue["today"][name] for name in LIVE})
            for key, queue in home.board["queue"].items()
        }
        live = {key: counts for key, counts in live.items() if counts}
        assert sum(counts["offered"] for counts in live.values()) > 5, "the recorded day is not empty"
        with company_scope(home.slug):
            titles = {str(pk): name for pk, name in Queue.objects.values_list("pk", "pbx_name")}
            raw = answer(home.question(split="queue"))
            assert raw.source == "raw"
            assert told(raw.rows, titles) == live
            while rollups.build().left:
                pass
            summed = answer(home.question(split="queue"))
            assert summed.source == "rollup"
            assert told(summed.rows, titles) == live
            assert shut(summed.total) == shut(
                answer_from_rows(home.question(split="queue"), now=timezone.now().timestamp()).total
            )
        said = home.client().get(
            "/api/v1/statistics",
            {"metric": "offered,answered,abandonment,asa", "split": "queue", "bucket": "day", **home.days},
        )
        assert said.status_code == 200, said.content
        sums: dict[str, float] = {}
        for row in said.json()["rows"]:
            sums[titles[row["key"]]] = sums.get(titles[row["key"]], 0) + row["values"]["offered"]
        assert sums == {key: counts["offered"] for key, counts in live.items()}


def told(rows: Any, titles: dict[str, str]) -> dict[str, dict[str, float]]:
    found = {titles[row.key]: shut({name: row.counts.get(name, 0.0) for name in LIVE}) for row in rows}
    return {key: counts for key, counts in found.items() if counts}


def test_every_figure_is_the_sum_of_the_rows_it_names_for_everybody_who_asks(homes: list[Home]) -> None:
    for home in homes:
        audiences = (None, frozenset({home.staff.sales.pk}), frozenset({home.staff.support.pk}))
        with company_scope(home.slug):
            while rollups.build().left:
                pass
            for groups in audiences:
                for metric in METRICS.values():
                    if metric.live or "company" not in metric.scopes:
                        continue
                    found = explain(home.question(groups=groups), metric.key)
                    for terms, listed in (
                        (found.numerator, found.listed_top), (found.denominator, found.listed_bottom),
                    ):  # fmt: skip
                        assert sum(term.sign * term.value for term in terms) == pytest.approx(
                            listed, abs=0.01
                        ), metric.key


def test_what_one_group_sees_is_part_of_what_the_company_has(homes: list[Home]) -> None:
    for home in homes:
        with company_scope(home.slug):
            whole = answer(home.question()).total
            for group in (home.staff.sales.pk, home.staff.support.pk):
                part = answer(home.question(groups=frozenset({group}))).total
                for name in (
                    *VISITS,
                    "calls_in",
                    "calls_out",
                    "handled",
                    "missed",
                    "talk_in",
                    "talk_out",
                    "lost_calls",
                ):
                    assert part[name] <= whole[name] + 1e-6, name
                assert whole["offered"] > 5
            assert whole["offered"] == whole["answered"] + whole["abandoned"] + whole["flow_out"]
            for leg in Leg.objects.filter(call__ended__isnull=False).select_related("call"):
                assert leg.call.ended is not None
                assert (
                    leg.talk_seconds + leg.hold_seconds
                    <= (leg.call.ended - leg.call.started).total_seconds() + 1e-3
                )


def test_page_and_file_say_what_the_answer_says(homes: list[Home]) -> None:
    for home in homes:
        with company_scope(home.slug):
            asked = Asked(home.staff.admin, {"query": f"from={home.first}&to={home.last}"}, ZONE)
            kind = exports.KINDS["statistics.queues"]
            titles = [str(column.title) for column in kind.columns(asked)]
            rows = {str(row[0]): dict(zip(titles, row, strict=True)) for row in kind.rows(asked)}
            found = answer(home.question(split="queue"))
            names = {str(pk): title for pk, title in Queue.objects.values_list("pk", "title")}
            offered = [title for title in titles if title == str(METRICS["offered"].title)] or titles[1:2]
            for row in found.rows:
                assert rows[names[row.key]][offered[0]] == row.counts["offered"]
            journal = exports.KINDS["calls"]
            lines = list(journal.rows(asked))
            kept = Call.objects.exclude(disposition="merged")
            assert len(lines) == kept.count()
            assert sum(line[10] for line in lines) == pytest.approx(  # type: ignore[misc]
                sum(kept.values_list("talk_seconds", flat=True)), abs=len(lines) / 2
            )


def test_the_same_day_told_backwards_with_sums_and_lost_callers_is_the_same_day(
    homes: list[Home], beta: Company
) -> None:
    """Every batch once more, in the other order, into rows and sums that are there already."""
    home = homes[0]
    with company_scope(home.slug):
        while rollups.build().left:
            pass
        before = whole(home)
        for batch in reversed(list(again(home))):
            ingest.store("1", batch)
        while rollups.build().left:
            pass
        assert whole(home) == before


def again(home: Home) -> Iterator[list[Fact]]:
    known = furnished(STREAM, 0.0)
    switchboard = Switchboard("1", {name: directory for name, (directory, _standing) in known.items()})
    name = sorted(companies(STREAM))[HOMES.index(home.slug)]
    for event in events(STREAM):
        switchboard.feed(event)
        for changes in switchboard.drain():
            if changes.company == name:
                yield list(changes.facts)


def whole(home: Home) -> list[Any]:
    calls = Call.objects.order_by("key")
    visits = QueueVisit.objects.order_by("uniqueid", "joined")
    lost = LostCall.objects.order_by("call_key")
    return [
        list(calls.values_list("key", "disposition", "ended", "wait_seconds", "talk_seconds", "groups")),
        list(visits.values_list("uniqueid", "outcome", "wait", "line", "groups")),
        list(
            lost.values_list(
                "call_key", "case_key", "tries", "state", "excuse", "deadline", "closing_call__key"
            )
        ),
        shut(answer(home.question()).total),
    ]

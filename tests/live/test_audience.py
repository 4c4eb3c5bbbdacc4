"""What an audience receives over time is exactly what it may see of the board now: nothing less, nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.bus import Frame, PbxBoard
from monitoring.domain.audience import Audience, board_for, entangled, joined, named_list
from monitoring.live.mirror import Dirty, Mirror, mark
from monitoring.live.stream import Seat, Stream
from tests.live.boards import call, link, manager, queue

GROUPS = [1, 2, 3]
PEOPLE = [f"romashka_{n}" for n in (101, 102, 103)]
QUEUES = ["romashka_sales", "romashka_vip"]


class Browser:
    """What static/js/live/apply.js does with the frames, and an outlet that may stop reading."""

    def __init__(self) -> None:
        self.ready = True
        self.on_ready: Callable[[], None] = lambda: None
        self.board: dict[str, dict[str, Any]] = {}
        self.seq = -1
        self.texts: list[bytes] = []
        self.closed: int | None = None

    def write(self, text: bytes) -> None:
        assert self.ready
        self.texts.append(text)
        frame = orjson.loads(text)
        if frame["t"] == "snapshot":
            self.board = {kind: rows for kind, rows in frame["board"].items() if kind != "at"}
        elif frame["t"] == "changes":
            assert frame["seq"] == self.seq + 1
            for kind, key, fields in frame["ops"]:
                if fields is None:
                    self.board[kind].pop(key, None)
                else:
                    self.board[kind].setdefault(key, {}).update(fields)
        self.seq = frame["seq"]

    def close(self, code: int) -> None:
        self.closed = code

    def stop_reading(self) -> None:
        self.ready = False

    def read_on(self) -> None:
        self.ready = True
        self.on_ready()


groups = st.lists(st.sampled_from(GROUPS), unique=True, max_size=3)
people = st.lists(st.sampled_from(PEOPLE), unique=True, max_size=3)
audiences = st.one_of(st.none(), st.frozensets(st.sampled_from(GROUPS), max_size=3))
rows = st.one_of(
    st.tuples(
        st.just("call"),
        st.sampled_from(["1:1.1", "1:2.2", "1:3.3"]),
        st.builds(lambda g, s: call("", groups=g, state=s), groups, st.sampled_from(["waiting", "talking"])),
    ),
    st.tuples(
        st.just("manager"),
        st.sampled_from(PEOPLE),
        st.builds(
            lambda g, q: manager("", groups=g, queues=q),
            groups,
            st.lists(st.sampled_from(QUEUES), unique=True, max_size=2),
        ),
    ),
    st.tuples(
        st.just("queue"),
        st.sampled_from(QUEUES),
        st.builds(lambda g, m: queue("", groups=g, managers=m), groups, people),
    ),
    st.tuples(
        st.just("link"),
        st.sampled_from(["1", "2"]),
        st.builds(lambda lag: link("1", lag=lag), st.floats(0, 9)),
    ),
)
steps = st.one_of(
    rows,
    st.tuples(st.just("gone"), st.sampled_from(["call", "manager", "queue"]), st.integers(0, 2)),
    st.tuples(st.just("reset"), st.lists(rows, max_size=5), st.just(0)),
    st.tuples(st.just("silent"), st.sets(st.sampled_from(["1", "2"])), st.just(0)),
    st.tuples(st.sampled_from(["flush", "block", "unblock", "join"]), st.just(0), st.just(0)),
)


class Play:
    """A PBX's board changing, a mirror of it, and browsers of several audiences."""

    def __init__(self, watched: list[Audience]) -> None:
        self.mirror = Mirror(expected={"1", "2"})
        self.mirror.replace({"1": PbxBoard("e0", 1, 1.0, {})})
        self.epoch, self.seq, self.resets = "e0", 1, 0
        self.truth: dict[tuple[str, str], dict[str, Any]] = {}
        self.pending: Dirty = {}
        self.streams = [Stream(audience, self.mirror, f"s{n}") for n, audience in enumerate(watched)]
        self.seats: list[tuple[Stream, Browser]] = []
        self.join()

    def join(self) -> None:
        self.flush()
        for stream in self.streams:
            browser = Browser()
            seat = Seat(browser, stream)
            stream.seats.add(seat)
            seat.catch_up()
            self.seats.append((stream, browser))

    def flush(self) -> None:
        dirty, self.pending = self.pending, {}
        mark(dirty, {key: {named_list(key[0])} for key in entangled(dirty, self.mirror.items())})
        for stream in self.streams:
            stream.push(dirty)

    def take(self, step: tuple[Any, Any, Any]) -> None:
        what, first, second = step
        match what:
            case "gone":
                names = {"call": ["1:1.1", "1:2.2", "1:3.3"], "manager": PEOPLE, "queue": [*QUEUES, "none"]}
                self.truth.pop((first, names[first][second]), None)
                self.said([(first, names[first][second], None)])
            case "reset":
                self.resets += 1
                self.epoch, self.seq = f"e{self.resets}", 1
                self.truth = {(kind, key): dict(row) for kind, key, row in first}
                whole = {key: dict(row) for key, row in self.truth.items()}
                mark(self.pending, self.mirror.replace({"1": PbxBoard(self.epoch, 1, 1.0, whole)}))
            case "silent":
                mark(self.pending, self.mirror.fall_silent(first))
            case "flush":
                self.flush()
            case "block":
                for _, browser in self.seats[::2]:
                    browser.stop_reading()
            case "unblock":
                for _, browser in self.seats:
                    browser.read_on()
            case "join":
                self.join()
            case kind:
                old = self.truth.get((kind, first), {})
                fields = {name: value for name, value in second.items() if old.get(name) != value or not old}
                self.truth[kind, first] = {**old, **second}
                if fields:
                    self.said([(kind, first, fields)])

    def said(self, ops: list[tuple[str, str, dict[str, Any] | None]]) -> None:
        self.seq += 1
        dirty = self.mirror.apply(Frame("1", self.epoch, self.seq, 2.0, ops))
        assert dirty is not None
        mark(self.pending, dirty)


@settings(max_examples=300, deadline=None)
@given(st.lists(audiences, min_size=1, max_size=3), st.lists(steps, max_size=40))
def test_snapshot_and_changes_equal_the_board_as_it_may_be_seen_now(
    watched: list[Audience], script: list[tuple[Any, Any, Any]]
) -> None:
    play = Play(watched)
    for step in script:
        play.take(step)
    play.flush()
    for _, browser in play.seats:
        browser.read_on()
    entities = dict(play.mirror.items())
    for stream, browser in play.seats:
        fresh = board_for(stream.audience, 0.0, entities)
        del fresh["at"]
        assert browser.board == fresh
    # What the mirror holds is what the PBX said, links' silence aside.
    assert {key: row for key, row in entities.items() if key[0] != "link"} == {
        key: row for key, row in play.truth.items() if key[0] != "link"
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=30))
def test_nothing_of_a_foreign_group_is_ever_written(script: list[tuple[Any, Any, Any]]) -> None:
    """A group of its own, with names found nowhere else, moves beside; an audience without it hears none of them."""
    play = Play([frozenset({1, 2, 3})])
    for number, step in enumerate(script):
        play.take(step)
        play.take(
            ("manager", "romashka_secret", manager("romashka_secret", groups=[9], queues=["romashka_hidden"]))
        )
        play.take(
            ("queue", "romashka_hidden", queue("romashka_hidden", groups=[9], managers=["romashka_secret"]))
        )
        play.take(("call", "1:secret", call("1:secret", groups=[9], position=number)))
        play.take(
            ("manager", "romashka_101", manager("romashka_101", groups=[1, 9], queues=["romashka_hidden"]))
        )
        play.take(
            ("queue", "romashka_sales", queue("romashka_sales", groups=[1], managers=["romashka_secret"]))
        )
        play.take(("group", "9", {"id": 9, "title": "Секретная", "groups": [9]}))
        play.take(("line", "880099", {"number": "880099", "title": "Секретная линия", "groups": [9]}))
    play.flush()
    written = b"".join(text for _, browser in play.seats for text in browser.texts)
    for secret in (b"secret", b"hidden", "Секретная".encode(), b"880099"):
        assert secret not in written
    for rows_of_kind in play.seats[0][1].board.values():
        for row in rows_of_kind.values():
            assert 9 not in row.get("groups", [])


def test_a_call_that_touches_my_group_is_shown_whole_with_its_foreign_stops() -> None:
    """Decided: the route of a customer who reached me is my business, wherever it led before."""
    route = [
        {"kind": "queue", "what": "romashka_vip", "at": 1.0, "until": 2.0},
        {"kind": "talk", "what": "romashka_103", "at": 2.0, "until": None},
    ]
    parts = [{"manager": "romashka_103", "state": "talking", "since": 2.0}]
    row = call("1:1.1", groups=[1, 3], steps=route, managers=parts)
    seen = board_for(frozenset({1}), 0.0, {("call", "1:1.1"): row})["call"]["1:1.1"]
    assert seen["steps"] == route
    assert seen["managers"] == parts
    assert seen["groups"] == [1]


def test_an_empty_audience_sees_statuses_and_links_only() -> None:
    entities = {
        ("call", "1:1.1"): call("1:1.1", groups=[]),
        ("manager", "romashka_101"): manager("romashka_101", groups=[1]),
        ("status", "1"): {"id": 1, "label": "Обед", "kind": "break", "colour": "amber"},
        ("link", "1"): link("1"),
    }
    board = board_for(frozenset(), 0.0, entities)
    assert [kind for kind in board if board[kind]] == ["status", "link"]
    assert board_for(None, 0.0, entities)["call"].keys() == {"1:1.1"}


def test_rows_two_pbxs_tell_are_taken_from_one_and_survive_the_other() -> None:
    group = {"id": 1, "title": "Продажи", "groups": [1]}
    mirror = Mirror()
    boards = {
        "1": PbxBoard("a", 1, 1.0, {("group", "1"): dict(group)}),
        "2": PbxBoard(
            "b", 1, 1.0, {("group", "1"): dict(group), ("call", "2:1.1"): call("2:1.1", groups=[1])}
        ),
    }
    mirror.replace(boards)
    assert dict(mirror.items()) == joined(board.entities for board in boards.values())
    assert mirror.apply(Frame("1", "a", 2, 2.0, [("group", "1", None)])) == {("group", "1"): None}
    assert mirror.get(("group", "1")) == group
    assert mirror.apply(Frame("2", "", 0, 0.0, None)) == {("group", "1"): None, ("call", "2:1.1"): None}
    assert dict(mirror.items()) == {}

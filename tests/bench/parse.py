"""CPU per AMI event from bytes to board, against stock panoramisk's parse-and-dispatch alone on the same bytes."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from monitoring.domain.directory import Directory
from monitoring.domain.switchboard import Switchboard
from monitoring.pbx.frames import Framer
from monitoring.pbx.garbage import look_seldom
from monitoring.pbx.normalise import normalise
from monitoring.pbx.replay import blocks_of, companies_in
from tests.bench.stock import parse_and_dispatch
from tests.bench.table import Row

CHUNK = 4096
RUNS = 9
TICK = 0.05
"""Seconds of PBX time between two drains, as on the live path."""

STOCK = "stock panoramisk, parse and dispatch to one callback"
JUDGED = {"bytes → board"}

# What a stage built is given back and dropped off the clock: a collector never tears its board down.
Stage = Callable[[list[bytes]], object]


STREAMS = Path(__file__).resolve().parents[1] / "ami"
# Sixty calls in a mix, read with every class of events, and as an account of the portal reads them.
RECORDED = {"full": ("mixed.full.ami.gz", 5.0), "filtered": ("mixed.filtered.ami.gz", 2.5)}


def rows() -> list[Row]:
    """Medians of ``RUNS`` runs in which the stages take turns."""
    found: list[Row] = []
    look_seldom()  # as in a collector; the baseline has the benefit of it too
    for name, (file, goal) in RECORDED.items():
        path = STREAMS / file
        data = read(path)
        chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
        total = sum(b"Event: " in block for block in blocks_of(data))
        companies = companies_in(blocks_of(data))
        stages: dict[str, Stage] = {
            STOCK: stock,
            "frames": frames_only,
            "frames, normalise": parse_only,
            "bytes → board": partial(to_board, companies=companies),
            "bytes → board → changes to send": partial(whole, companies=companies),
        }
        times: dict[str, list[float]] = {stage: [] for stage in stages}
        for _ in range(RUNS):
            for stage, run in stages.items():
                run(chunks)  # a collector does nothing else: its code and tables are warm
                began = time.process_time()
                built = run(chunks)
                times[stage].append((time.process_time() - began) / total * 1e6)
                del built
        baseline = statistics.median(times[STOCK])
        for stage, measured in times.items():
            if stage != STOCK:
                middle = statistics.median(measured)
                found.append(
                    Row(
                        what=f"{name} stream, an event's processor time: {stage}",
                        unit="µs",
                        baseline=baseline,
                        ours=middle,
                        ratio=baseline / middle,
                        least_ratio=goal if stage in JUDGED else None,
                        note=f"{total:,} events" if stage == "frames" else "",
                    )
                )
    return found


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def stock(chunks: list[bytes]) -> None:
    assert parse_and_dispatch(chunks)


def frames_only(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        framer.feed(chunk)


def parse_only(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        for block in framer.feed(chunk):
            normalise(block)


def to_board(chunks: list[bytes], companies: list[str]) -> Switchboard:
    framer = Framer()
    board = Switchboard("bench", {name: Directory(name) for name in companies})
    for chunk in chunks:
        for block in framer.feed(chunk):
            event = normalise(block)
            if event is not None:
                board.feed(event)
    board.finish()
    return board


def whole(chunks: list[bytes], companies: list[str]) -> Switchboard:
    framer = Framer()
    board = Switchboard("bench", {name: Directory(name) for name in companies})
    drained = 0.0
    for chunk in chunks:
        for block in framer.feed(chunk):
            event = normalise(block)
            if event is not None:
                board.feed(event)
                if event.at - drained > TICK:
                    drained = event.at
                    board.drain()
    board.finish()
    board.drain()
    return board

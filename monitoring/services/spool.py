"""Between the collector and PostgreSQL: facts are taken at once, stored by a thread of their own, never lost
in between.

While PostgreSQL is away they go to a bounded spool on disk, which is drained in order before anything newer
is stored. What cannot be kept is counted in ``dropped`` and shouted in the log.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import DataError, Error, IntegrityError, connection

from monitoring.domain.events import StatusDeclared
from monitoring.domain.facts import Fact
from monitoring.services import fact_json, ingest
from monitoring.services.spool_files import SpoolFiles, SpoolFull
from tenants.scope import UnknownCompany, company_scope

logger = logging.getLogger(__name__)

MEMORY_FACTS = 200_000
SPOOL_BYTES = 256 * 1024 * 1024
REFUSED_BYTES = 8 * 1024 * 1024
BATCH_FACTS = 1_000
FIRST_RETRY, LAST_RETRY = 0.25, 5.0

Batch = tuple[str, Sequence[Fact]]
Declared = Callable[[str, StatusDeclared], None]


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """For health pages. ``queued``: facts in memory; ``dropped``: lost for ever, must be 0; ``refused``:
    facts no row could hold, kept beside the spool; ``torn``: spool lines cut by a crash; ``error``: why it
    is away."""

    queued: int
    spooled_bytes: int
    stored: int
    refused: int
    dropped: int
    torn: int
    error: str


class FactSink:
    """One PBX's way into PostgreSQL. ``put`` may be called from any thread or event loop; it never waits.

    ``on_declared(company, event)``: told, in the sink's thread, of each status a pause on a phone has
    declared.
    """

    def __init__(
        self, state_dir: Path, pbx: str, *, on_declared: Declared | None = None, cap: int = SPOOL_BYTES
    ) -> None:
        self._pbx = pbx
        self._on_declared = on_declared
        self._folder = state_dir / "spool" / pbx
        self._files = SpoolFiles(self._folder, cap=cap)
        self._waiting: deque[Batch] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._idle = threading.Event()
        self._closing = False
        self._queued = self._stored = self._refused = self._dropped = self._torn = 0
        self._error = ""
        self._retry_at = 0.0
        self._delay = FIRST_RETRY
        self._thread = threading.Thread(target=self._run, name=f"facts-{pbx}", daemon=True)
        self._thread.start()

    def put(self, company: str, facts: Sequence[Fact]) -> None:
        """Take ``facts`` for storing, in order. Never blocks, never raises."""
        with self._lock:
            if self._queued + len(facts) > MEMORY_FACTS:
                self._lose(len(facts), "the database has hung and memory is full")
                return
            self._waiting.append((company, facts))
            self._queued += len(facts)
            self._idle.clear()
        self._wake.set()

    def status(self) -> SinkStatus:
        with self._lock:
            return SinkStatus(
                self._queued,
                self._files.bytes,
                self._stored,
                self._refused,
                self._dropped,
                self._torn,
                self._error,
            )

    def flush(self, timeout: float) -> bool:
        """Wait until everything taken is in PostgreSQL; False after ``timeout`` seconds."""
        return self._idle.wait(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Store what is left, or spool it when PostgreSQL is away, and end the thread."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while True:
                closing = self._closing
                try:
                    self._step()
                except Exception as error:
                    # A full or broken disk must not end the thread either.
                    logger.exception("PBX %s: the spool at %s cannot be used", self._pbx, self._folder)
                    self._away(error)
                if closing:
                    return
                pause = max(0.0, self._retry_at - time.monotonic()) if self._files.bytes else None
                self._wake.wait(pause)
                self._wake.clear()
        finally:
            self._files.close()
            connection.close()

    def _step(self) -> None:
        """Bring everything that waits one step further: into PostgreSQL, else onto the disk."""
        batches = self._take()
        if self._files.bytes and batches:
            self._spool(batches)  # older facts wait on disk: newer ones go behind them
            batches = []
        if self._files.bytes and (self._closing or time.monotonic() >= self._retry_at):
            self._drain()
        while batches:
            merged, rest = _first_batch(batches)
            if not self._try(merged):
                self._spool(batches)
                return
            batches = rest
        with self._lock:
            if not self._waiting and not self._files.bytes:
                self._idle.set()

    def _take(self) -> list[Batch]:
        with self._lock:
            batches = list(self._waiting)
            self._waiting.clear()
            return batches

    def _drain(self) -> None:
        while lines := self._files.head():
            company, facts, count = self._read(lines)
            if facts and not self._try((company, facts), from_disk=True):
                return
            self._files.taken(count)

    def _read(self, lines: list[bytes]) -> tuple[str, list[Fact], int]:
        """One company's facts from the head of ``lines`` and how many lines they took; broken lines are
        counted."""
        owner, facts, count = "", list[Fact](), 0
        for line in lines:
            try:
                company, told = fact_json.load(line)
            except ValueError:
                logger.warning("PBX %s: a spool line of %d bytes is torn, skipped", self._pbx, len(line))
                self._torn += 1
                count += 1
                continue
            if facts and (company != owner or len(facts) + len(told) > BATCH_FACTS):
                break
            owner = company
            facts += told
            count += 1
        return owner, facts, count

    def _try(self, batch: Batch, *, from_disk: bool = False) -> bool:
        """Store one batch; False when PostgreSQL is away. Facts no row can hold are set aside, one by one."""
        company, facts = batch
        try:
            self._store(company, facts)
        except (DataError, IntegrityError, ValueError, OverflowError) as error:
            if len(facts) == 1:
                self._set_aside(company, facts, error)
            else:
                half = len(facts) // 2
                if not (
                    self._try((company, facts[:half]), from_disk=True)
                    and self._try((company, facts[half:]), from_disk=True)
                ):
                    return False
        except UnknownCompany as error:
            self._set_aside(company, facts, error)
        except Error as error:
            self._away(error)
            return False
        except Exception as error:
            # A mistake of ours must not end the thread that keeps the facts: keep them, say so, try again.
            logger.exception("PBX %s: storing facts of %s failed", self._pbx, company)
            self._away(error)
            return False
        if not from_disk:
            with self._lock:
                self._queued -= len(facts)
        return True

    def _store(self, company: str, facts: Sequence[Fact]) -> None:
        with company_scope(company):
            declared = ingest.store(self._pbx, facts)
        with self._lock:
            self._stored += len(facts)
            self._error, self._retry_at, self._delay = "", 0.0, FIRST_RETRY
        if self._on_declared is not None:
            for event in declared:
                self._on_declared(company, event)

    def _away(self, error: Exception) -> None:
        text = " ".join(str(error).split())[:200] or type(error).__name__
        if not self._error:
            logger.error("PBX %s: the database is away, facts go to %s: %s", self._pbx, self._folder, text)
        connection.close()  # the next try needs a new one
        with self._lock:
            self._error = text
            self._retry_at = time.monotonic() + self._delay * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
            self._delay = min(self._delay * 2, LAST_RETRY)

    def _spool(self, batches: Sequence[Batch]) -> None:
        count = sum(len(facts) for _, facts in batches)
        try:
            self._files.append([fact_json.dump(company, facts) for company, facts in batches])
        except (SpoolFull, OSError) as error:
            self._lose(count, str(error))
        finally:
            with self._lock:
                self._queued -= count  # only now: until here they were in memory and nowhere else

    def _set_aside(self, company: str, facts: Sequence[Fact], error: Exception) -> None:
        self._refused += len(facts)
        logger.error("PBX %s: %d facts of %s fit no row: %s", self._pbx, len(facts), company, error)
        kept = self._folder / "refused.txt"
        if not kept.exists() or kept.stat().st_size < REFUSED_BYTES:
            with kept.open("ab") as file:
                file.write(fact_json.dump(company, facts))

    def _lose(self, count: int, why: str) -> None:
        self._dropped += count
        logger.critical("PBX %s: %d FACTS LOST (%d in all): %s", self._pbx, count, self._dropped, why)


def _first_batch(batches: Sequence[Batch]) -> tuple[Batch, list[Batch]]:
    """The first company's leading batches as one of bounded size, and what is left. ``batches`` is not
    empty."""
    company, facts, taken = batches[0][0], list(batches[0][1]), 1
    for owner, more in batches[1:]:
        if owner != company or len(facts) + len(more) > BATCH_FACTS:
            break
        facts += more
        taken += 1
    return (company, facts), list(batches[taken:])

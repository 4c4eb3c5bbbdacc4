"""The collector inside a Celery worker: a thread with one asyncio loop, begun and ended with the worker.

Only a worker that consumes the queue ``collect`` collects. There is no long task here that could be handed
out twice.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from celery import bootsteps
from django.conf import settings

from monitoring.pbx.fleet import Fleet
from monitoring.pbx.garbage import look_seldom
from monitoring.pbx.portal import DatabasePortal

log = logging.getLogger(__name__)

QUEUE = "collect"
END_SECONDS = 15.0


class CollectorStep(bootsteps.StartStopStep):
    """Begins after the pool, so that no child process is forked from a process with a running loop."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def include_if(self, worker: Any) -> bool:
        return QUEUE in worker.app.amqp.queues.consume_from

    def start(self, worker: Any) -> None:
        self._thread = threading.Thread(target=self._work, name="collector", daemon=True)
        self._thread.start()

    def stop(self, worker: Any) -> None:
        """Give the leases back and store what is known; other workers need not wait for a time-out then."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(END_SECONDS)

    def terminate(self, worker: Any) -> None:
        self.stop(worker)

    def _work(self) -> None:
        look_seldom()
        portal = DatabasePortal()
        try:
            asyncio.run(self._collect(portal))
        except Exception:
            log.exception("the collector ended by a failure; this worker collects no more")
        finally:
            portal.close()

    async def _collect(self, portal: DatabasePortal) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        fleet = Fleet(redis_url=settings.REDIS_URL, state_dir=settings.STATE_DIR, portal=portal)
        await fleet.run(self._stop)

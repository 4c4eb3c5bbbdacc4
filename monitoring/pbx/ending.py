"""Ending tasks that wait for Redis: up to Python 3.11 ``asyncio.wait_for``, which its client uses, may swallow a
cancellation that arrives together with the answer (and a TaskGroup one that arrives together with a failure).
"""

from __future__ import annotations

import asyncio

INSIST_SECONDS = 1.0


def heed_cancellation() -> None:
    """Raise the cancellation of the current task that something below us has swallowed."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def end(task: asyncio.Task[None]) -> None:
    """Cancel and wait until it has ended, asking again if it did not hear. Its outcome is of no interest."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=INSIST_SECONDS)
    if not task.cancelled():
        task.exception()

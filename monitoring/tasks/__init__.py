"""Background work of monitoring that a timetable starts; collecting is no task, see ``monitoring/pbx/bootstep``.

Tasks are idempotent: two workers given the same one leave the same rows. One thought a file; Celery finds them here.
"""

from monitoring.tasks import (
    alerts,
    exports,
    reconcile,
    recordings,
    reports,
    retention,
    rollups,
    sessions,
    webhooks,
)

__all__ = ["alerts", "exports", "reconcile", "recordings", "reports", "retention", "rollups", "sessions", "webhooks"]

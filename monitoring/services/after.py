"""What follows from fresh facts, in the transaction that stores them and in this order: all of it, at a glance.

A hook that raises refuses the whole batch, which the spool then tells again: raise only what must not pass.
"""

from __future__ import annotations

from monitoring.services import lost, rollups, webhooks
from monitoring.services.stored import Hook

AFTER: list[Hook] = [lost.follow, webhooks.note, rollups.mark_stored]

"""What unpaid invoices make felt in the portal: read-only, then suspended. Never a live call, never a recording."""

from __future__ import annotations

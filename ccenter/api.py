"""The whole API of a company's host: monitoring's, and what rooms above it add to it."""

from __future__ import annotations

from billing.api.router import router as billing
from monitoring.api.router import api

__all__ = ["api"]

api.add_router("/billing", billing)

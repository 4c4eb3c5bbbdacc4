"""Background work about money. It belongs to the platform: a task names what it works on, never a company's scope."""

from __future__ import annotations

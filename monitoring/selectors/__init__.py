"""Reads. Nothing here writes, and nothing here decides rights except whose rows an audience gets."""

from monitoring.selectors.audience import board_rights

__all__ = ["board_rights"]

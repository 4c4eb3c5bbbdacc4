"""What monitoring tells the rooms above it, frozen: no model and no queryset crosses this border."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompanySize:
    """What is in use in a company now; archived rows do not count."""

    company: str
    managers: int
    supervisors: int
    groups: int
    queues: int
    lines: int

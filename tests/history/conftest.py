"""Fixtures of the past's pages: the calls are those of one day, which goes on while a test runs."""

from __future__ import annotations

from tests.factories.clock import fixed_day as fixed_day

"""The day tests with fixed dates live on: it begins at one moment and goes on, whatever the machine's calendar says.

A folder asks for it in its conftest: ``from tests.factories.clock import fixed_day`` is all. Tests on the real
Asterisk keep the machine's clock, for it is Asterisk's too.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

BEGINS = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fixed_day(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("real"):
        return
    began = time.monotonic()
    monkeypatch.setattr(timezone, "now", lambda: BEGINS + timedelta(seconds=time.monotonic() - began))

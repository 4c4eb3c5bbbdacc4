"""Waiting for a PBX's answer keeps nothing from others: the pool of connections is everybody's, of every company."""

from __future__ import annotations

import pytest
from django.db import connection

from monitoring import bus
from monitoring.domain.commands import ReloadDirectory
from monitoring.models import Group
from monitoring.services.commands import Receipt, tell
from tenants.scope import company_scope


@pytest.mark.django_db(transaction=True)
def test_a_connection_goes_back_to_the_pool_while_the_pbx_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    def slow(_company: str, _id: str, *, timeout: float) -> bus.Answer | None:
        held.append(connection.connection is not None)
        return None

    monkeypatch.setattr(bus, "wait_answer", slow)
    monkeypatch.setattr(bus, "send_command", lambda *_args, **_options: "id")
    with company_scope("alpha"):
        Group.objects.create(title="Продажи")
        receipt = tell("1", ReloadDirectory(company="alpha"))
        assert receipt.answer() is None
        assert held == [False]
        assert Group.objects.count() == 1, "and it comes back in the same company's scope"
    with company_scope("beta"):
        assert Group.objects.count() == 0


@pytest.mark.django_db
def test_within_a_transaction_the_connection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "wait_answer", lambda *_args, **_options: None)
    with company_scope("alpha"):
        Group.objects.create(title="Продажи")
        assert Receipt("alpha", "id").answer() is None
        assert Group.objects.count() == 1

"""Telling a PBX's collector, after the database has it: the row is the truth, the command only hurries it
along.

When Redis is away nothing is lost: a collector reads statuses and directory from the database when it comes
back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from monitoring import bus
from monitoring.domain.commands import Command, ReloadDirectory
from tenants.models import Pbx
from tenants.scope import current_company

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Receipt:
    """One command on its way. ``id`` is empty until it is sent, which is when the transaction commits."""

    company: str
    id: str = ""

    def answer(self, timeout: float = 1.5) -> bus.Answer | None:
        """What the PBX made of it; None when nobody answered within ``timeout`` seconds or it was never
        sent."""
        if not self.id:
            return None
        if not connection.in_atomic_block:
            # A dozen people waiting for a PBX that is away would else hold every connection of the pool, and
            # with them the pages of all companies. The next query takes one again.
            connection.close()
        try:
            return bus.wait_answer(self.company, self.id, timeout=timeout)
        except bus.BusError:
            return None


def tell(pbx: str, command: Command) -> Receipt:
    """Send ``command`` to the owner of ``pbx`` once the open transaction commits (at once when there is
    none)."""
    receipt = Receipt(command.company)

    def send() -> None:
        try:
            receipt.id = bus.send_command(pbx, command)
        except bus.BusError as error:
            logger.warning("PBX %s was not told %s of %s: %s", pbx, command.kind, command.company, error)

    transaction.on_commit(send)
    return receipt


def tell_directory_changed() -> list[Receipt]:
    """People, queues, lines or statuses of the company in scope changed: its collectors read them again."""
    company = current_company()
    return [tell(str(pbx), ReloadDirectory(company=company)) for pbx in pbxs_of(company)]


def pbxs_of(company: str) -> Iterable[int]:
    return Pbx.objects.filter(enabled=True, companies__schema_name=company).values_list("pk", flat=True)

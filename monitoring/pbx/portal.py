"""What a collector reads of the portal's database, from its asyncio loop: one thread does the ORM work, in
scope.

A database that is away raises PortalAway; the collector then goes on with what it knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ParamSpec, Protocol, TypeVar

from django.db import Error, close_old_connections, connections

from monitoring.domain.directory import Directory, Standing
from monitoring.pbx.client import Address
from monitoring.selectors import directory as directory_selector
from monitoring.selectors import quality
from monitoring.selectors.standing import declared
from monitoring.services import ingest
from tenants.models import Pbx
from tenants.scope import ScopeError, company_scope, public_scope
from tenants.secrets import SecretUnreadable

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


class PortalAway(Exception):
    """PostgreSQL does not answer; nothing was read or written."""


@dataclass(frozen=True, slots=True)
class PbxEntry:
    """One PBX as the portal describes it; a change of any of it means: connect anew. ``problem``: why we
    cannot.
    """

    key: str
    name: str
    address: Address
    companies: tuple[str, ...]
    managed: bool = False
    simulated: bool = False
    problem: str = ""

    @property
    def sole(self) -> str | None:
        """The company every event belongs to: a customer's own PBX does not know our names."""
        return self.companies[0] if len(self.companies) == 1 and not self.managed else None


Loaded = dict[str, tuple[Directory, Standing]]


class Portal(Protocol):
    """What the collector asks of the portal. Every method raises PortalAway."""

    async def pbxs(self) -> list[PbxEntry]: ...
    async def directories(self, companies: Iterable[str], *, counted: bool, pbx: str = "") -> Loaded: ...
    async def close_interrupted(
        self, company: str, pbx: str, *, before: float, alive: Collection[str]
    ) -> int: ...
    async def heard(self, pbx: str, at: float | None = None) -> float | None: ...
    async def filled(
        self, companies: Collection[str], pbx: str, windows: Sequence[Sequence[float]]
    ) -> list[bool]: ...


class DatabasePortal:
    """The portal itself, by the ORM."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="collector-orm")

    async def pbxs(self) -> list[PbxEntry]:
        """Every enabled PBX that some active company uses."""
        return await self._do(_pbxs)

    async def directories(self, companies: Iterable[str], *, counted: bool, pbx: str = "") -> Loaded:
        """Directory and standing of each company; one that has vanished meanwhile is left out.

        ``pbx``: without what lives on the company's other PBXs.
        ``counted``: with today's counts, which cost a walk over the day's rows; else declared statuses alone.
        """
        return await self._do(_directories, tuple(companies), counted, pbx)

    async def close_interrupted(
        self, company: str, pbx: str, *, before: float, alive: Collection[str]
    ) -> int:
        """Close the company's stored calls that the PBX no longer has; how many."""
        return await self._do(_close_interrupted, company, pbx, before, alive)

    async def heard(self, pbx: str, at: float | None = None) -> float | None:
        """When the PBX was heard last (epoch seconds), None if never; ``at``: keep that it was heard then."""
        return await self._do(_heard, pbx, at)

    async def filled(
        self, companies: Collection[str], pbx: str, windows: Sequence[Sequence[float]]
    ) -> list[bool]:
        """For each of these windows whether what was missed has been filled in every company's history."""
        return await self._do(_filled, tuple(companies), pbx, windows)

    def close(self) -> None:
        self._thread.submit(connections.close_all)
        self._thread.shutdown(wait=True)

    async def _do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        def guarded() -> R:
            close_old_connections()  # nothing else closes this thread's connection after an error
            return work(*args, **kwargs)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)
        except Error as error:
            raise PortalAway(" ".join(str(error).split())[:200] or type(error).__name__) from error


def _pbxs() -> list[PbxEntry]:
    with public_scope():
        rows = Pbx.objects.filter(enabled=True).prefetch_related("companies").order_by("pk")
        return [entry for pbx in rows if (entry := _entry(pbx)).companies]


def _entry(pbx: Pbx) -> PbxEntry:
    secret = problem = ""
    try:
        secret = pbx.secret
    except SecretUnreadable:
        problem = "the stored AMI secret cannot be read with this installation's key; enter it again"
    return PbxEntry(
        key=str(pbx.pk),
        name=pbx.name,
        address=Address(pbx.host, pbx.port, pbx.username, secret, tls=pbx.tls),
        companies=tuple(sorted(company.slug for company in pbx.companies.all() if company.active)),
        managed=pbx.managed,
        simulated=pbx.simulated,
        problem=problem,
    )


def _directories(companies: tuple[str, ...], counted: bool, pbx: str) -> Loaded:
    loaded: Loaded = {}
    for company in companies:
        try:
            with company_scope(company):
                if counted:
                    loaded[company] = directory_selector.load(company, pbx)
                else:
                    loaded[company] = directory_selector.read(company, pbx), Standing(statuses=declared())
        except ScopeError:
            log.warning("company %s has no schema; its events are not heard", company)
    return loaded


def _close_interrupted(company: str, pbx: str, before: float, alive: Collection[str]) -> int:
    with company_scope(company):
        return ingest.close_interrupted(pbx, before, alive)


def _filled(companies: tuple[str, ...], pbx: str, windows: Sequence[Sequence[float]]) -> list[bool]:
    told = [True] * len(windows)
    for company in companies:
        with suppress(ScopeError), company_scope(company):
            told = [
                known and quality.filled(pbx, window[0], window[1])
                for known, window in zip(told, windows, strict=True)
            ]
    return told if companies else [False] * len(windows)


def _heard(pbx: str, at: float | None) -> float | None:
    with public_scope():
        rows = Pbx.objects.filter(pk=int(pbx))
        if at is not None:
            rows.update(heard_at=datetime.fromtimestamp(at, UTC))
            return at
        known = rows.values_list("heard_at", flat=True).first()
    return known.timestamp() if known is not None else None

"""Who owns which PBX: a lease with a fencing token, so that two collectors never both write for one PBX.

A worker that dies stops renewing; its PBXs are free LEASE_SECONDS later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitoring.bus import keys, scripts
from monitoring.bus.connections import bus_errors, open_async

LEASE_SECONDS = 4.0
"""Renew every second: three renewals may fail before another worker takes the PBX, within 5 s of a kill."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for one PBX. A higher ``token`` always wins over a lower one."""

    pbx: str
    owner: str
    token: str


class Leases:
    """The leases of one worker. ``owner`` (``host:pid``) must be unique among workers."""

    def __init__(self, redis_url: str, owner: str, *, seconds: float = LEASE_SECONDS) -> None:
        if not owner or "|" in owner:
            raise ValueError("an owner needs a name without '|'")
        self.owner = owner
        self._ttl = int(seconds * 1000)
        self._redis = open_async(redis_url)
        self._acquire = self._redis.register_script(scripts.ACQUIRE)
        self._renew = self._redis.register_script(scripts.RENEW)
        self._release = self._redis.register_script(scripts.RELEASE)
        self._announce = self._redis.register_script(scripts.ANNOUNCE)

    async def acquire(self, pbx: str) -> Lease | None:
        """The lease, or None while another worker holds it. Raises BusAway."""
        with bus_errors():
            token = await self._acquire(keys=[keys.lease(pbx), keys.fence(pbx)], args=[self.owner, self._ttl])
        return Lease(pbx, self.owner, token.decode()) if token else None

    async def renew(self, lease: Lease) -> bool:
        """False: another worker has had it since; stop at once. Raises BusAway."""
        with bus_errors():
            renewed = await self._renew(
                keys=[keys.lease(lease.pbx), keys.fence(lease.pbx)],
                args=[lease.token, lease.owner, self._ttl],
            )
        return bool(renewed)

    async def release(self, lease: Lease) -> None:
        """Give it back, so that another need not wait; harmless when it is no longer ours. Raises BusAway."""
        with bus_errors():
            await self._release(keys=[keys.lease(lease.pbx)], args=[lease.token, lease.owner])

    async def owners(self, pbxs: Iterable[str]) -> dict[str, str]:
        """Of these PBXs the leased ones, with their owner. Raises BusAway."""
        wanted = list(pbxs)
        if not wanted:
            return {}
        with bus_errors():
            values = await self._redis.mget([keys.lease(pbx) for pbx in wanted])
        return {
            pbx: value.decode().split("|", 1)[1] for pbx, value in zip(wanted, values, strict=True) if value
        }

    async def announce(self) -> list[str]:
        """Say "I am alive" for the lease time; all live workers, to spread the PBXs over them."""
        with bus_errors():
            alive = await self._announce(keys=[keys.WORKERS], args=[self.owner, self._ttl])
        return sorted(name.decode() for name in alive)

    async def leave(self) -> None:
        """This worker ends: it no longer counts when PBXs are spread. Raises BusAway."""
        with bus_errors():
            await self._redis.zrem(keys.WORKERS, self.owner)

    async def close(self) -> None:
        await self._redis.aclose()

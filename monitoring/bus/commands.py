"""Orders from the portal to the collector that owns a PBX: at most once, never after their deadline.

A late command would surprise somebody (a call placed a minute after the click): it is answered "too late".
"""

from __future__ import annotations

import logging
import uuid
from typing import Any, Literal, NamedTuple

import orjson

from monitoring.bus import keys, scripts
from monitoring.bus.connections import bus_errors, open_async, web_client
from monitoring.bus.errors import BusFull, Fenced
from monitoring.bus.leases import Lease
from monitoring.domain.commands import Command, from_json, to_json

logger = logging.getLogger(__name__)

MOST_WAITING = 1000
MOST_OF_A_COMPANY = 100  # one company's haste must not keep the others of a PBX from being heard
_ANSWER_SECONDS = 60
_AT_ONCE = 50

Outcome = Literal["done", "failed", "too_late", "refused"]


class Answer(NamedTuple):
    """What became of a command. ``detail``: why not, in plain words."""

    outcome: Outcome
    detail: str = ""


class Delivery(NamedTuple):
    """A command in the hands of the collector that must answer it."""

    id: str
    command: Command


class CommandInbox:
    """The collector's end. All methods raise BusAway."""

    def __init__(self, redis_url: str) -> None:
        self._redis = open_async(redis_url)
        self._waiting: Any = open_async(
            redis_url, deadline=None
        )  # Any: redis-py types blpop for two clients at once
        self._take = self._redis.register_script(scripts.TAKE)

    async def next_commands(self, lease: Lease, *, wait: float = 1.0) -> list[Delivery]:
        """Commands for this PBX, waiting up to ``wait`` seconds for the first. Raises Fenced."""
        if wait > 0:
            with bus_errors():
                await self._waiting.blpop([keys.bell(lease.pbx)], timeout=wait)
        with bus_errors():
            outcome, *taken = await self._take(
                keys=[keys.commands(lease.pbx), keys.lease(lease.pbx), keys.fence(lease.pbx)],
                args=[lease.token, _AT_ONCE],
            )
        if outcome == b"fenced":
            raise Fenced(lease.pbx)
        now = int(taken[0])
        deliveries = []
        for item in taken[1:]:
            deadline, _, text = item.partition(b"|")
            try:
                said = orjson.loads(text)
                command_id, company = str(said["id"]), str(said["command"]["company"])
                keys.answer(company, command_id)
            except (ValueError, KeyError, TypeError):
                # Nobody could be answered. It must not end the listening of every company on this PBX.
                logger.warning("PBX %s: %d bytes that are no command are left out", lease.pbx, len(text))
                continue
            try:
                delivery = Delivery(command_id, from_json(said["command"]))
            except (ValueError, TypeError) as error:
                await self._answer(company, command_id, Answer("refused", str(error)[:300]))
                continue
            if not deadline.isdigit() or int(deadline) < now:
                await self.answer_command(
                    delivery, Answer("too_late", "its deadline passed before it was read")
                )
                continue
            deliveries.append(delivery)
        return deliveries

    async def answer_command(self, delivery: Delivery, answer: Answer) -> None:
        """Tell whoever asked; nobody listening is fine."""
        await self._answer(delivery.command.company, delivery.id, answer)

    async def _answer(self, company: str, command_id: str, answer: Answer) -> None:
        key = keys.answer(company, command_id)
        with bus_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.rpush(key, orjson.dumps(answer._asdict()))
                pipe.expire(key, _ANSWER_SECONDS)
                await pipe.execute()

    async def close(self) -> None:
        await self._redis.aclose()
        await self._waiting.aclose()


def send_command(pbx: str, command: Command, *, deadline: float = 10.0) -> str:
    """Queue a command for whoever owns the PBX; its id, for ``wait_answer``. ``deadline``: seconds from now.

    Raises BusAway, and BusFull when far too many wait for the PBX, or too many of this company.
    """
    command_id = uuid.uuid4().hex
    text = orjson.dumps({"id": command_id, "command": to_json(command)})
    # As it stands in the text of each of this company's commands, and in no value: there quotes are escaped.
    mark = b'"company":' + orjson.dumps(command.company)
    with bus_errors():
        script = web_client().register_script(scripts.SEND)
        queued = script(
            keys=[keys.commands(pbx), keys.bell(pbx)],
            args=[text, int(deadline * 1000), MOST_WAITING, MOST_OF_A_COMPANY, mark],
        )
    if not queued:
        raise BusFull(f"too many commands already wait for PBX {pbx}, or too many of {command.company}")
    return command_id


def wait_answer(company: str, command_id: str, *, timeout: float = 1.5) -> Answer | None:
    """The collector's answer, or None when none came in ``timeout`` seconds (< 2). Raises BusAway."""
    client: Any = web_client()  # Any: as above
    with bus_errors():
        popped = client.blpop([keys.answer(company, command_id)], timeout=timeout)
    return Answer(**orjson.loads(popped[1])) if popped else None

"""The bus between collectors and web processes: the only code that knows Redis keys and channels.

Redis is a hint here: every key may vanish at any moment, and whoever wrote it notices and writes it again.

Collector side (one asyncio loop per worker)::

    leases = Leases(redis_url, owner)          # who owns which PBX
    lease = await leases.acquire(pbx)          # None: somebody else has it
    writer = BoardWriter(redis_url)
    writer.hold(lease)                         # its fencing token goes with every write for this PBX
    await writer.reset(company, pbx, epoch, board)     # new epoch, seq 1
    await writer.publish(company, pbx, changes)        # BoardLost: reset again; Fenced: stop this PBX
    lost = await writer.heartbeat(pbx, LinkStatus(...), {company: epoch})  # every second; reset the lost
    inbox = CommandInbox(redis_url)
    for delivery in await inbox.next_commands(lease): ...; await inbox.answer_command(delivery, Answer(...))

Web side: ``BoardReader`` (async, for the hub); the rest is synchronous: ``read_board``, ``get_links``,
``send_command``, ``wait_answer``.
"""

from monitoring.bus.commands import Answer, CommandInbox, Delivery, send_command, wait_answer
from monitoring.bus.errors import BoardLost, BusAway, BusError, BusFull, Fenced
from monitoring.bus.leases import LEASE_SECONDS, Lease, Leases
from monitoring.bus.links import ORPHAN_AFTER, LinkHealth, LinkStatus, get_links, ping
from monitoring.bus.reader import BoardReader, Frame, PbxBoard, read_board
from monitoring.bus.writer import BoardWriter, ChangesLike

__all__ = [
    "LEASE_SECONDS",
    "ORPHAN_AFTER",
    "Answer",
    "BoardLost",
    "BoardReader",
    "BoardWriter",
    "BusAway",
    "BusError",
    "BusFull",
    "ChangesLike",
    "CommandInbox",
    "Delivery",
    "Fenced",
    "Frame",
    "Lease",
    "Leases",
    "LinkHealth",
    "LinkStatus",
    "PbxBoard",
    "get_links",
    "ping",
    "read_board",
    "send_command",
    "wait_answer",
]

"""One company's live board: the state, what changed since the last look, and the facts waiting to be stored.

The reducer's handlers change it and say what they touched; ``changes`` tells viewers and database what differs.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from . import automatic
from .directory import Directory, ManagerEntry, QueueEntry, Standing, StatusKind, rows
from .facts import Fact
from .intervals import day_bounds, local_day
from .state import Call, Channel, Manager, Queue, no_manager_counts, no_queue_counts
from .wire import Kind

REMEMBERED_ENDS: Final = 10_000
# Names beside the portal's own that one PBX may make up before it is no longer believed.
MOST_UNKNOWN_QUEUES: Final = 2_000
MOST_UNKNOWN_MANAGERS: Final = 10_000
MOST_INTERFACES: Final = 20  # by which queues ring one person


class Board:
    """``at``: PBX time of the last event applied. All keys are PBX names, see ``directory``."""

    def __init__(self, *, pbx: str, directory: Directory, standing: Standing | None = None) -> None:
        self.pbx = pbx
        self.company = directory.company
        self.prefix = f"{self.company}_"
        self.at = 0.0
        self.boot = 0.0
        self.channels: dict[str, Channel] = {}
        self.calls: dict[str, Call] = {}
        self.by_linkedid: dict[str, Call] = {}
        self.bridges: dict[str, dict[str, None]] = {}
        self.managers: dict[str, Manager] = {}
        self.queues: dict[str, Queue] = {}
        self.interfaces: dict[str, str] = {}
        self.members: dict[str, dict[str, None]] = {}  # manager → interfaces by which queues ring this person
        self.disbelieved = 0  # events of unknown names beyond the bounds above
        self.gone: dict[Hashable, None] = {}
        self.listen_modes: dict[str, str] = {}
        self.listening: dict[str, Call] = {}
        self.link: dict[str, Any] = {}
        self.facts: list[Fact] = []
        self.day_end = 0.0
        self.status_kind: dict[int, StatusKind] = {}
        self.wrapping: dict[str, float] = {}  # manager → until when
        self.due = float("inf")  # the earliest of them
        self.rows: dict[tuple[Kind, str], dict[str, Any]] = {}
        self._unordered: dict[str, None] = {}
        self.touched: dict[tuple[Kind, str], None] = {}
        self.sent: dict[tuple[Kind, str], dict[str, Any]] = {}
        self.configure(directory, standing)

    # who is who

    def configure(self, directory: Directory, standing: Standing | None = None) -> None:
        """Take the portal's rows; live calls stay, people and queues that are no longer there go."""
        self.directory = directory
        self.interfaces = {i: m.key for m in directory.managers for i in m.interfaces}
        self._own_interfaces = len(self.interfaces)
        self.line_groups = {line.number: line.groups for line in directory.lines}
        before = self.status_kind
        self.status_kind = {status.id: status.kind for status in directory.statuses}
        self.extensions = {m.extension: m.key for m in directory.managers}
        for manager in directory.managers:
            self._place_manager(manager)
        for queue in directory.queues:
            self._place_queue(queue)
        if directory.managers or directory.queues:
            self._drop_missing(directory)
        if standing is not None:
            self._stand(standing)
        if self.at and self.status_kind != before:
            automatic.review_all(self, self.at)
        self.touched.update(dict.fromkeys(self.rows))
        self.rows = rows(directory)
        self.touched.update(dict.fromkeys(self.rows))

    def _place_manager(self, entry: ManagerEntry) -> None:
        manager = self.managers.get(entry.key)
        if manager is None:
            manager = self.managers[entry.key] = Manager(entry.key, entry.title, entry.extension)
        manager.title, manager.extension, manager.groups = entry.title, entry.extension, entry.groups
        self.touch("manager", entry.key)

    def _place_queue(self, entry: QueueEntry) -> None:
        queue = self.queues.get(entry.key)
        if queue is None:
            queue = self.queues[entry.key] = Queue(entry.key, entry.title)
        queue.title, queue.groups = entry.title, entry.groups
        queue.answer_within, queue.short_abandon = entry.answer_within, entry.short_abandon
        queue.wrap_up = entry.wrap_up
        self.touch("queue", entry.key)

    def _drop_missing(self, directory: Directory) -> None:
        kept_managers = {m.key for m in directory.managers}
        for key in [
            k for k, m in self.managers.items() if k not in kept_managers and not m.legs and not m.queues
        ]:
            automatic.leave(self, self.managers.pop(key))
            self.touch("manager", key)
        kept_queues = {q.key for q in directory.queues}
        for key in [k for k, q in self.queues.items() if k not in kept_queues and not q.waiting]:
            del self.queues[key]
            self.touch("queue", key)

    def _stand(self, standing: Standing) -> None:
        if standing.day is not None:
            self.day_end = day_bounds(standing.day, self.directory.time_zone)[1]
        for key, queue_counts in standing.queues.items():
            self.queue(key).today = queue_counts.copy()
        for key, manager_counts in standing.managers.items():
            if key in self.managers:
                self.managers[key].today = manager_counts.copy()
        for key, (status, since) in standing.statuses.items():
            if key in self.managers:
                self.managers[key].status, self.managers[key].status_since = status, since
        for key, autos in standing.automatic.items():
            if key in self.managers:
                automatic.adopt(self, self.managers[key], autos)

    def counted(self) -> list[dict[str, Any]]:
        """A copy of today's counts, to see by whether anything was counted since."""
        queues = [dict(queue.today) for queue in self.queues.values()]
        return queues + [dict(manager.today) for manager in self.managers.values()]

    def recount(self, standing: Standing) -> None:
        """Today's counts as the rows have them after what was missed was filled in; counts of another day are left."""
        if standing.day is None or day_bounds(standing.day, self.directory.time_zone)[1] != self.day_end:
            return
        for key, queue in self.queues.items():
            queue.today = standing.queues.get(key, no_queue_counts()).copy()
            self.touch("queue", key)
        for key, manager in self.managers.items():
            manager.today = standing.managers.get(key, no_manager_counts()).copy()
            self.touch("manager", key)

    def believes(self, queue: str) -> bool:
        """Whether an event of this queue is taken in: known, or one of not too many that the portal does not know."""
        if queue in self.queues or len(self.queues) - len(self.directory.queues) < MOST_UNKNOWN_QUEUES:
            return True
        self.disbelieved += 1
        return False

    def queue(self, key: str) -> Queue:
        """The queue by PBX name; one the portal does not know yet is shown under that name, company-wide."""
        queue = self.queues.get(key)
        if queue is None:
            queue = self.queues[key] = Queue(key, key.removeprefix(f"{self.company}_"))
            self.touch("queue", key)
        return queue

    def manager_of(self, interface: str) -> str:
        """The manager's key behind an interface, or empty: a trunk, an unknown device, a Local channel."""
        known = self.interfaces.get(interface)
        if known is not None:
            return known
        tech, _, name = interface.partition("/")
        if tech == "Local":
            return self._behind_local(name)
        rest = name.removeprefix(self.prefix)
        if not self.directory.managers and rest.isdecimal() and name not in self.directory.trunks:
            return self.learn(interface, key=name, title=rest)
        return ""

    def _behind_local(self, name: str) -> str:
        extension = name.partition("@")[0]
        for key in (self.extensions.get(extension, ""), f"{self.company}_{extension}", extension):
            if key in self.managers:
                return key
        return ""

    def learn(self, interface: str, *, key: str, title: str) -> str:
        """A manager nobody told us of, met as a queue's member or as a numbered phone; empty: too many of them."""
        if len(self.interfaces) - self._own_interfaces >= MOST_UNKNOWN_MANAGERS or (
            key not in self.managers
            and len(self.managers) - len(self.directory.managers) >= MOST_UNKNOWN_MANAGERS
        ):
            self.disbelieved += 1
            return ""
        self.interfaces[interface] = key
        if key not in self.managers:
            self.managers[key] = Manager(key, title or key, key.removeprefix(f"{self.company}_"))
            self.touch("manager", key)
        return key

    def member(self, interface: str, name: str) -> Manager | None:
        """The manager behind a queue member; None when it is one unknown too many."""
        key = self.manager_of(interface)
        if not key:
            bare = interface.partition("/")[2].partition("@")[0]
            if interface.startswith("Local/") and not bare.startswith(f"{self.company}_"):
                bare = f"{self.company}_{bare}"
            key = self.learn(interface, key=bare, title=name)
        if not key:
            return None
        ways = self.members.setdefault(key, {})
        if len(ways) < MOST_INTERFACES:
            ways[interface] = None
        manager = self.managers[key]
        if name and manager.title == manager.extension:
            manager.title = name
            self.touch("manager", key)
        return manager

    # what changed

    def touch(self, kind: Kind, key: str) -> None:
        self.touched[kind, key] = None

    def reorder(self, queue: str) -> None:
        """Callers of this queue moved up or down: their positions are counted anew when next looked at."""
        self._unordered[queue] = None

    def count_positions(self) -> None:
        """Bring every waiting caller's position up to date, where its queue changed."""
        # Once a look, not once a leaver: a queue of n that empties between two looks costs n, not n².
        unordered, self._unordered = self._unordered, {}
        for key in unordered:
            queue = self.queues.get(key)
            for place, uniqueid in enumerate(queue.order if queue is not None else (), 1):
                channel = self.channels.get(uniqueid)
                call = channel.call if channel is not None else None
                visit = call.visit_of(uniqueid) if call is not None else None
                if call is not None and visit is not None and visit.position != place:
                    visit.position = place
                    self.touch("call", call.key)

    def clock(self, at: float) -> None:
        """Move to event time ``at``; crossing the company's midnight begins a new day of counts."""
        if at > self.at:
            self.at = at
        if at >= self.due:
            automatic.expire(self, at)
        if at >= self.day_end:
            self._turn_day(at)

    def _turn_day(self, at: float) -> None:
        known = self.day_end > 0
        zone = self.directory.time_zone
        self.day_end = day_bounds(local_day(at, zone), zone)[1]
        if not known:
            return
        for queue in self.queues.values():
            queue.today = no_queue_counts()
            self.touch("queue", queue.key)
        for manager in self.managers.values():
            manager.today = no_manager_counts()
            self.touch("manager", manager.key)

    def forget(self, ended: Hashable) -> None:
        """Remember that this has ended (a uniqueid, a visit), so that a late or doubled event cannot bring it back."""
        self.gone[ended] = None
        if len(self.gone) > 2 * REMEMBERED_ENDS:
            self.gone = dict.fromkeys(list(self.gone)[REMEMBERED_ENDS:])

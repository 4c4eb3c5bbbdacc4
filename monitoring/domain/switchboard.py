"""One PBX, whole: order → route → reduce. What the collector feeds with events and drains for viewers and database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import changes, reducer
from .board import Board
from .changes import Changes
from .directory import Directory, Standing
from .events import Event, MemberChanged, Snapshot
from .routing import Router
from .sequence import Sequencer
from .wire import BoardWire

__all__ = ["Changes", "Switchboard"]


class Switchboard:
    """``directories``: every company of this PBX by slug. ``sole``: the only company of an external PBX, owns all.

    The same events give the same boards, facts and numbers; times come from the events alone.
    """

    def __init__(self, pbx: str, directories: Mapping[str, Directory], *, sole: str | None = None) -> None:
        self.pbx = pbx
        self.events = 0
        self._sequencer = Sequencer()
        self._router = Router(directories, sole=sole)
        self._boards = {company: Board(pbx=pbx, directory=d) for company, d in directories.items()}

    @property
    def companies(self) -> tuple[str, ...]:
        return tuple(self._boards)

    @property
    def quarantined(self) -> int:
        """Events that belong to no company of this PBX, or name one queue or person too many that nobody knows."""
        return self._router.quarantined + sum(board.disbelieved for board in self._boards.values())

    @property
    def last_at(self) -> float:
        """PBX time of the newest event applied, 0.0 before the first."""
        return max((board.at for board in self._boards.values()), default=0.0)

    def feed(self, event: Event) -> None:
        """Take one event. A snapshot is applied at once; others may wait for up to a few neighbours (``settle``)."""
        self.events += 1
        if type(event) is Snapshot:
            self.settle()
            for company, part in self._router.split(event).items():
                reducer.apply(self._boards[company], part)
            return
        ready = self._sequencer.push(event)
        if ready is not None:
            self._reduce(ready)

    def settle(self) -> None:
        """Apply what was held back for ordering: the stream is quiet."""
        for event in self._sequencer.settle():
            self._reduce(event)

    def _reduce(self, event: Event) -> None:
        sure = self._router.sure(event)
        if sure is not None:
            reducer.apply(self._boards[sure], event)
            return
        for company, routed in self._router.route(event):
            reducer.apply(self._boards[company], routed)

    def finish(self) -> None:
        """The stream is over: what nobody claimed is quarantined."""
        self.settle()
        self._router.give_up()

    def drain(self) -> list[Changes]:
        """What changed for each company since the last drain."""
        return [told for board in self._boards.values() if (told := changes.drain(board)) is not None]

    def configure(self, company: str, directory: Directory, standing: Standing | None = None) -> None:
        """Take a company's rows, new or changed; a new company gets an empty board."""
        board = self._boards.get(company)
        if board is None:
            self._boards[company] = Board(pbx=self.pbx, directory=directory, standing=standing)
            self._router.serve(self._boards)
        else:
            board.configure(directory, standing)

    def counted(self) -> dict[str, list[dict[str, Any]]]:
        """Every company's ``Board.counted``."""
        return {company: board.counted() for company, board in self._boards.items()}

    def recount(self, company: str, standing: Standing) -> None:
        """See ``Board.recount``; a company this PBX serves no more has nothing to count."""
        if company in self._boards:
            self._boards[company].recount(standing)

    def member_interfaces(self, company: str, manager: str) -> tuple[str, ...]:
        """The interfaces by which the company's queues ring this manager, as the PBX named them so far."""
        return tuple(self._boards[company].members.get(manager, ()))

    def manager_of_member(self, company: str, member: MemberChanged) -> str:
        """The key of the manager a queue member stands for; empty when the queue is not this company's."""
        board = self._boards[company]
        return board.manager_of(member.interface) if member.queue in board.queues else ""

    def link(self, fields: Mapping[str, Any]) -> None:
        """Set the link entity (``wire.LinkWire``) on every company's board."""
        for board in self._boards.values():
            board.link.update(fields)
            board.touch("link", self.pbx)

    def board(self, company: str) -> BoardWire:
        return changes.snapshot(self._boards[company])

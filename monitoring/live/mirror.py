"""One company's live board in a web process: what Redis said, joined over its PBXs, and what changed.

It adds the one fact the collector cannot tell: that nobody has heard of it lately (link state orphaned).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitoring.bus import Frame, PbxBoard
from monitoring.domain.audience import Entity, EntityKey, heard, never_heard

Dirty = dict[EntityKey, set[str] | None]
"""What changed since somebody looked: the names of changed fields, None where everything may differ."""


def mark(dirty: Dirty, more: Dirty) -> None:
    """Add ``more`` to ``dirty``."""
    for key, fields in more.items():
        known = dirty.get(key, fields)
        dirty[key] = None if fields is None or known is None else known | fields


@dataclass
class _Layer:
    """One PBX's board, kept up by its frames."""

    epoch: str
    seq: int
    at: float
    entities: dict[EntityKey, Entity]


@dataclass
class Mirror:
    """The joined board. ``expected``: PBXs the company has, also those nobody ever collected."""

    expected: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    _layers: dict[str, _Layer] = field(default_factory=dict)

    @property
    def at(self) -> float:
        return max((layer.at for layer in self._layers.values()), default=0.0)

    def get(self, key: EntityKey) -> Entity | None:
        """The entity as it is shown, or None. Rows told by more than one PBX are taken from the first."""
        for layer in self._layers.values():
            entity = layer.entities.get(key)
            if entity is not None:
                return heard(key, entity, self.silent)
        if key[0] == "link" and key[1] in self.expected:
            return never_heard(key[1])
        return None

    def items(self) -> Iterator[tuple[EntityKey, Entity]]:
        seen: set[EntityKey] = set()
        several = len(self._layers) > 1
        for layer in self._layers.values():
            for key, entity in layer.entities.items():
                if several:
                    if key in seen:
                        continue
                    seen.add(key)
                yield key, heard(key, entity, self.silent)
        for pbx in self.expected:
            if not any(("link", pbx) in layer.entities for layer in self._layers.values()):
                yield ("link", pbx), never_heard(pbx)

    def numbers(self) -> dict[str, tuple[str, int]]:
        """Epoch and number of the last frame of each PBX."""
        return {pbx: (layer.epoch, layer.seq) for pbx, layer in self._layers.items()}

    def pbxs(self) -> set[str]:
        return self.expected | self._layers.keys()

    def expect(self, pbxs: set[str]) -> Dirty:
        """The company has these PBXs."""
        dirty: Dirty = {("link", pbx): None for pbx in pbxs ^ self.expected}
        self.expected = pbxs
        return dirty

    def fall_silent(self, silent: set[str]) -> Dirty:
        """Nobody has heard of these PBXs' collectors; of all others somebody has."""
        dirty: Dirty = {("link", pbx): {"state"} for pbx in silent ^ self.silent}
        self.silent = silent
        return dirty

    def apply(self, frame: Frame) -> Dirty | None:
        """What the frame changed; None when it does not follow what is here, and the boards must be read anew."""
        layer = self._layers.get(frame.pbx)
        if frame.seq == 0:
            ended = self._layers.pop(frame.pbx, None)
            return dict.fromkeys(ended.entities) if ended else {}
        if layer is None or frame.epoch != layer.epoch or frame.ops is None:
            known = layer is not None and frame.epoch == layer.epoch and frame.seq == 1
            return {} if known else None
        if frame.seq <= layer.seq:
            return {}
        if frame.seq != layer.seq + 1:
            return None
        layer.seq, layer.at = frame.seq, frame.at
        dirty: Dirty = {}
        for kind, entity_id, fields in frame.ops:
            key = (kind, entity_id)
            if fields is None:
                if layer.entities.pop(key, None) is not None:
                    dirty[key] = None
            elif key in layer.entities:
                layer.entities[key].update(fields)
                mark(dirty, {key: set(fields)})
            else:
                layer.entities[key] = dict(fields)
                dirty[key] = None
        return dirty

    def replace(self, boards: dict[str, PbxBoard]) -> Dirty:
        """Take these boards in place of all; only what really differs is dirty.

        A board Redis lost (flushed) stays shown until its collector writes it again, which it does within seconds.
        """
        before = {key: dict(entity) for key, entity in self.items()}
        layers = {pbx: layer for pbx, layer in self._layers.items() if pbx in self.expected or pbx in boards}
        for pbx, board in boards.items():
            here = layers.get(pbx)
            if here is not None and here.epoch == board.epoch and here.seq > board.seq:
                continue  # frames came while the board was being read
            layers[pbx] = _Layer(board.epoch, board.seq, board.at, board.entities)
        self._layers = dict(sorted(layers.items()))
        after = dict(self.items())
        dirty: Dirty = {}
        for key in before.keys() | after.keys():
            old, new = before.get(key), after.get(key)
            if old is None or new is None or old.keys() != new.keys():
                dirty[key] = None
            elif old != new:
                dirty[key] = {name for name in new if new[name] != old[name]}
        return dirty


def now() -> float:
    """Wall clock, epoch seconds (UTC): browsers measure their own clock against it."""
    return time.time()

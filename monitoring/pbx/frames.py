"""Bytes from an AMI socket cut into blocks, each one event or response, whatever the chunk boundaries.

Works on bytes so that a letter split between two chunks stays whole; bounded so that no peer can fill our memory.
"""

from __future__ import annotations

from .forgery import BEGINNINGS, mend

BLOCK_LIMIT = 64 * 1024
_END = b"\r\n\r\n"


class Framer:
    """``feed`` chunks in, complete blocks out (without their blank line). Never raises.

    ``cut``: how many blocks were dropped for being over ``BLOCK_LIMIT`` bytes; ``forged``: how many were written
    into another event by a caller (``forgery``).
    """

    __slots__ = ("_rest", "_skipping", "cut", "forged")

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self.cut = 0
        self.forged = 0

    def feed(self, data: bytes) -> list[bytes]:
        whole = self._rest + data if self._rest else data
        blocks = whole.split(_END)
        rest = blocks.pop()
        if self._skipping and blocks:
            # The end of an oversized block has come: what precedes it belongs to that block.
            del blocks[0]
            self._skipping = False
        if self._skipping or len(rest) > BLOCK_LIMIT:
            if not self._skipping:
                self.cut += 1
                self._skipping = True
            # Keep only what may be the first bytes of the blank line.
            rest = rest[-3:]
        self._rest = rest
        for block in blocks:
            if not block.startswith(BEGINNINGS) and block.strip():
                blocks = self._mend(blocks)
                break
        if len(whole) > BLOCK_LIMIT:
            kept = [block for block in blocks if len(block) <= BLOCK_LIMIT]
            self.cut += len(blocks) - len(kept)
            return kept
        return blocks

    def _mend(self, blocks: list[bytes]) -> list[bytes]:
        whole, dropped = mend(blocks)
        self.forged += dropped
        return whole

    def reset(self) -> None:
        """Forget a half-received block: the connection it came by is gone."""
        self._rest = b""
        self._skipping = False

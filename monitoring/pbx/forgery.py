"""What a caller wrote, told from what Asterisk wrote: a number may hold line breaks, and AMI prints them raw.

Measured on Asterisk 22: PJSIP unescapes ``%0D%0A`` in a From user, so a stranger's INVITE can add headers to an event
and whole events to the stream. Number and name are cut at 79 bytes each, too few to imitate the fixed end of a
channel's description (``_TAIL``): that end is the anchor. A PBX of ours refuses such numbers before AMI sees them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_TAIL: Final = (
    b"ConnectedLineName",
    b"Language",
    b"AccountCode",
    b"Context",
    b"Exten",
    b"Priority",
    b"Uniqueid",
    b"Linkedid",
)
"""Header names that end the description of a channel, always in this order, after what the caller chose."""
_HOSTILE: Final = (b"CallerIDNum", b"CallerIDName", b"ConnectedLineNum", b"ConnectedLineName")
BEGINNINGS: Final = (b"Event: ", b"Response: ", b"Asterisk ", b"\r\n")
"""How a block begins that no caller cut in two; Asterisk sometimes sends one line end too many before it."""
_NEAR: Final = 6
"""How many blocks before an orphaned end its beginning is looked for: 79 bytes hold no more events than that."""
_WHOLE: Final = re.compile(rb"\r\n(\w*)" + rb": [^\r]*\r\n\1".join(_TAIL) + rb": ")


def authentic(keys: Sequence[bytes], wanted: Sequence[bytes]) -> dict[bytes, int]:
    """Which line holds each wanted header, by the block's header names in order (empty where a line is no header).

    A channel's Uniqueid, Linkedid and Tenantid are those at the end of its description. Any other repeated header is
    Asterisk's own where it stands before everything a caller chose, else where it stands last. A block that begins a
    channel's description and never ends it is torn, one that ends what it never began is forged: both hold nothing.
    """
    chosen: dict[bytes, int] = {}
    frontier = next((i for i, key in enumerate(keys) if key.endswith(_HOSTILE)), len(keys))
    for index, key in enumerate(keys):
        if key and key in wanted and (key not in chosen or chosen[key] >= frontier):
            chosen[key] = index
    for prefix in {
        key.removesuffix(b"ChannelStateDesc") for key in keys if key.endswith(b"ChannelStateDesc")
    }:
        end = _end_of(prefix, keys)
        if end is None:
            return {}
        for place, name in ((end - 1, b"Uniqueid"), (end, b"Linkedid"), (end + 1, b"Tenantid")):
            key = prefix + name
            chosen.pop(key, None)
            if key in wanted and place < len(keys) and keys[place] == key:
                chosen[key] = place
    for index, key in enumerate(keys):
        if key.endswith(b"Priority") and key.removesuffix(b"Priority") + b"ChannelStateDesc" not in keys:
            prefix = key.removesuffix(b"Priority")
            if _end_of(prefix, keys[max(0, index - len(_TAIL)) : index + len(_TAIL)]) is not None:
                return {}
    return chosen


def _end_of(prefix: bytes, keys: Sequence[bytes]) -> int | None:
    """The line of the Linkedid that ends the description of the channel named with this prefix."""
    tail = [prefix + name for name in _TAIL]
    size = len(tail)
    for start in range(len(keys) - size, -1, -1):
        if list(keys[start : start + size]) == tail:
            return start + size - 1
    return None


def mend(blocks: Sequence[bytes]) -> tuple[list[bytes], int]:
    """Join the two halves of events into which a caller wrote whole events; (blocks, how many were thrown away).

    A block that begins neither an event nor a response is the second half of one torn shortly before.
    """
    whole: list[bytes] = []
    dropped = 0
    for block in blocks:
        if block.startswith(BEGINNINGS) or not block.strip():
            whole.append(block)
            continue
        start = next(
            (i for i in range(len(whole) - 1, max(-1, len(whole) - 1 - _NEAR), -1) if _torn(whole[i])), None
        )
        dropped += 1
        if start is not None:
            dropped += len(whole) - start - 2
            whole[start:] = [whole[start] + b"\r\n" + block]
    return whole, dropped


def _torn(block: bytes) -> bool:
    return b"\r\nChannelStateDesc: " in block and _WHOLE.search(block) is None

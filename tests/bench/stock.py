"""panoramisk as released, reading the same bytes: the baseline our own way from bytes to board is measured against."""

from __future__ import annotations

from collections.abc import Iterable

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager


def parse_and_dispatch(chunks: Iterable[bytes]) -> int:
    """Parse every block and call one ``*`` callback for each event, nothing more; how many it heard."""
    heard = 0

    def hear(_manager: Manager, _message: object) -> None:
        nonlocal heard
        heard += 1

    manager = Manager()
    manager.register_event("*", hear)
    protocol = AMIProtocol()
    protocol.connection_made(None)  # nothing is sent, so no transport is needed
    protocol.factory = manager
    protocol.encoding = "utf8"
    for chunk in chunks:
        protocol.data_received(chunk)
    return heard

"""The ports of one lab instance, all on loopback, chosen free so that several can run at once.

The trunk's far end ("the city") has an address of its own, because Asterisk knows the trunk by its address.
"""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass

CITY_HOST = "127.0.0.2"
PBX_HOST = "127.0.0.1"
RTP_SPAN = 600


@dataclass(frozen=True, slots=True)
class Ports:
    """``phones``: where managers' phones listen; ``city``: where calls to the outside world arrive."""

    ami: int
    sip: int
    http: int
    rtp_first: int
    rtp_last: int
    phones: int
    city: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def is_free(port: int, kind: int, host: str = PBX_HOST) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def pick(kind: int, taken: set[int], host: str = PBX_HOST, *, begin: int = 0) -> int:
    """A port free now and not in ``taken``. Below the ephemeral range, so that no client socket takes it first.

    ``begin``: where to look first, so that two checkouts on one machine rarely want the same.
    """
    for step in range(0, 12_000, 7):
        port = 20_000 + (begin + step) % 12_000
        if port not in taken and is_free(port, kind, host):
            taken.add(port)
            return port
    raise OSError("no free port between 20000 and 32000: stop other instances of the lab")


def choose(
    *, ami: int = 0, sip: int = 0, http: int = 0, taken: set[int] | None = None, begin: int = 0
) -> Ports:
    """Zero means "any free one"."""
    used = set() if taken is None else set(taken)
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    rtp = next(
        first
        for first in range(10_000, 20_000, RTP_SPAN)
        if first not in used and all(is_free(first + n, datagram) for n in range(0, RTP_SPAN, 50))
    )
    return Ports(
        ami=ami or pick(stream, used, begin=begin),
        sip=sip or pick(datagram, used, begin=begin),
        http=http or pick(stream, used, begin=begin),
        rtp_first=rtp,
        rtp_last=rtp + RTP_SPAN - 1,
        phones=pick(datagram, used, begin=begin),
        city=pick(datagram, used, CITY_HOST, begin=begin),
    )


def all_free(ports: Ports) -> bool:
    """Nobody else has taken one of them meanwhile."""
    return (
        all(is_free(port, socket.SOCK_STREAM) for port in (ports.ami, ports.http))
        and all(is_free(port, socket.SOCK_DGRAM) for port in (ports.sip, ports.phones))
        and is_free(ports.city, socket.SOCK_DGRAM, CITY_HOST)
    )


def any_free(host: str) -> int:
    """A UDP port for a moment, given by the system."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port

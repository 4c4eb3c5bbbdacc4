"""Frames written straight to the kernel: the same bytes in the same order, whatever the kernel takes at a time."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from autobahn.websocket.protocol import WebSocketProtocol as Autobahn
from daphne.ws_protocol import WebSocketProtocol
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import main, tcp
from twisted.internet.abstract import FileDescriptor

from monitoring.live.outlet import DaphneOutlet, framed


class Kernel(tcp.Server):
    """A connection whose kernel takes as many bytes of each write as it is told to."""

    def __init__(self) -> None:
        FileDescriptor.__init__(self, mock.Mock())
        self.connected = True
        self.takes: list[int | Exception] = []
        self.took = b""
        self.reactor_turns = 0

    def getHandle(self) -> Any:  # noqa: N802 - Twisted's name
        return mock.Mock()

    def writeSomeData(self, data: bytes) -> int | Exception:  # noqa: N802 - Twisted's name
        most = self.takes.pop(0) if self.takes else len(data)
        if isinstance(most, Exception):
            return most
        self.took += data[:most]
        return min(most, len(data))

    def startWriting(self) -> None:  # noqa: N802 - Twisted's name
        self.reactor_turns += 1

    def stopWriting(self) -> None:  # noqa: N802 - Twisted's name
        pass


def opened(kernel: Kernel) -> DaphneOutlet:
    protocol = WebSocketProtocol()
    protocol.state, protocol.transport = Autobahn.STATE_OPEN, kernel
    return DaphneOutlet(protocol)


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_is_as_the_standard_has_it(size: int, head: bytes) -> None:
    assert framed(b"x" * size) == head + b"x" * size


def test_a_frame_is_made_once_for_all_who_get_it() -> None:
    text = b'{"t":"changes"}'
    assert framed(text) is framed(text)
    assert framed(b"another") == b"\x81\x07another"


def test_while_nothing_waits_a_frame_goes_out_at_once() -> None:
    kernel = Kernel()
    opened(kernel).write(b"hello")
    assert (kernel.took, kernel.reactor_turns) == (b"\x81\x05hello", 0)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 320), st.booleans()), max_size=30))
def test_whatever_the_kernel_takes_the_bytes_come_whole_and_in_order(
    steps: list[tuple[int, int, bool]],
) -> None:
    kernel = Kernel()
    outlet, expected = opened(kernel), b""
    for number, (size, takes, turn) in enumerate(steps):
        text = str(number).encode() * size
        expected += framed(text)
        kernel.takes = [takes]
        outlet.write(text)
        if turn:
            kernel.takes = [takes]
            kernel.doWrite()
    kernel.takes = []
    kernel.doWrite()
    assert kernel.took == expected


def test_a_kernel_that_takes_nothing_makes_the_outlet_wait_and_say_when_it_is_ready() -> None:
    kernel = Kernel()
    outlet = opened(kernel)
    again: list[bool] = []
    outlet.on_ready = lambda: again.append(True)
    kernel.takes = [0]
    outlet.write(b"x" * 100_000)
    assert not outlet.ready
    kernel.doWrite()
    assert outlet.ready
    assert again == [True]


def test_a_lost_connection_is_left_to_twisted_to_find() -> None:
    kernel = Kernel()
    kernel.takes = [main.CONNECTION_LOST, main.CONNECTION_LOST]
    opened(kernel).write(b"hello")
    assert kernel.reactor_turns == 1
    assert kernel.doWrite() is main.CONNECTION_LOST


def test_a_closing_socket_gets_no_more_frames() -> None:
    kernel = Kernel()
    outlet = opened(kernel)
    outlet._protocol.state = Autobahn.STATE_CLOSING
    outlet.write(b"late")
    assert kernel.took == b""

"""The lab's own plain AMI connection: to record bytes as they come and to drive the PBX in a scenario.

Not the portal's client on purpose: a stream recorded through the code under test would prove nothing.
"""

from __future__ import annotations

import itertools
import select
import socket
import threading
import time

from ccenter.lab.plan import AmiAccount
from ccenter.lab.ports import PBX_HOST


class AmiError(RuntimeError):
    """Asterisk refused an action or did not answer in time."""


def encode(fields: dict[str, str]) -> bytes:
    if bad := [k for k, v in fields.items() if set(k + v) & set("\r\n\0")]:
        raise AmiError(f"a line break in {bad}")
    return "".join(f"{k}: {v}\r\n" for k, v in fields.items()).encode() + b"\r\n"


def headers(block: bytes) -> dict[str, str]:
    lines = block.decode(errors="replace").split("\r\n")
    return {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines) if k}


class Connection:
    """One signed-in AMI connection whose received bytes are kept, from the banner on."""

    def __init__(self, port: int, account: AmiAccount, *, events: bool = True, host: str = PBX_HOST) -> None:
        self.socket = socket.create_connection((host, port), timeout=5)
        self.received = bytearray()
        self.gone = threading.Event()
        self.numbers = itertools.count(1)
        self.reader = threading.Thread(target=self.read, name="ami-reader", daemon=True)
        self.reader.start()
        login = {"Action": "Login", "Username": account.name, "Secret": account.secret}
        try:
            self.act({**login, "Events": "on" if events else "off"})
        except AmiError:
            self.close()
            raise

    def read(self) -> None:
        while True:
            try:
                if not select.select([self.socket], [], [], 1.0)[0]:
                    continue
                data = self.socket.recv(65536)
            except (OSError, ValueError):
                data = b""
            if not data:
                self.gone.set()
                return
            self.received += data

    def act(self, fields: dict[str, str], *, seconds: float = 5) -> dict[str, str]:
        """Send one action and return its response; a refusal raises AmiError."""
        number = f"lab-{next(self.numbers)}"
        begin = len(self.received)
        self.socket.sendall(encode({**fields, "ActionID": number}))
        deadline = time.monotonic() + seconds
        last = False
        while not last:
            last = time.monotonic() > deadline or self.gone.is_set()  # what came before the end still counts
            for block in bytes(self.received[begin:]).split(b"\r\n\r\n")[:-1]:
                if b"Response: " in block and f"ActionID: {number}\r\n".encode() in block + b"\r\n":
                    answer = headers(block)
                    if answer["Response"] == "Error":
                        raise AmiError(f"{fields['Action']}: {answer.get('Message', '')}")
                    return answer
            time.sleep(0.01)
        raise AmiError(f"{fields['Action']}: no answer in {seconds:g} s")

    def wait(self, needle: str, *, seconds: float = 10, begin: int = 0) -> dict[str, str]:
        """The first received block that holds ``needle``."""
        deadline = time.monotonic() + seconds
        wanted = needle.encode()
        while time.monotonic() < deadline:
            for block in bytes(self.received[begin:]).split(b"\r\n\r\n")[:-1]:
                if wanted in block:
                    return headers(block)
            time.sleep(0.02)
        raise AmiError(f"{needle!r} did not come in {seconds:g} s")

    def close(self) -> bytes:
        """Everything received, whole blocks and the torn rest alike."""
        self.socket.close()
        self.reader.join(3)
        return bytes(self.received)


def channels(control: Connection) -> list[dict[str, str]]:
    """The channels alive now."""
    begin = len(control.received)
    control.act({"Action": "CoreShowChannels"})
    control.wait("Event: CoreShowChannelsComplete", begin=begin)
    blocks = bytes(control.received[begin:]).split(b"\r\n\r\n")
    return [headers(b) for b in blocks if b.startswith(b"Event: CoreShowChannel\r\n")]


def channel_of(control: Connection, endpoint: str, *, seconds: float = 5) -> dict[str, str]:
    """The live channel of an endpoint (``romashka_101``); the newest when there are several."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = [c for c in channels(control) if c["Channel"].startswith(f"PJSIP/{endpoint}-")]
        if found:
            return max(found, key=lambda c: float(c["Uniqueid"]))
        time.sleep(0.1)
    raise AmiError(f"{endpoint} has no channel")

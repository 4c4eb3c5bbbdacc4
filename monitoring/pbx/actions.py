"""AMI actions, typed: the only place where a value of ours becomes text on an AMI line.

Every header is checked here, so a caller's name or an extension can never carry a second action (BadValue
instead).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from monitoring.domain.commands import BadValue, checked

LINE_LIMIT = 1000
"""Asterisk reads AMI lines into 1,025 bytes and silently drops a longer one: refuse it while we can still
say so.
"""

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,78}\Z")
_EXTENSION = re.compile(r"[0-9A-Za-z*#+_.-]{1,79}\Z")


@dataclass(frozen=True, slots=True)
class AmiAction:
    """``ends``: name of the event that finishes this action's answer; empty when the response is the whole
    answer.
    """

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    ends: str = ""

    def __post_init__(self) -> None:
        for key, value in (("Action", self.name), *self.headers):
            if not _HEADER.match(key):
                raise BadValue(f"not an AMI header name: {key[:40]!r}")
            checked(value, limit=LINE_LIMIT)
            if len(f"{key}: {value}".encode()) > LINE_LIMIT:
                raise BadValue(f"header {key} is longer than {LINE_LIMIT} bytes")

    def __repr__(self) -> str:
        """Without values: a secret must not reach a log or a traceback."""
        return f"<AmiAction {self.name} {','.join(key for key, _ in self.headers)}>"


def login(*, username: str, secret: str) -> AmiAction:
    return AmiAction("Login", (("Username", username), ("Secret", secret), ("Events", "on")))


def logoff() -> AmiAction:
    return AmiAction("Logoff")


def ping() -> AmiAction:
    return AmiAction("Ping")


def core_status() -> AmiAction:
    return AmiAction("CoreStatus")


def channels() -> AmiAction:
    return AmiAction("CoreShowChannels", ends="CoreShowChannelsComplete")


def queues() -> AmiAction:
    return AmiAction("QueueStatus", ends="QueueStatusComplete")


def device_states() -> AmiAction:
    return AmiAction("DeviceStateList", ends="DeviceStateListComplete")


def endpoints() -> AmiAction:
    """PJSIP endpoints with their contacts: who is registered (a static contact counts)."""
    return AmiAction("PJSIPShowEndpoints", ends="EndpointListComplete")


def queue_pause(*, interface: str, paused: bool, reason: str = "", queue: str = "") -> AmiAction:
    """Pause or unpause a member; without ``queue`` in every queue it serves."""
    headers = [("Interface", interface), ("Paused", "true" if paused else "false"), ("Reason", reason)]
    if queue:
        headers.append(("Queue", queue))
    return AmiAction("QueuePause", tuple(headers))


def set_global(*, name: str, value: str) -> AmiAction:
    """A global dialplan variable; the name must be plain, because ``SHELL(…)`` there would run a program."""
    if not _VARIABLE.match(name):
        raise BadValue(f"not a plain variable name: {name[:40]!r}")
    return AmiAction("Setvar", (("Variable", name), ("Value", value)))


def originate(
    *,
    channel: str,
    context: str,
    exten: str,
    ring_seconds: float = 30.0,
    caller_id: str = "",
    variables: tuple[tuple[str, str], ...] = (),
) -> AmiAction:
    """Ring ``channel`` and send it to ``exten``. Sent once: an unanswered Originate may still have made a
    call.
    """
    headers = [
        ("Channel", channel),
        ("Context", checked_extension(context)),
        ("Exten", checked_extension(exten)),
        ("Priority", "1"),
        ("Timeout", str(int(ring_seconds * 1000))),
        ("Async", "true"),
    ]
    if caller_id:
        headers.append(("CallerID", caller_id))
    for name, value in variables:
        if not _VARIABLE.match(name.lstrip("_")):
            raise BadValue(f"not a plain variable name: {name[:40]!r}")
        if "," in value:
            raise BadValue("a comma would begin a second variable")
        headers.append(("Variable", f"{name}={value}"))
    return AmiAction("Originate", tuple(headers), ends="OriginateResponse")


def listen(
    *,
    supervisor: str,
    manager_channel: str,
    mode: Literal["listen", "whisper", "join"],
    ring_seconds: float = 30.0,
) -> AmiAction:
    """Ring the supervisor's endpoint into ChanSpy on the manager's channel, named by its uniqueid."""
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,80}", manager_channel):
        raise BadValue(f"not a uniqueid: {manager_channel[:40]!r}")
    options = {"listen": "quE", "whisper": "quEw", "join": "quEB"}[mode]
    headers = (
        ("Channel", supervisor),
        ("Application", "ChanSpy"),
        ("Data", f"{manager_channel},{options}"),
        ("Timeout", str(int(ring_seconds * 1000))),
        ("Async", "true"),
    )
    return AmiAction("Originate", headers, ends="OriginateResponse")


def blind_transfer(*, leaving_channel: str, context: str, exten: str) -> AmiAction:
    """``leaving_channel`` is the party that leaves (the manager's); the customer goes to ``exten``."""
    return AmiAction(
        "BlindTransfer",
        (
            ("Channel", leaving_channel),
            ("Context", checked_extension(context)),
            ("Exten", checked_extension(exten)),
        ),
    )


def hangup(*, channel: str, cause: int = 16) -> AmiAction:
    """Ends one channel. A slash-delimited name would be read as a pattern by Asterisk and end many:
    refused.
    """
    if channel.startswith("/"):
        raise BadValue("a channel pattern is not a channel")
    return AmiAction("Hangup", (("Channel", channel), ("Cause", str(cause))))


def checked_extension(value: str) -> str:
    """An extension or context of plain letters, digits and ``* # + _ . -``, or BadValue."""
    if not _EXTENSION.match(value):
        raise BadValue(f"not an extension: {value[:40]!r}")
    return value

"""How Asterisk writes a channel, an event, a member: the same headers in the same order as in recorded streams.

Values are cleaned of line breaks here, the one place where simulated text becomes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

DESCRIPTIONS = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
}
UNKNOWN = "<unknown>"


def clean(value: str) -> str:
    return value.translate({10: " ", 13: " ", 0: None})


@dataclass(slots=True, eq=False)
class Channel:
    """One simulated channel. ``tenant`` is empty until the dialplan has stamped it, as on a real trunk."""

    name: str
    uniqueid: str
    linkedid: str
    tenant: str
    number: str
    title: str
    context: str
    exten: str
    created: float
    state: int = 0
    priority: int = 1
    connected_number: str = ""
    connected_title: str = ""
    application: str = ""
    data: str = ""
    bridge: str = ""

    @property
    def device(self) -> str:
        return self.name.rpartition("-")[0]

    def headers(self, prefix: str = "") -> str:
        """``prefix``: Dest, Transferer, Spyee… for events that tell of more than one channel."""
        rows = (
            ("Channel", self.name),
            ("ChannelState", str(self.state)),
            ("ChannelStateDesc", DESCRIPTIONS[self.state]),
            ("CallerIDNum", self.number or UNKNOWN),
            ("CallerIDName", clean(self.title) or UNKNOWN),
            ("ConnectedLineNum", self.connected_number or UNKNOWN),
            ("ConnectedLineName", clean(self.connected_title) or UNKNOWN),
            ("Language", "ru"),
            ("AccountCode", ""),
            ("Context", self.context),
            ("Exten", self.exten),
            ("Priority", str(self.priority)),
            ("Uniqueid", self.uniqueid),
            ("Linkedid", self.linkedid),
        )
        text = "".join(f"{prefix}{key}: {value}\r\n" for key, value in rows)
        return f"{text}{prefix}Tenantid: {self.tenant}\r\n" if self.tenant else text


def fields(**values: object) -> str:
    """``Cause_txt`` becomes ``Cause-txt``; the order is kept."""
    return "".join(f"{key.replace('_', '-')}: {clean(str(value))}\r\n" for key, value in values.items())


def bridge_headers(identity: str, count: int) -> str:
    return fields(
        BridgeUniqueid=identity,
        BridgeType="basic",
        BridgeTechnology="simple_bridge",
        BridgeCreator=UNKNOWN,
        BridgeName=UNKNOWN,
        BridgeNumChannels=count,
        BridgeVideoSourceMode="none",
    )


def event(name: str, privilege: str, at: float, body: str) -> bytes:
    return f"Event: {name}\r\nPrivilege: {privilege},all\r\nTimestamp: {at:.6f}\r\n{body}\r\n".encode()


@dataclass(slots=True, eq=False)
class Member:
    """One manager's seat in one queue."""

    queue: str
    name: str
    interface: str
    device: str
    since: float
    paused: bool = False
    reason: str = ""
    taken: int = 0
    last_call: float = 0.0
    last_pause: float = 0.0
    status: int = 1

    def headers(self) -> str:
        return fields(
            Queue=self.queue,
            MemberName=self.name,
            Interface=self.interface,
            StateInterface=self.device,
            Membership="static",
            Penalty=0,
            CallsTaken=self.taken,
            LastCall=int(self.last_call),
            LastPause=int(self.last_pause),
            LoginTime=int(self.since),
            InCall=int(self.status == 2),
            Status=self.status,
            Paused=int(self.paused),
            PausedReason=self.reason,
            Ringinuse=0,
            Wrapuptime=0,
        )

"""What the portal may ask of the simulated PBX, and the answers, word for word as Asterisk gives them.

``right``: any one of these classes of the account's ``write`` is enough; empty = everybody may.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ccenter.lab.simulator.spying import listen
from ccenter.lab.simulator.wire import Channel, Member, fields
from ccenter.lab.simulator.world import Ended, Moved, World

Fields = dict[str, str]
Run = Callable[[World, Fields, str], bytes]
SAID_BY_DEVICE = {
    "NOT_INUSE": "Not in use", "INUSE": "In use", "RINGING": "Ringing", "ONHOLD": "On Hold",
    "UNAVAILABLE": "Unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    run: Run
    right: tuple[str, ...] = ()


def answer(response: str, number: str, message: str, more: str = "") -> bytes:
    identity = f"ActionID: {number}\r\n" if number else ""
    words = f"Message: {message}\r\n" if message else ""
    return f"Response: {response}\r\n{identity}{words}{more}\r\n".encode()


def success(number: str, message: str, **more: object) -> bytes:
    return answer("Success", number, message, fields(**more))


def refused(number: str, message: str) -> bytes:
    return answer("Error", number, message)


def listing(number: str, message: str, rows: Iterable[tuple[str, str]], end: str) -> bytes:
    """A response, an event for each row and the event that ends the list."""
    identity = f"ActionID: {number}\r\n" if number else ""
    blocks = [f"Event: {name}\r\n{identity}{body}\r\n" for name, body in rows]
    head = f"Response: Success\r\n{identity}EventList: start\r\nMessage: {message}\r\n\r\n"
    tail = f"Event: {end}\r\n{identity}EventList: Complete\r\nListItems: {len(blocks)}\r\n\r\n"
    return (head + "".join(blocks) + tail).encode()


def ping(world: World, _: Fields, number: str) -> bytes:
    return success(number, "", Ping="Pong", Timestamp=f"{time.time():.6f}")


def core_status(world: World, _: Fields, number: str) -> bytes:
    began = datetime.fromtimestamp(world.booted, UTC)
    date, clock = began.strftime("%Y-%m-%d"), began.strftime("%H:%M:%S")
    return success(
        number, "", CoreStartupDate=date, CoreStartupTime=clock, CoreReloadDate=date, CoreReloadTime=clock,
        CoreCurrentCalls=len(world.channels), CoreProcessedCalls=len(world.channels),
    )  # fmt: skip


def core_settings(_: World, __: Fields, number: str) -> bytes:
    return success(
        number, "", AMIversion="11.0.0", AsteriskVersion="22.0.0-simulated", SystemName="simulated"
    )


def channel_row(world: World, channel: Channel) -> tuple[str, str]:
    seconds = int(world.now - channel.created)
    duration = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    more = fields(
        Application=channel.application,
        ApplicationData=channel.data,
        Duration=duration,
        BridgeId=channel.bridge,
    )
    return "CoreShowChannel", channel.headers() + more


def core_show_channels(world: World, _: Fields, number: str) -> bytes:
    rows = [channel_row(world, channel) for channel, _ in world.channels.values()]
    return listing(number, "Channels will follow", rows, "CoreShowChannelsComplete")


def member_row(member: Member) -> tuple[str, str]:
    text = member.headers().replace("MemberName: ", "Name: ").replace("Interface: ", "Location: ", 1)
    return "QueueMember", text.replace("Ringinuse: 0\r\n", "")


def queue_status(world: World, asked: Fields, number: str) -> bytes:
    rows: list[tuple[str, str]] = []
    for queue in world.queues.values():
        if asked.get("queue") not in (None, "", queue.key):
            continue
        head = fields(
            Queue=queue.key, Max=0, Strategy=queue.plan.strategy, Calls=len(queue.waiting), Holdtime=0, TalkTime=0,
            Completed=0, Abandoned=0, ServiceLevel=0, ServicelevelPerf="0.0", ServicelevelPerf2="0.0", Weight=0,
        )  # fmt: skip
        rows.append(("QueueParams", head))
        rows += [member_row(member) for member in queue.members]
        for position, place in enumerate(queue.waiting, 1):
            caller = place.channel
            body = fields(
                Queue=queue.key, Position=position, Channel=caller.name, Uniqueid=caller.uniqueid,
                CallerIDNum=caller.number or "unknown", CallerIDName=caller.title or "unknown",
                ConnectedLineNum="unknown", ConnectedLineName="unknown", Wait=int(world.now - place.joined), Priority=0,
            )  # fmt: skip
            rows.append(("QueueEntry", body))
    return listing(number, "Queue status will follow", rows, "QueueStatusComplete")


def device_states(world: World, _: Fields, number: str) -> bytes:
    rows = [("DeviceStateChange", fields(Device=d, State=s)) for d, s in world.devices.items()]
    return listing(number, "Device State Changes will follow", rows, "DeviceStateListComplete")


def endpoints(world: World, _: Fields, number: str) -> bytes:
    rows = []
    for device, state in world.devices.items():
        name = device.partition("/")[2]
        body = fields(
            ObjectType="endpoint", ObjectName=name, Transport="transport-udp", Aor=name, Auths=name, OutboundAuths="",
            Contacts=f"{name}/sip:{name}@127.0.0.1:5060,", DeviceState=SAID_BY_DEVICE[state],
            ActiveChannels=int(state in ("INUSE", "ONHOLD")),
        )  # fmt: skip
        rows.append(("EndpointList", body))
    text = "A listing of Endpoints follows, presented as EndpointList events"
    return listing(number, text, rows, "EndpointListComplete")


def contacts(world: World, _: Fields, number: str) -> bytes:
    rows = []
    for device in world.devices:
        name = device.partition("/")[2]
        body = fields(
            ObjectType="contact", ObjectName=f"{name};@{abs(hash(name)):x}", Endpoint=name,
            Uri=f"sip:{name}@127.0.0.1:5060", Status="NonQualified", RoundtripUsec="N/A",
        )  # fmt: skip
        rows.append(("ContactList", body))
    return listing(
        number, "A listing of Contacts follows, presented as ContactList events", rows, "ContactListComplete"
    )


def queue_pause(world: World, asked: Fields, number: str) -> bytes:
    paused = asked.get("paused", "").lower() in ("true", "1", "yes", "on")
    changed = world.pause(asked.get("interface", ""), paused, asked.get("reason", ""), asked.get("queue", ""))
    if not changed:
        return refused(number, "Interface not found")
    return success(number, f"Interface {'' if paused else 'un'}paused successfully")


def setvar(world: World, asked: Fields, number: str) -> bytes:
    if not asked.get("variable"):
        return refused(number, "No variable specified")
    if not asked.get("channel"):
        world.globals[asked["variable"]] = asked.get("value", "")
    elif asked["channel"] not in world.channels:
        return refused(number, "No such channel")
    return success(number, "Variable Set")


def hangup(world: World, asked: Fields, number: str) -> bytes:
    name = asked.get("channel", "")
    if name.startswith("/") and name.endswith("/"):
        found = [c for n, c in world.channels.items() if re.search(name[1:-1], n)]
    else:
        found = [world.channels[name]] if name in world.channels else []
    if not found:
        return refused(number, "No such channel")
    for channel, call in found:
        if channel.name in world.channels:
            world.step(call, Ended(channel))
    return success(number, "Channel Hungup")


def transfer(world: World, asked: Fields, number: str) -> bytes:
    """BlindTransfer and Redirect: whoever is named, the customer goes to ``Exten``."""
    found = world.channels.get(asked.get("channel", ""))
    if found is None:
        return refused(number, "Channel specified does not exist")
    if not asked.get("exten"):
        return refused(number, "No Exten specified")
    world.step(found[1], Moved(asked["exten"]))
    return success(number, "Transfer succeeded")


def originate(world: World, asked: Fields, number: str) -> bytes:
    """ChanSpy is what the portal originates; anything else rings the phone and ends."""
    device = asked.get("channel", "")
    if device not in world.devices:
        return refused(number, "Channel not specified")
    uniqueid, _, options = asked.get("data", "").partition(",")
    target = next((c for c, _ in world.channels.values() if c.uniqueid == uniqueid), None)
    world.begin(listen(world, device, target, options, number))
    return success(number, "Originate successfully queued")


ACTIONS: dict[str, Known] = {
    "ping": Known(ping),
    "corestatus": Known(core_status, ("system", "reporting")),
    "coresettings": Known(core_settings, ("system", "reporting")),
    "coreshowchannels": Known(core_show_channels, ("system", "reporting")),
    "queuestatus": Known(queue_status),
    "devicestatelist": Known(device_states, ("call", "reporting")),
    "pjsipshowendpoints": Known(endpoints, ("system",)),
    "pjsipshowcontacts": Known(contacts, ("system",)),
    "queuepause": Known(queue_pause, ("agent",)),
    "setvar": Known(setvar, ("call", "system", "reporting")),
    "hangup": Known(hangup, ("system", "call")),
    "blindtransfer": Known(transfer, ("call",)),
    "redirect": Known(transfer, ("call",)),
    "originate": Known(originate, ("originate",)),
}

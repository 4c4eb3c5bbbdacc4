"""Listening in the simulated world: the supervisor's phone is rung into ChanSpy on a manager's channel."""

from __future__ import annotations

from collections.abc import Callable

from ccenter.lab.simulator.wire import Channel, fields
from ccenter.lab.simulator.world import Call, Script, World


def listen(
    world: World, device: str, target: Channel | None, options: str, number: str
) -> Callable[[Call], Script]:
    """As long as ``target`` lives, or until the supervisor's channel is hung up. Without one it fails at once."""

    def script(call: Call) -> Script:
        company, manager = world.managers[device]
        spy = world.channel(
            call, device, number=manager.extension, title=manager.title, context=company.slug, exten="s",
            tenant=company.slug,
        )  # fmt: skip
        world.state(spy, 5)
        world.device(device, "RINGING")
        yield 1.0
        world.state(spy, 6)
        world.device(device, "INUSE")
        alive = target is not None and target.name in world.channels
        response = fields(ActionID=number) if number else ""
        response += fields(
            Response="Success" if alive else "Failure", Channel=device, Context="", Exten="", Reason=4 if alive else 0,
            Uniqueid=spy.uniqueid, CallerIDNum="<unknown>", CallerIDName="<unknown>",
        )  # fmt: skip
        world.say("OriginateResponse", "call", response)
        if target is None or not alive:
            world.hang_up(spy, 16)
            return
        spy.application, spy.data = "ChanSpy", f"{target.uniqueid},{options}"
        both = spy.headers("Spyer") + target.headers("Spyee")
        world.say("ChanSpyStart", "call", both)
        try:
            while target.name in world.channels:
                yield 0.3
        finally:
            world.say("ChanSpyStop", "call", both)
        world.hang_up(spy, 16)

    return script

"""What Daphne serves in the fan-out bench: the hub as the portal uses it, beside Channels as its manual shows it.

Both without sign-in, so that only the way of a change to the browsers is measured.
"""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings

REDIS_URL = os.environ["BENCH_REDIS_URL"]
COMPANY = "bench"
GROUP = "bench"

settings.configure(
    REDIS_URL=REDIS_URL,
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # Without the time-out redis-py cuts a quiet consumer off after five seconds.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
        }
    },
)

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402 - needs the settings above

from ccenter.web_process import set_code_aside  # noqa: E402 - as above
from monitoring.live import room  # noqa: E402 - as above
from monitoring.live.hub import hub_here  # noqa: E402 - as above
from monitoring.live.outlet import outlet_for  # noqa: E402 - as above

room.TICK = float(os.environ.get("BENCH_TICK", room.TICK))


class Plain(AsyncJsonWebsocketConsumer):
    """The baseline: a group per company, a JSON message per change."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def board_changes(self, event: dict[str, Any]) -> None:
        await self.send_json({"t": "changes", "seq": event["seq"], "ops": event["ops"]})


async def through_hub(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    outlet = outlet_for(send)
    hub = hub_here()
    seat = await hub.join(COMPANY, outlet, None, pbxs={"1"})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    hub.leave(COMPANY, seat)
    outlet.end()


_plain = Plain.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket" and scope["path"] == "/hub/":
        await through_hub(receive, send)
    elif scope["type"] == "websocket":
        await _plain(scope, receive, send)


set_code_aside()  # as in every web process; the baseline has the benefit of it too

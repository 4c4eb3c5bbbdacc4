"""The addresses of the live path's sockets. Any other address is refused like a page that does not exist."""

from __future__ import annotations

from typing import Any, cast

from channels.routing import URLRouter
from django.urls import path, re_path

from monitoring.live.consumers import board_socket
from tenants.asgi import App, Receive, Scope, Send, refuse


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    await refuse(receive, send)


# Any: Channels gives Django's path() applications, the stubs know of views only.
_addresses: Any = [path("ws/board/", cast(Any, board_socket)), re_path("", cast(Any, _nothing_here))]
sockets = cast(App, URLRouter(_addresses))

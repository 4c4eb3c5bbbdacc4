"""Where the web server meets the portal: pages go to Django, sockets through the company's gate to the live board."""

from __future__ import annotations

import os
from typing import cast

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ccenter.settings.production")
os.environ.setdefault(
    "DATABASE_POOL", "1"
)  # here only: a pool must not be inherited by Celery's forked workers
pages = get_asgi_application()  # first: it loads the apps the rest needs

from ccenter.web_process import settle  # noqa: E402 - after the apps are loaded
from monitoring.live.routing import sockets  # noqa: E402 - after the apps are loaded
from tenants.asgi import App, AtTheRoot, CompanyGate  # noqa: E402 - after the apps are loaded

kinds = ProtocolTypeRouter({"http": pages, "websocket": CompanyGate(sockets)})
application = AtTheRoot(cast(App, kinds))  # Channels types every message, we pass them on
settle()

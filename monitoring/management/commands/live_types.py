"""``manage.py live_types``: write the browser's types of the live protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from monitoring.live.browser_types import declarations

FILE = Path("static") / "js" / "live" / "types.d.ts"


class Command(BaseCommand):
    help = "Write static/js/live/types.d.ts from the server's own types."

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(settings.BASE_DIR) / FILE
        file.write_text(declarations())
        self.stdout.write(f"Written: {FILE}")

"""``manage.py replay FILE``: read a customer's trouble out of a captured AMI stream, with no database at all."""

from __future__ import annotations

import gzip
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring.pbx.replay import replay


class Command(BaseCommand):
    help = "Run a captured AMI byte stream through normalise, route and reduce, and print what it shows."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the capture, plain or .gz")
        parser.add_argument("--company", help="the PBX has this company only: it owns every event")
        parser.add_argument("--json", action="store_true", help="print everything as one JSON object")

    def handle(self, *args: Any, file: str, company: str | None, **options: Any) -> None:
        try:
            data = Path(file).read_bytes()
            if data[:2] == b"\x1f\x8b":
                data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise CommandError(f"cannot read {file}: {error}") from error
        shown = replay(data, company=company)
        if options["json"]:
            self.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1))
            return
        self._tell(shown)

    def _tell(self, shown: dict[str, Any]) -> None:
        self.stdout.write(f"{shown['events']} events, {shown['quarantined']} quarantined")
        if not shown["companies"]:
            self.stdout.write("The stream names no company; say whose PBX it is with --company NAME.")
        for name, part in shown["companies"].items():
            self.stdout.write(
                f"\n{name}: {len(part['calls'])} calls, {len(part['queue_visits'])} queue visits"
            )
            for call in part["calls"]:
                self.stdout.write(_line(call))
                for step in call["steps"]:
                    note = f" ({step['note']})" if step["note"] else ""
                    self.stdout.write(
                        f"      +{step['at'] - call['started']:7.1f}s {step['kind']} {step['what']}{note}"
                    )


def _line(call: dict[str, Any]) -> str:
    who = ", ".join(f"{m['manager']} {m['talk']:.1f}s" for m in call["managers"])
    length = f"{call['ended'] - call['started']:.1f}s" if call["ended"] else "live"
    return f"  {call['key']} {call['direction']} {call['from']} → {call['to']} {call['disposition']} {length} [{who}]"

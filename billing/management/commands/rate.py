"""``manage.py rate FILE.json``: the invoice of a described case, for support and for "what would it cost"."""

from __future__ import annotations

import io
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from billing.selectors.json_reading import Wrong
from billing.services.described import answer


class Command(BaseCommand):
    help = "Print the invoice of a case described in JSON (docs/billing.md), without any database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the case; - reads standard input")
        parser.add_argument("--language", choices=("ru", "en"), default="ru", help="of the lines")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        name = "standard input" if file == "-" else file
        try:
            invoice = answer(_read(file, name), name=name, language=options["language"])
        except Wrong as error:
            self.stderr.write(f"{error.where}: {error.why}")
            raise SystemExit(2) from error
        # JSON is UTF-8, whatever the terminal is set to.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        self.stdout.write(json.dumps(invoice, ensure_ascii=False, indent=2))


def _read(file: str, name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Wrong(name, f"cannot be read: {why}") from error

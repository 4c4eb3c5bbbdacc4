"""`manage.py demo_history --months 6`: gives the demo's companies a believable past, with progress."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ccenter.demo.past.write import NothingToFill, write
from ccenter.demo.seed import COMPANIES
from tenants.models import Company


class Command(BaseCommand):
    help = "Fill the months before today with calls, statuses and lost callers. Run twice, it is there once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--months", type=int, default=6, help="how far back, months of 30 days (1–36)")
        parser.add_argument("--company", action="append", help="short name; default: the demo's companies")
        parser.add_argument(
            "--if-missing", action="store_true", help="only the days since it was filled last"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        months: int = options["months"]
        if not 1 <= months <= 36:
            raise CommandError("--months takes 1 to 36.")
        known = set(Company.objects.values_list("schema_name", flat=True))
        chosen = options["company"] or [seed.slug for seed in COMPANIES if seed.slug in known]
        if not chosen:
            raise CommandError(
                "There are no demo companies here. Start `make demo` once, or name one: --company."
            )
        for slug in chosen:
            if slug not in known:
                raise CommandError(f"There is no company {slug}. There are: {', '.join(sorted(known))}.")
            self._fill(slug, months, missing=options["if_missing"])

    def _fill(self, slug: str, months: int, *, missing: bool) -> None:
        def told(done: int, of: int) -> None:
            if done % 30 == 0 or done == of:
                self.stdout.write(f"{slug}: {done} of {of} days")
                self.stdout.flush()

        try:
            calls = write(slug, days=months * 30, told=told, missing=missing)
        except NothingToFill as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(f"{slug}: {calls} calls")

"""`manage.py demo_money`: gives the demo's companies plans, invoices and payments, from their own past calls."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from ccenter.demo import money


class Command(BaseCommand):
    help = "Bill the months behind the demo's companies. Run twice, it is there once."

    def handle(self, *_args: Any, **_options: Any) -> None:
        money.fill(now=timezone.now(), say=self.stdout.write)

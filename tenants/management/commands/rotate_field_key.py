"""``manage.py rotate_field_key``: encrypt every stored secret anew with the first key of FIELD_KEY.

Run it after putting a new key first; when it is done the old key may be taken away.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tenants import secrets
from tenants.models import Company, Pbx
from tenants.scope import company_scope, public_scope

SEEDS = ("secret", "seed")  # where allauth keeps what one-time codes and recovery codes grow from


class Command(BaseCommand):
    help = "Encrypt every stored secret anew with the first key of FIELD_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = self.pbxs() + self.seeds_everywhere()
        except secrets.SecretUnreadable as error:
            raise CommandError(
                f"{error} What was done so far stays done; put the old key back and run it again."
            ) from None
        self.stdout.write(self.style.SUCCESS(f"{done} secrets encrypted with the first key"))

    def pbxs(self) -> int:
        with public_scope(), transaction.atomic():
            rows = list(Pbx.objects.select_for_update().exclude(secret_encrypted=""))
            for row in rows:
                row.secret_encrypted = secrets.rotate(row.secret_encrypted)
                row.save(update_fields=["secret_encrypted"])
        return len(rows)

    def seeds_everywhere(self) -> int:
        with public_scope():
            done = self.seeds()
            slugs = list(Company.objects.values_list("schema_name", flat=True))
        for slug in slugs:
            with company_scope(slug):
                done += self.seeds()
        return done

    def seeds(self) -> int:
        with transaction.atomic():
            rows = list(Authenticator.objects.select_for_update())
            for row in rows:
                row.data |= {key: secrets.rotate(row.data[key]) for key in SEEDS if key in row.data}
                row.save(update_fields=["data"])
        return len(rows)

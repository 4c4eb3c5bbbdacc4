"""A company's own details as one who pays: papers, who may see its money, the limits it set itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from billing.models import Account
from billing.services.acts import Who, record
from tenants.models import Company

FIELDS = (
    "legal_name", "inn", "kpp", "address", "email", "supervisors_see", "limit_mode", "call_limit", "profile_limit",
)  # fmt: skip


def change_details(*, who: Who, company: Company, details: Mapping[str, Any]) -> Account:
    """Keep what of FIELDS ``details`` holds. What changed is written down, and nothing when nothing did.

    Raises django.core.exceptions.ValidationError naming the fields; nothing changed then.
    """
    with transaction.atomic():
        # The company's row is there before its account is: whoever else saves waits here.
        Company.objects.select_for_update().get(pk=company.pk)
        account = Account.objects.filter(company=company).first() or Account(company=company)
        before = {name: getattr(account, name) for name in FIELDS}
        for name in FIELDS:
            if name in details:
                setattr(account, name, details[name])
        changed = {
            name: [_plain(before[name]), _plain(getattr(account, name))]
            for name in FIELDS
            if before[name] != getattr(account, name)
        }
        if not changed:
            return account
        account.full_clean()
        account.save()
        record(who=who, verb="details.change", company=company, what=account, details=changed)
    return account


def _plain(value: object) -> str | int | bool | None:
    """As JSON keeps it."""
    return value if value is None or isinstance(value, bool | int) else str(value)

"""The review list: what only a person can decide. A finding is one row, however often it is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Invoice, ReviewItem, ReviewKind, Subscription
from billing.services import acts
from billing.services.acts import Who
from billing.services.errors import BadTerms, NotNow, NotThere
from tenants.models import Company


def fingerprint(*parts: object) -> str:
    """The same finding has the same one. ``parts``: what makes it that finding and no other."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


def note(
    *,
    kind: ReviewKind,
    company: Company,
    mark: str,
    now: datetime,
    subscription: Subscription | None = None,
    invoice: Invoice | None = None,
    period_start: date | None = None,
    details: Mapping[str, object] | None = None,
    again: bool = False,
) -> ReviewItem:
    """Put a finding on the list. ``mark``: its fingerprint. What a person settled stays settled.

    ``again``: unless it happened anew, as a failure does; and what settled itself (settled by nobody) comes back.
    """
    found = {
        "subscription": subscription, "invoice": invoice, "details": dict(details or {}), "found_at": now,
    }  # fmt: skip
    item, made = ReviewItem.objects.get_or_create(
        kind=kind, company=company, period_start=period_start, fingerprint=mark, defaults=found
    )
    if not made and item.settled_at is not None and (again or not item.settled_by):
        ReviewItem.objects.filter(pk=item.pk).update(settled_at=None, settled_by="", note="", **found)
        item.refresh_from_db()
    return item


def settle(*, who: Who, item: ReviewItem, note: str) -> ReviewItem:
    """A person has decided; ``note`` says what. Raises BadTerms, NotThere, NotNow (somebody was faster)."""
    if not note.strip():
        raise BadTerms(_("Say in a few words what was decided."))
    with transaction.atomic():
        row = ReviewItem.objects.select_for_update().filter(pk=item.pk).select_related(None).first()
        if row is None:
            raise NotThere(_("There is no such entry."))
        if row.settled_at is not None:
            raise NotNow(_("This has been settled already."))
        row.settled_at, row.settled_by, row.note = timezone.now(), who.name, note.strip()[:300]
        row.save(update_fields=["settled_at", "settled_by", "note"])
        acts.record(
            who=who, verb="review.settle", company=row.company, what=row.get_kind_display(),
            details={"item": row.pk, "note": row.note},
        )  # fmt: skip
    return row


def settle_itself(
    *,
    kind: ReviewKind,
    company: Company,
    period_start: date | None,
    now: datetime,
    subscription: Subscription,
) -> None:
    """What was found is not so any more: it leaves the list by nobody's decision."""
    ReviewItem.objects.filter(
        kind=kind, company=company, period_start=period_start, subscription=subscription, settled_at=None
    ).update(settled_at=now, settled_by="", note=_("It is in order now."))

"""Sends queued messages to webhooks: signed, at least once, ever more seldom, and given up after a day.

Signing follows the Standard Webhooks specification (standardwebhooks.com): headers webhook-id, webhook-timestamp,
webhook-signature over ``id.timestamp.body`` with HMAC-SHA256. A receiver tells repetitions by webhook-id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import timedelta

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from monitoring.models.webhooks import Delivery, DeliveryState, Webhook
from monitoring.services.outgoing import NotSent, post
from tenants.scope import current_company
from tenants.secrets import SecretUnreadable

TASK = "monitoring.deliver_webhooks"
BACKOFF = (
    5,
    30,
    120,
    600,
    3600,
    6 * 3600,
    18 * 3600,
)  # seconds before the next try; after the last it is given up
LEASE = timedelta(seconds=60)  # longer than a try can take; then another worker may have it
BATCH = 20
WORK_FOR = 20.0  # seconds one task sends before it lets others have the worker
GIVE_UP_AFTER = 20  # messages given up in a row, then the webhook is paused
KEEP_DELIVERED, KEEP_DEAD = timedelta(days=7), timedelta(days=30)


def wake() -> None:
    """Ask for a delivery of the company's messages soon; asked often, it is done once a second."""
    company = current_company()
    if cache.add("webhooks-woken", 1, timeout=1):
        current_app.tasks[TASK].apply_async((company,), countdown=0.2)


def deliver() -> bool:
    """Send what is due in the open company. True when time ran out before the messages did."""
    until = time.monotonic() + WORK_FOR
    while time.monotonic() < until:
        claimed = _claim()
        for delivery in claimed:
            _send(delivery)
        if len(claimed) < BATCH:
            return False
    return True


def forget() -> None:
    """Delete what was delivered or given up long ago."""
    now = timezone.now()
    Delivery.objects.filter(state=DeliveryState.DELIVERED, made_at__lt=now - KEEP_DELIVERED).delete()
    Delivery.objects.filter(state=DeliveryState.DEAD, made_at__lt=now - KEEP_DEAD).delete()


def signed(secret: str, identity: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers. ``secret``: ``whsec_`` and base64; ``at``: epoch seconds."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _claim() -> list[Delivery]:
    """Due messages, leased: a worker that dies while sending leaves them to the next."""
    now = timezone.now()
    with transaction.atomic():
        due = list(
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(
                state=DeliveryState.WAITING,
                next_try__lte=now,
                webhook__archived_at__isnull=True,
                webhook__paused_at__isnull=True,
            )
            .select_related("webhook")
            .order_by("next_try", "pk")[:BATCH]
        )
        Delivery.objects.filter(pk__in=[row.pk for row in due]).update(
            next_try=now + LEASE, attempts=F("attempts") + 1
        )
    for row in due:
        row.attempts += 1
    return due


def _send(delivery: Delivery) -> None:
    body = delivery.body.encode()
    answer, error = 0, ""
    try:
        headers = signed(
            delivery.webhook.secret, f"msg_{current_company()}_{delivery.pk}", int(time.time()), body
        )
        answer = post(
            delivery.webhook.url,
            body,
            {**headers, "Content-Type": "application/json", "User-Agent": "ccenter"},
        )
    except NotSent as reason:
        error = str(reason)
    except SecretUnreadable:
        error = "its secret cannot be read"
    if 200 <= answer < 300:
        _done(delivery, answer)
    else:
        _failed(delivery, answer, error or f"answered {answer}")


def _done(delivery: Delivery, answer: int) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.DELIVERED, answer=answer, error="", delivered_at=timezone.now()
    )
    if delivery.webhook.failures:
        Webhook.objects.filter(pk=delivery.webhook_id).update(failures=0)


def _failed(delivery: Delivery, answer: int, error: str) -> None:
    given_up = delivery.attempts > len(BACKOFF)
    rows = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING)
    if not given_up:
        pause = timedelta(seconds=BACKOFF[delivery.attempts - 1])
        rows.update(answer=answer, error=error, next_try=timezone.now() + pause)
        return
    if rows.update(state=DeliveryState.DEAD, answer=answer, error=error):
        Webhook.objects.filter(pk=delivery.webhook_id).update(failures=F("failures") + 1)
        Webhook.objects.filter(
            pk=delivery.webhook_id, failures__gte=GIVE_UP_AFTER, paused_at__isnull=True
        ).update(paused_at=timezone.now())

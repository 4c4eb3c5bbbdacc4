"""A company's webhooks: made, changed and paused by its admin, and filled with messages as things happen.

``note`` and ``note_status`` run in the transaction of what they tell; sending is ``services.delivery``'s.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain.facts import CallFact
from monitoring.models.lost import LostCall
from monitoring.models.statuses import StatusInterval
from monitoring.models.text import visible
from monitoring.models.webhooks import Delivery, DeliveryState, Happening, Webhook
from monitoring.services import audit
from monitoring.services.directory import check
from monitoring.services.outgoing import refuse_address
from monitoring.services.stored import Stored
from tenants.people.models import User
from tenants.people.roles import Verb
from tenants.scope import company_scope, current_company

if TYPE_CHECKING:
    from monitoring.services.alerts import News

LIMIT = 10  # webhooks of a company
STALE = timedelta(days=1)  # what is older is history that was filled in, not news
MOST_WAITING = 20_000  # messages a webhook may have in the queue; more than a day of a busy company
SECRET_MARK = "whsec_"  # noqa: S105 - what standard libraries expect in front of the secret


def make(*, actor: User, url: str, title: str, events: Iterable[str]) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is never shown again. Raises Refused or ValidationError."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what="webhook")
    if Webhook.objects.live().count() >= LIMIT:
        raise ValidationError(_("There are %(limit)d webhooks already. Remove one first.") % {"limit": LIMIT})
    webhook = Webhook(url=url, title=title, events=_chosen(events), made_by=actor)
    secret = _new_secret(webhook)
    _save(webhook, actor, made=True)
    return webhook, secret


def change(*, actor: User, webhook: Webhook, url: str, title: str, events: Iterable[str]) -> None:
    """Raises Refused or ValidationError; nothing changed then."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=webhook)
    webhook.url, webhook.title, webhook.events = url, title, _chosen(events)
    _save(webhook, actor, changed=True)


def new_secret(*, actor: User, webhook: Webhook) -> str:
    """Replace the secret; messages that wait are signed with the new one."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=webhook)
    secret = _new_secret(webhook)
    _save(webhook, actor, new_secret=True)
    return secret


def pause(*, actor: User, webhook: Webhook) -> None:
    """Nothing is sent or kept for it until it goes on."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=webhook)
    webhook.paused_at = webhook.paused_at or timezone.now()
    _save(webhook, actor, paused=True)


def resume(*, actor: User, webhook: Webhook) -> None:
    """Go on; what still waits is sent now."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=webhook)
    webhook.paused_at, webhook.failures = None, 0
    with transaction.atomic():
        _save(webhook, actor, resumed=True)
        Delivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING).update(next_try=timezone.now())


def remove(*, actor: User, webhook: Webhook) -> None:
    """Take it out of use; its undelivered messages are given up."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=webhook)
    webhook.archived_at = timezone.now()
    with transaction.atomic():
        _save(webhook, actor, removed=True)
        Delivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING).update(
            state=DeliveryState.DEAD, error="removed"
        )


def send_again(*, actor: User, delivery: Delivery) -> None:
    """A message that was given up gets all its tries again."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=delivery.webhook)
    Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.DEAD).update(
        state=DeliveryState.WAITING, attempts=0, next_try=timezone.now(), error="", answer=0
    )
    audit.record(
        actor=actor,
        verb=Verb.EDIT_WEBHOOKS,
        kind="webhook",
        what=delivery.webhook,
        details={"again": delivery.key},
    )


def try_out(*, actor: User, webhook: Webhook) -> Delivery:
    """Queue a made-up ended call, marked as a test."""
    check(actor=actor, verb=Verb.EDIT_WEBHOOKS, what=webhook)
    now = timezone.now()
    data = {
        "test": True,
        "key": "test",
        "direction": "in",
        "number": "+7 495 000-00-00",
        "disposition": "answered",
    }
    return Delivery.objects.create(
        webhook=webhook, event=Happening.CALL_ENDED, key=f"test:{uuid.uuid4()}",
        body=_body(Happening.CALL_ENDED, now, data), next_try=now, made_at=now,
    )  # fmt: skip


def note(stored: Stored) -> None:
    """Hook of ingest: queue what the fresh facts tell to whoever wants to hear it."""
    hooks = _listening()
    if not hooks:
        return
    since = (timezone.now() - STALE).timestamp()
    told = [message for call in stored.calls for message in _of_call(call) if message[2].timestamp() > since]
    if any(Happening.CALL_LOST in hook.events for hook in hooks):
        told += _lost(stored.call_ids)
    _queue(hooks, told)


def note_status(interval: StatusInterval) -> None:
    """A status was declared, here or on the phone; call it in the transaction that stores it."""
    hooks = _listening()
    if hooks:
        data = {
            "manager": interval.manager.pbx_name,
            "name": interval.manager.title,
            "status": interval.status.label,
            "kind": interval.status.kind,
            "source": interval.source,
            "at": _iso(interval.started),
        }
        key = f"{Happening.STATUS_CHANGED}:{interval.pk}"
        _queue(hooks, [(Happening.STATUS_CHANGED, key, interval.started, data)])


def note_alert(news: News) -> None:
    """A norm was broken, got worse or is kept again; call it in the transaction that stores the alert."""
    hooks = _listening()
    if not hooks:
        return
    alert, event = news.alert, Happening(f"alert.{news.what}")
    at = alert.ended if event == Happening.ALERT_ENDED and alert.ended is not None else timezone.now()
    data = {
        "id": alert.pk,
        "metric": alert.metric,
        "scope": alert.scope,
        "scope_id": alert.scope_id or None,
        "title": alert.scope_title,
        "level": alert.worst_level,
        "value": alert.value,
        "worst": alert.worst,
        "limit": alert.limit,
        "began": _iso(alert.began),
        "ended": _iso(alert.ended) if alert.ended is not None else None,
    }
    _queue(hooks, [(event, f"{event}:{alert.pk}", at, data)])


def tell(*, event: Happening, key: str, data: Mapping[str, Any], at: datetime) -> None:
    """What a room above has done, in the transaction in which it did it; of one ``key`` a webhook hears once."""
    hooks = _listening()
    if hooks:
        _queue(hooks, [(event, f"{event}:{visible(key, 120)}", at, dict(data))])


Message = tuple[Happening, str, datetime, dict[str, Any]]


def _of_call(call: CallFact) -> Iterator[Message]:
    if call.disposition == "merged":
        return
    moments = (
        (Happening.CALL_STARTED, call.started),
        (Happening.CALL_ANSWERED, call.answered),
        (Happening.CALL_ENDED, call.ended),
    )
    for event, at in moments:
        if at is not None:
            yield event, f"{event}:{visible(call.key, 120)}", _moment(at), _call_data(call)


def _call_data(call: CallFact) -> dict[str, Any]:
    return {
        "key": visible(call.key, 120),
        "direction": call.direction,
        "number": visible(call.number, 80),
        "name": visible(call.name, 120),
        "line": visible(call.line, 80),
        "started": _iso(_moment(call.started)),
        "answered": _iso(_moment(call.answered)) if call.answered is not None else None,
        "ended": _iso(_moment(call.ended)) if call.ended is not None else None,
        "disposition": call.disposition,
        "managers": sorted({visible(leg.manager, 80) for leg in call.legs if leg.talk}),
        "talk_seconds": round(
            sum(end - start for leg in call.legs for start, end in leg.talk if end is not None), 3
        ),
    }


def _lost(call_ids: Sequence[int]) -> list[Message]:
    rows = LostCall.objects.filter(call_id__in=call_ids, lost_at__gt=timezone.now() - STALE).select_related(
        "queue"
    )
    return [
        (
            Happening.CALL_LOST,
            f"{Happening.CALL_LOST}:{row.call_key}",
            row.lost_at,
            {
                "key": row.call_key,
                "case": row.case_key,
                "number": row.number,
                "line": row.line,
                "queue": row.queue.pbx_name if row.queue else None,
                "lost_at": _iso(row.lost_at),
                "deadline": _iso(row.deadline),
                "excuse": row.excuse,
            },
        )
        for row in rows
    ]


def _listening() -> list[Webhook]:
    return list(Webhook.objects.live().filter(paused_at__isnull=True))


def _queue(hooks: Sequence[Webhook], told: Sequence[Message]) -> None:
    now = timezone.now()
    rows = [
        Delivery(webhook=hook, event=event, key=key, body=_body(event, at, data), next_try=now, made_at=now)
        for hook in hooks
        for event, key, at, data in told
        if event in hook.events
    ]
    if not rows:
        return
    full = {
        hook.pk
        for hook in hooks
        if hook.deliveries.filter(state=DeliveryState.WAITING)[:MOST_WAITING].count() >= MOST_WAITING
    }
    Delivery.objects.bulk_create((row for row in rows if row.webhook_id not in full), ignore_conflicts=True)
    # Who commits may have left the company's scope by then, and Redis may be away: beat comes too.
    transaction.on_commit(partial(_deliver_soon, current_company()), robust=True)


def _deliver_soon(company: str) -> None:
    """Beat would come too; this makes it within a second or two."""
    from monitoring.services.delivery import wake

    with company_scope(company):
        wake()


def _body(event: Happening, at: datetime, data: dict[str, Any]) -> str:
    return orjson.dumps(
        {"type": event, "timestamp": _iso(at), "company": current_company(), "data": data}
    ).decode()


def _chosen(events: Iterable[str]) -> list[str]:
    return [event for event in Happening.values if event in set(events)]


def _new_secret(webhook: Webhook) -> str:
    webhook.secret = SECRET_MARK + base64.b64encode(secrets.token_bytes(32)).decode()
    return webhook.secret


def _save(webhook: Webhook, actor: User, **what: bool) -> None:
    if "made" in what or "changed" in what:  # what was allowed once can always be stopped
        if not webhook.events:
            raise ValidationError({"events": _("Choose at least one.")})
        webhook.full_clean(exclude=["stored_secret"])
        refuse_address(webhook.url)
    with transaction.atomic():
        webhook.save()
        audit.record(actor=actor, verb=Verb.EDIT_WEBHOOKS, kind="webhook", what=webhook, details=what)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

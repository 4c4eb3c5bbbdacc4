"""A company's programs hear of its own calls alone: signed, repeated until they arrive, given up visibly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Standard

from monitoring.domain.facts import CallFact, LegFact
from monitoring.models import Alert, AuditEntry, Delivery, Status, Webhook
from monitoring.services import alerts, delivery, ingest, outgoing, statuses, webhooks
from monitoring.services.errors import Refused
from monitoring.services.outgoing import NotSent
from tenants.models import Company
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.webhooks.receiver import Receiver, receiver

EVERYTHING = ["call.started", "call.answered", "call.ended", "call.lost", "status.changed"]


@pytest.fixture
def staff(alpha: Company, beta: Company) -> dict[str, Staff]:
    return {slug: make_staff(slug) for slug in ("alpha", "beta")}


@pytest.fixture
def crm(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    with receiver() as running:
        yield running


def call(key: str, *, ended: bool = True, number: str = "+74951234567", ago: float = 60.0) -> CallFact:
    start = timezone.now().timestamp() - ago
    leg = LegFact(
        "2.1", "alpha_101", "", start, start + 5, start + 30, "answered", ((start + 5, start + 30),), ()
    )
    return CallFact(
        key, "in", number, "Иван", "74951110001", start, start + 5, start + 30 if ended else None,
        "answered" if ended else "open", "customer", (leg,), (), revision=start + (30 if ended else 5),
    )  # fmt: skip


def hook(staff: Staff, url: str, events: list[str] | None = None) -> tuple[Webhook, str]:
    return webhooks.make(actor=staff.admin, url=url, title="CRM", events=events or EVERYTHING)


def told(crm: Receiver) -> list[tuple[str, dict[str, Any]]]:
    bodies = [json.loads(body) for _, _, body in crm.got]
    return [(body["type"], body) for body in bodies]


def test_each_happening_of_a_call_is_told_once_and_signed(staff: dict[str, Staff], crm: Receiver) -> None:
    with company_scope("alpha"):
        _webhook, secret = hook(staff["alpha"], crm.url)
        for fact in (call("1:1.1", ended=False), call("1:1.1"), call("1:1.1")):
            ingest.store("1", [fact])
        assert not delivery.deliver()
    assert [event for event, _ in told(crm)] == ["call.started", "call.answered", "call.ended"]
    path, headers, body = crm.got[-1]
    assert path == "/calls?from=pbx"
    # What an independent receiver's library says of our signature.
    assert Standard(secret).verify(body, headers)["data"]["number"] == "+74951234567"
    ended = told(crm)[-1][1]
    assert (ended["company"], ended["data"]["managers"]) == ("alpha", ["alpha_101"])
    assert ended["data"]["talk_seconds"] == pytest.approx(25)


def test_a_company_hears_nothing_of_another(staff: dict[str, Staff], crm: Receiver) -> None:
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url)
    with company_scope("beta"):
        ingest.store("1", [call("1:9.9")])
        assert Delivery.objects.count() == 0
        delivery.deliver()
    with company_scope("alpha"):
        delivery.deliver()
        assert Delivery.objects.count() == 0
    assert crm.got == []


def test_only_what_was_asked_for_is_told_and_no_old_news(staff: dict[str, Staff], crm: Receiver) -> None:
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url, ["call.ended"])
        ingest.store("1", [call("1:1.1"), call("1:2.2", ago=3 * 86400)])
        delivery.deliver()
    assert [(event, body["data"]["key"]) for event, body in told(crm)] == [("call.ended", "1:1.1")]


def test_a_status_is_told(staff: dict[str, Staff], crm: Receiver) -> None:
    people = staff["alpha"]
    with company_scope("alpha"):
        hook(people, crm.url)
        away = Status.objects.get(kind="away")
        statuses.declare(actor=people.admin, manager=people.anna, status_id=away.pk)
        delivery.deliver()
    ((event, body),) = told(crm)
    assert (event, body["data"]["manager"], body["data"]["kind"]) == ("status.changed", "alpha_101", "away")


def test_a_broken_norm_is_told_from_its_beginning_to_its_end(staff: dict[str, Staff], crm: Receiver) -> None:
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url, ["alert.began", "alert.ended"])
        now = timezone.now()
        alert = Alert.objects.create(
            metric="longest_wait", scope="queue", scope_id=staff["alpha"].queue.pk, scope_title="Продажи",
            level="warn", worst_level="warn", limit=20, value=25, worst=25, began=now,
        )  # fmt: skip
        for what in ("began", "began", "worse", "ended"):
            webhooks.note_alert(alerts.News(alert, what))
        delivery.deliver()
    assert [(event, body["data"]["worst"]) for event, body in told(crm)] == [
        ("alert.began", 25),
        ("alert.ended", 25),
    ]


def test_a_failed_message_is_repeated_ever_more_seldom_then_given_up(
    staff: dict[str, Staff], crm: Receiver
) -> None:
    crm.answers = [500]
    with company_scope("alpha"):
        made, _ = hook(staff["alpha"], crm.url, ["call.ended"])
        ingest.store("1", [call("1:1.1")])
        waits = []
        for _attempt in range(len(delivery.BACKOFF) + 1):
            delivery.deliver()
            row = Delivery.objects.get()
            waits.append((row.next_try - timezone.now()).total_seconds())
            Delivery.objects.filter(state="waiting").update(next_try=timezone.now())
        assert row.state == "dead"
        assert (row.answer, row.error, row.attempts) == (500, "answered 500", len(delivery.BACKOFF) + 1)
        assert waits[:-1] == pytest.approx(delivery.BACKOFF, abs=5)
        delivery.deliver()
        assert len(crm.got) == len(delivery.BACKOFF) + 1
        crm.answers = [200]
        webhooks.send_again(actor=staff["alpha"].admin, delivery=row)
        delivery.deliver()
        assert Delivery.objects.get().state == "delivered"
        made.refresh_from_db()
        assert made.failures == 0


def test_a_receiver_that_stays_broken_is_paused_and_resumed_by_a_person(
    staff: dict[str, Staff], crm: Receiver
) -> None:
    with company_scope("alpha"):
        made, _ = hook(staff["alpha"], crm.url, ["call.ended"])
        Webhook.objects.filter(pk=made.pk).update(failures=delivery.GIVE_UP_AFTER - 1)
        ingest.store("1", [call("1:1.1")])
        Delivery.objects.update(attempts=len(delivery.BACKOFF))
        crm.answers = [404]
        delivery.deliver()
        made.refresh_from_db()
        assert made.paused_at is not None
        ingest.store("1", [call("1:2.2")])
        assert Delivery.objects.count() == 1
        webhooks.resume(actor=staff["alpha"].admin, webhook=made)
        ingest.store("1", [call("1:3.3")])
        assert Delivery.objects.filter(state="waiting").count() == 1


def test_a_worker_that_died_while_sending_leaves_the_message_to_the_next(
    staff: dict[str, Staff], crm: Receiver
) -> None:
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url, ["call.ended"])
        ingest.store("1", [call("1:1.1")])
        assert len(delivery._claim()) == 1  # and dies
        delivery.deliver()
        assert crm.got == []
        Delivery.objects.update(next_try=timezone.now() - timedelta(seconds=1))  # its lease is over
        delivery.deliver()
        assert len(crm.got) == 1


def test_redirects_are_not_followed(staff: dict[str, Staff], crm: Receiver) -> None:
    crm.answers = [302]
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url, ["call.ended"])
        ingest.store("1", [call("1:1.1")])
        delivery.deliver()
        assert Delivery.objects.get().answer == 302
    assert len(crm.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x", "https://10.1.2.3/", "https://[::1]/", "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/", "https://[::127.0.0.1]/", "http://example.com/",
        "ftp://example.com/", "https://user:pw@example.com/",
        "https:///nowhere", "https://example.com:99999/", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_addresses_nothing_may_be_sent_to_are_refused(staff: dict[str, Staff], url: str) -> None:
    with company_scope("alpha"):
        with pytest.raises(ValidationError):
            hook(staff["alpha"], url)
        assert Webhook.objects.count() == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "[::1]"])
def test_a_name_that_points_inside_is_not_called(host: str) -> None:
    with receiver() as running:
        with pytest.raises(NotSent, match="private network"):
            outgoing.post(running.url.replace("127.0.0.1", host), b"{}", {})
        assert running.got == []


def test_hostile_names_travel_as_data(staff: dict[str, Staff], crm: Receiver) -> None:
    hostile = '"},"type":"x\r\n<script>\u202e' + "A" * 10_000
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url, ["call.ended"])
        ingest.store("1", [call("1:1.1", number=hostile)])
        delivery.deliver()
    ((event, body),) = told(crm)
    assert event == "call.ended"
    assert len(body["data"]["number"]) <= 80
    assert not set(body["data"]["number"]) & {"\r", "\n", "\u202e"}


def test_only_admins_may(staff: dict[str, Staff], settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    people = staff["alpha"]
    with company_scope("alpha"):
        made, _ = hook(people, "http://127.0.0.1:9/")
        assert people.anna.user is not None
        for stranger in (people.supervisor, people.anna.user, staff["beta"].admin):
            for verb in (
                webhooks.pause,
                webhooks.resume,
                webhooks.remove,
                webhooks.try_out,
                webhooks.new_secret,
            ):
                with pytest.raises(Refused):
                    verb(actor=stranger, webhook=made)
            with pytest.raises(Refused):
                webhooks.make(actor=stranger, url="http://127.0.0.1:9/", title="x", events=EVERYTHING)
        before = Webhook.objects.get()
        assert (before.paused_at, before.archived_at, before.stored_secret) == (
            None,
            None,
            made.stored_secret,
        )
        assert Delivery.objects.count() == 0
        assert AuditEntry.objects.filter(outcome="refused").count() == 18


def test_old_messages_are_forgotten(staff: dict[str, Staff], crm: Receiver) -> None:
    with company_scope("alpha"):
        hook(staff["alpha"], crm.url, ["call.ended"])
        ingest.store("1", [call("1:1.1"), call("1:2.2"), call("1:3.3")])
        first, second, third = Delivery.objects.order_by("pk").values_list("pk", flat=True)
        old = timezone.now() - timedelta(days=10)
        Delivery.objects.filter(pk=first).update(state="delivered", made_at=old)
        Delivery.objects.filter(pk=second).update(state="dead", made_at=old)
        delivery.forget()
        assert set(Delivery.objects.values_list("pk", flat=True)) == {second, third}

"""Whatever a browser or a program sends, the answer is a page, a refusal or "not there": never a broken server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from django.conf import settings
from django.urls import get_resolver

from tenants.people.models import Role
from tenants.scope import company_scope
from tests.api.conftest import Past, tell
from tests.factories.people import signed_in
from tests.factories.staff import make_staff
from tests.tenants.test_crawler import addresses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

NASTY = ("a\x00b", "9" * 19, "-1", "²", "nan", "line:\x00", "x" * 1500)
PERIOD = {"from": "2026-11-01", "to": "2026-11-21"}
STATISTICS = ("from", "scope", "bucket", "days", "hours", "zone", "compare", "period")
# Which words an address listens to.
ASKED: Mapping[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "/calls/": ({}, (
        "from", "period", "direction", "line", "queue", "group", "manager", "number", "min_wait", "mark", "after",
        "before",
    )),
    "/calls/count/": ({}, ("line", "number", "queue")),
    "/lost/": ({}, ("show", "page", "part")),
    "/statistics/": ({}, STATISTICS),
    "/statistics/managers/": ({}, ("scope",)),
    "/statistics/deviations/": ({}, ("scope", "zone")),
    "/statistics/explain/": ({"metric": "offered", **PERIOD}, (
        "metric", "split", "key", "cell", "at", "reason", "after", "scope",
    )),
    "/statistics/explain/?split=line": ({"metric": "offered", "split": "line", **PERIOD}, ("key", "at", "after")),
    "/statistics/scheduled/new/": ({}, ("page", "scope", "zone")),
    "/quality/": ({}, ("page",)),
    "/profiles/": ({}, ("archived",)),
    "/alerts/": ({}, ("page",)),
    "/reviews/": ({}, ("page", "state", "manager", "from")),
    "/recordings/unsettled/": ({}, ("page",)),
    "/manage/audit/": ({}, ("q", "page")),
    "/manage/webhooks/": ({}, ("state", "page")),
    "/team/": ({}, ("day", "group")),
    "/team/1/": ({}, ("day",)),
    "/me/": ({}, ("day",)),
    "/api/v1/calls": ({}, ("from", "line", "queue", "number", "cursor", "limit", "min_wait")),
    "/api/v1/lost": ({}, ("state", "owner", "cursor", "limit")),
    "/api/v1/recordings": ({}, ("from", "call", "cursor", "limit")),
    "/api/v1/statistics": ({"metric": "offered", **PERIOD}, (
        "metric", "scope", "bucket", "split", "weekdays", "hours", "zone", "from",
    )),
}  # fmt: skip
FIELDS = (
    "title", "text", "note", "query", "kind", "file", "email", "language", "every", "at", "page", "reason", "owner",
    "number", "again", "url", "events", "tiles", "columns", "groups", "queues", "lines", "managers", "people", "second",
    "summary", "call", "quiet_from", "letters", "region", "work_from", "keep_calls", "s0title", "s0q0text",
    "s0q0weight", "listening",
)  # fmt: skip
DO = {"/lost/1/do/": ("take", "give", "close", "note"), "/calls/notes/1/": ("edit",)}


@pytest.fixture
def past() -> Past:
    return tell("alpha", make_staff("alpha"))


def test_no_word_in_an_address_breaks_a_page(past: Past) -> None:
    client, _user = signed_in("alpha", Role.ADMIN)
    client.raise_request_exception = False
    broken = []
    for path, (usual, names) in ASKED.items():
        for name in names:
            for value in NASTY:
                answer = client.get(path.partition("?")[0], {**usual, name: value})
                if answer.status_code >= 500:
                    broken.append(f"{path} {name}={value[:12]!r}")
    assert not broken, "\n".join(broken)


def test_no_word_in_a_form_breaks_anything(past: Past) -> None:
    client, _user = signed_in("alpha", Role.ADMIN)
    client.raise_request_exception = False
    with company_scope("alpha"):
        from monitoring.models import LostCall

        LostCall.objects.filter(call=past.lost).update(id=1)
    broken = []
    for path in forms():
        for value in NASTY[:5]:
            for do in DO.get(path, ("",)):
                body = {**dict.fromkeys(FIELDS, value), "do": do}
                for fixed in (
                    {},
                    {"reason": "spam", "kind": "calls", "file": "csv", "every": "day", "at": "09:00"},
                ):
                    answer = client.post(path, {**body, **fixed})
                    if answer.status_code >= 500:
                        broken.append(f"{path} {value[:12]!r} {do} {bool(fixed)}")
    assert not broken, "\n".join(broken)


def forms() -> Iterator[str]:
    for address in sorted(set(addresses(get_resolver(settings.COMPANY_URLCONF).url_patterns))):
        if not address.route.startswith(("api/", "account/", "healthz", "sign-out", "me/", "i18n/")):
            yield address.at(number=1, word="groups")

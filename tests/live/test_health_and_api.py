"""Over HTTP: the same board as over the socket, and how this installation is, to whom it may be told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from monitoring.api.schema import SNAPSHOT
from monitoring.bus import BoardWriter, Leases, LinkStatus
from monitoring.models import Group, Supervisor
from monitoring.views import health
from tenants.models import Company, Pbx
from tenants.people.models import Role, Scope
from tenants.people.tokens import issue
from tenants.scope import company_scope
from tests.factories.people import signed_in, signed_in_staff
from tests.live.boards import board, call, link, manager

pytestmark = pytest.mark.django_db

WELL = LinkStatus(
    owner="host:7", state="connected", since=1.0, lag_ms=12, epoch="e1", events=345, quarantined=2
)
AFAR = "203.0.113.9"


@pytest.fixture
def pbx(alpha: Company) -> Pbx:
    pbx = Pbx.objects.create(name="АТС альфы", host="10.0.0.9", port=5038, username="portal")
    pbx.companies.add(alpha)
    return pbx


@pytest.fixture
def group(alpha: Company) -> Group:
    with company_scope("alpha"):
        return Group.objects.create(title="Первая")


@pytest.fixture
def supervisor(group: Group) -> Client:
    client, user = signed_in("alpha", Role.SUPERVISOR)
    with company_scope("alpha"):
        Supervisor.objects.create(user=user).groups.add(group)
    return client


@pytest.fixture
def no_redis(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def collect(url: str, pbx: Pbx, group: Group, status: LinkStatus = WELL) -> None:
    """A collector writes alpha's and beta's boards and says how its link is."""

    async def work() -> None:
        leases, writer = Leases(url, status.owner), BoardWriter(url)
        key = str(pbx.pk)
        lease = await leases.acquire(key)
        assert lease is not None
        writer.hold(lease)
        mine, others = [group.pk], [group.pk + 1]
        calls = {"1:1.1": call("1:1.1", groups=mine), "1:2.2": call("1:2.2", groups=others, name="Чужой")}
        people = {
            "alpha_101": manager("alpha_101", groups=mine),
            "alpha_102": manager("alpha_102", groups=others),
        }
        await writer.reset("alpha", key, "e1", board(call=calls, manager=people, link={key: link(key)}))
        await writer.reset("beta", key, "e1", board(call={"1:3.3": call("1:3.3", groups=mine, name="Бета")}))
        await writer.heartbeat(key, status)
        await leases.close()
        await writer.close()

    asyncio.run(work())


def test_the_board_is_cut_to_the_callers_groups_and_company(
    redis_url: str, pbx: Pbx, group: Group, supervisor: Client
) -> None:
    collect(redis_url, pbx, group)
    answer = supervisor.get("/api/v1/board")
    assert answer.status_code == 200
    found = answer.json()
    assert found["board"]["call"].keys() == {"1:1.1"}
    assert found["board"]["manager"].keys() == {"alpha_101"}
    assert found["board"]["link"][str(pbx.pk)]["state"] == "connected"
    for foreign in ("Чужой", "alpha_102", "Бета"):
        assert foreign not in answer.content.decode()
    assert set(SNAPSHOT["required"]) == set(found)
    assert set(SNAPSHOT["properties"]["board"]["required"]) == set(found["board"])
    beta, _ = signed_in("beta", Role.ADMIN)
    assert beta.get("/api/v1/board").json()["board"]["call"].keys() == {"1:3.3"}


def test_a_token_reads_the_board_of_its_own_company_alone(
    redis_url: str, pbx: Pbx, group: Group, alpha: Company, beta: Company
) -> None:
    collect(redis_url, pbx, group)
    _client, admin = signed_in("alpha", Role.ADMIN)
    with company_scope("alpha"):
        _token, text = issue(user=admin, name="bi", scopes=[Scope.BOARD])
    ask = {"authorization": f"Bearer {text}"}
    at_home = Client(headers={"host": "alpha.localhost"}).get("/api/v1/board", headers=ask)
    assert at_home.json()["board"]["call"].keys() == {"1:1.1", "1:2.2"}
    abroad = Client(headers={"host": "beta.localhost"}).get("/api/v1/board", headers=ask)
    assert abroad.status_code == 401
    assert "board" not in abroad.json()


def test_who_may_not_see_the_board_is_told_so_in_json(
    redis_url: str, pbx: Pbx, group: Group, alpha_client: Client
) -> None:
    collect(redis_url, pbx, group)
    stranger = alpha_client.get("/api/v1/board")
    assert (stranger.status_code, stranger["content-type"].split(";")[0]) == (401, "application/json")
    client, _ = signed_in("alpha", Role.MANAGER)
    refused = client.get("/api/v1/board")
    assert (refused.status_code, list(refused.json())) == (403, ["detail"])
    for wrong in ("Bearer x", "Bearer cc_" + "x" * 10_000, "Basic abc", "Bearer"):
        assert alpha_client.get("/api/v1/board", headers={"authorization": wrong}).status_code == 401


def test_without_redis_the_api_says_try_again(no_redis: None, pbx: Pbx, supervisor: Client) -> None:
    answer = supervisor.get("/api/v1/board")
    assert answer.status_code == 503
    assert answer["retry-after"] == "5"
    assert list(answer.json()) == ["detail"]


def test_the_api_describes_itself_without_a_foreign_host(alpha_client: Client) -> None:
    page = alpha_client.get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "http://" not in text
    assert "https://" not in text
    assert "/static/ninja/swagger-ui-bundle.js" in text
    described = alpha_client.get("/api/v1/openapi.json").json()
    answer = described["paths"]["/api/v1/board"]["get"]["responses"]["200"]
    board_schema = answer["content"]["application/json"]["schema"]["properties"]["board"]
    assert "call" in board_schema["properties"]


def test_health_tells_a_stranger_three_words_and_this_machine_all(
    redis_url: str, pbx: Pbx, group: Group, public_client: Client
) -> None:
    collect(redis_url, pbx, group)
    afar = public_client.get("/healthz", REMOTE_ADDR=AFAR)
    assert afar.status_code == 200
    assert afar.json() == {"status": "ok", "database": "ok", "redis": "ok"}
    proxied = public_client.get("/healthz", headers={"x-forwarded-for": AFAR})
    assert proxied.json() == afar.json()
    here = public_client.get("/healthz").json()
    assert here["database"]["ok"]
    assert here["redis"]["ok"]
    row = here["pbx"][str(pbx.pk)]
    assert {name: row[name] for name in ("state", "owner", "lag_ms", "epoch", "events", "quarantined")} == {
        "state": "connected", "owner": "host:7", "lag_ms": 12, "epoch": "e1", "events": 345, "quarantined": 2,
    }  # fmt: skip


def test_health_shows_staff_every_pbx_and_an_admin_the_companys_own(
    redis_url: str, pbx: Pbx, group: Group, beta: Company
) -> None:
    collect(redis_url, pbx, group)
    staff, _ = signed_in_staff()
    assert staff.get("/healthz", REMOTE_ADDR=AFAR).json()["pbx"].keys() == {str(pbx.pk)}
    admin, _ = signed_in("alpha", Role.ADMIN)
    assert admin.get("/healthz", REMOTE_ADDR=AFAR).json()["pbx"].keys() == {str(pbx.pk)}
    others, _ = signed_in("beta", Role.ADMIN)
    assert others.get("/healthz", REMOTE_ADDR=AFAR).json()["pbx"] == {}
    head, _ = signed_in("alpha", Role.SUPERVISOR)
    assert "pbx" not in head.get("/healthz", REMOTE_ADDR=AFAR).json()


def test_health_says_which_pbx_is_in_trouble_and_why(
    redis_url: str, pbx: Pbx, group: Group, public_client: Client
) -> None:
    assert public_client.get("/healthz").json()["pbx"][str(pbx.pk)]["state"] == "orphaned"
    wrong = replace(
        WELL, state="refused", error="wrong_secret: Authentication failed", next_try=1_795_000_000.0
    )
    collect(redis_url, pbx, group, wrong)
    found = public_client.get("/healthz")
    assert found.status_code == 200
    assert found.json()["status"] == "degraded"
    row = found.json()["pbx"][str(pbx.pk)]
    assert (row["state"], row["error"], row["next_try"]) == (
        "refused",
        "wrong_secret: Authentication failed",
        1_795_000_000.0,
    )


def test_health_without_redis_is_down_and_says_so(no_redis: None, public_client: Client) -> None:
    found = public_client.get("/healthz")
    assert found.status_code == 503
    assert found.json()["status"] == "down"
    assert "pbx" not in found.json()
    assert public_client.get("/healthz", REMOTE_ADDR=AFAR).json() == {
        "status": "down",
        "database": "ok",
        "redis": "away",
    }


def test_health_without_the_database_still_tells_what_the_collectors_keep_on_disk(
    redis_url: str, pbx: Pbx, group: Group, public_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(redis_url, pbx, group, replace(WELL, spool_queued=7, spool_bytes=2048))

    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(health, "_database", away)
    found = public_client.get("/healthz")
    assert found.status_code == 503
    assert found.json()["database"] == {"ok": False, "error": "connection refused"}
    assert found.json()["pbx"][str(pbx.pk)]["spool"]["bytes"] == 2048
    assert "pbx" not in public_client.get("/healthz", REMOTE_ADDR=AFAR).json()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("wrong_secret: Authentication failed", "manager.conf"),
        ("unreachable: connection refused", "10.0.0.9:5038"),
        ("not_asterisk: SSH-2.0-<script>alert(1)</script>", "не Asterisk"),
    ],
)
def test_the_pbx_page_says_in_words_what_is_wrong(
    redis_url: str, pbx: Pbx, group: Group, error: str, words: str
) -> None:
    collect(redis_url, pbx, group, replace(WELL, state="refused", error=error, next_try=1_795_000_000.0))
    staff, _ = signed_in_staff()
    admin, _ = signed_in("alpha", Role.ADMIN)
    for client in (staff, admin):
        page = client.get("/pbx/")
        assert page.status_code == 200
        text = page.content.decode()
        assert words in text
        assert "<script>alert" not in text
        assert "АТС альфы" in text
        rows = client.get("/pbx/", headers={"hx-request": "true"}).content.decode()
        assert "<html" not in rows
        assert words in rows


def test_the_pbx_page_shows_a_company_its_own_pbxs_only_and_others_nothing(
    redis_url: str, pbx: Pbx, group: Group, beta: Company, public_client: Client
) -> None:
    collect(redis_url, pbx, group)
    others, _ = signed_in("beta", Role.ADMIN)
    page = others.get("/pbx/")
    assert page.status_code == 200
    assert "АТС альфы" not in page.content.decode()
    for role in (Role.SUPERVISOR, Role.MANAGER):
        client, _ = signed_in("alpha", role)
        refused = client.get("/pbx/")
        assert refused.status_code == 403
        assert "АТС альфы" not in refused.content.decode()
    assert public_client.get("/pbx/").status_code == 302


def test_of_a_shared_pbx_a_company_learns_neither_its_address_nor_others_figures(
    redis_url: str, pbx: Pbx, group: Group
) -> None:
    """How many events all companies together make, and where the platform's machines are, is nobody else's."""
    trouble = f"unreachable: {pbx.host}:{pbx.port}: Connection refused"
    collect(
        redis_url, pbx, group, replace(WELL, state="down", error=trouble, events=424_242, quarantined=31_313)
    )
    secrets = ("424242", "31313", "Connection refused", f"{pbx.host}:{pbx.port}", WELL.owner)
    admin, _ = signed_in("alpha", Role.ADMIN)
    for managed in (False, True):
        Pbx.objects.filter(pk=pbx.pk).update(managed=managed)
        health = admin.get("/healthz", REMOTE_ADDR=AFAR)
        told = health.content.decode() + admin.get("/pbx/").content.decode()
        assert health.json()["pbx"][str(pbx.pk)]["state"] == "down"
        assert [secret in told for secret in secrets] == [not managed] * len(secrets)
    staff, _ = signed_in_staff()
    told = staff.get("/healthz", REMOTE_ADDR=AFAR).content.decode() + staff.get("/pbx/").content.decode()
    assert all(secret in told for secret in secrets)

"""Who may hear what, for how long, and what is written down about it; ranges as browsers ask for them."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory, Client

from monitoring.models import AuditEntry, Call, Policy
from monitoring.models.recordings import Recording, State
from monitoring.selectors.call_card import card
from monitoring.selectors.journal import Reach
from monitoring.sending import Stored, send
from monitoring.services import recordings
from monitoring.services.recordings import joined
from tenants.people.models import Refusal, User
from tenants.scope import company_scope
from tests.factories.staff import Staff
from tests.recordings.conftest import NOON, Recorded, Shelf, talk

SOUND = bytes(range(256)) * 1000


def browser(company: str, user: User | None) -> Client:
    assert user is not None
    client = Client(headers={"host": f"{company}.localhost"})
    with company_scope(company):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client


def link_of(client: Client, recording: Recording) -> dict[str, str]:
    answer = client.post(f"/recordings/{recording.pk}/link/")
    assert answer.status_code == 200
    told: dict[str, str] = answer.json()
    return told


def whole(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def entries(company: str) -> list[AuditEntry]:
    with company_scope(company):
        return list(AuditEntry.objects.filter(kind="recording").order_by("pk"))


@pytest.fixture
def mine(recorded: Recorded, alpha_staff: Staff) -> Recording:
    """Of Anna of Sales, whom alpha's supervisor heads."""
    return recorded("alpha", alpha_staff, sound=SOUND)


@pytest.fixture
def other(recorded: Recorded, alpha_staff: Staff) -> Recording:
    """Of Boris of Support, whom he does not."""
    return recorded("alpha", alpha_staff, uniqueid="1795251700.9", manager=alpha_staff.boris, sound=SOUND)


def tries(client: Client, pk: int) -> list[int]:
    """Every verb there is on a recording."""
    body = json.dumps({"listening": "x", "spans": [[0, 1]]})
    return [
        client.get(f"/recordings/{pk}/").status_code,
        client.post(f"/recordings/{pk}/link/").status_code,
        client.post(f"/recordings/{pk}/heard/", body, content_type="application/json").status_code,
        client.post(f"/recordings/{pk}/download/").status_code,
    ]


@pytest.mark.parametrize(
    ("who", "may_hear", "may_hear_other"),
    [("admin", True, True), ("supervisor", True, False), ("anna", False, False), ("boris", False, False)],
)
def test_each_role_hears_what_is_in_its_reach_and_nothing_else(
    mine: Recording, other: Recording, alpha_staff: Staff, who: str, may_hear: bool, may_hear_other: bool
) -> None:
    person = getattr(alpha_staff, who)
    client = browser("alpha", getattr(person, "user", person))
    for recording, may in ((mine, may_hear), (other, may_hear_other)):
        before = len(entries("alpha"))
        assert tries(client, recording.pk) == ([200, 200, 404, 200] if may else [404] * 4)
        assert len(entries("alpha")) == before + may  # the download; a refused try leaves nothing here
    with company_scope("alpha"):
        assert Refusal.objects.filter(verb="recording.hear").exists() is not (may_hear and may_hear_other)


def test_managers_hear_their_own_only_if_the_company_says_so(
    mine: Recording, other: Recording, alpha_staff: Staff
) -> None:
    client = browser("alpha", alpha_staff.anna.user)
    with company_scope("alpha"):
        Policy.objects.create(managers_hear_own=True)
    assert tries(client, mine.pk) == [200, 200, 404, 200]
    assert tries(client, other.pk) == [404] * 4
    with company_scope("alpha"):
        Policy.objects.update(managers_hear_own=False)
    assert tries(client, mine.pk) == [404] * 4


def test_another_companys_recording_is_not_there(
    mine: Recording, beta_staff: Staff, alpha_staff: Staff
) -> None:
    for person in (beta_staff.admin, beta_staff.supervisor, beta_staff.anna.user):
        assert tries(browser("beta", person), mine.pk) == [404] * 4
    sound = link_of(browser("alpha", alpha_staff.admin), mine)["sound"]
    assert browser("beta", beta_staff.admin).get(sound).status_code == 404
    assert entries("alpha") == []
    assert entries("beta") == []


def test_a_link_belongs_to_one_session_of_one_person(mine: Recording, alpha_staff: Staff) -> None:
    client = browser("alpha", alpha_staff.admin)
    sound = link_of(client, mine)["sound"]
    assert whole(client.get(sound)) == SOUND
    assert (
        browser("alpha", alpha_staff.admin).get(sound).status_code == 404
    )  # the same person, another session
    assert browser("alpha", alpha_staff.supervisor).get(sound).status_code == 404
    nobody = Client(headers={"host": "alpha.localhost"}).get(sound)
    assert nobody.status_code == 302
    assert len(entries("alpha")) == 1


def test_a_link_ends_by_itself_by_the_session_and_by_the_right(
    mine: Recording, alpha_staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser("alpha", alpha_staff.supervisor)
    sound = link_of(client, mine)["sound"]
    assert client.get(sound).status_code == 200
    with company_scope("alpha"):
        alpha_staff.supervisor.supervisor.groups.clear()
    assert client.get(sound).status_code == 404
    client = browser("alpha", alpha_staff.admin)
    sound = link_of(client, mine)["sound"]
    later = time.time() + recordings.LINK_LIVES.total_seconds() + 2
    with monkeypatch.context() as patch:
        patch.setattr(signing.time, "time", lambda: later)
        assert client.get(sound).status_code == 404
    assert client.get(sound).status_code == 200
    client.logout()
    assert client.get(sound).status_code == 302


@pytest.mark.parametrize("word", ["x", "a:b:c", "WyJhbHBoYSJd:1:2", "%00", "..", "A" * 5000])
def test_an_invented_link_opens_nothing(mine: Recording, alpha_staff: Staff, word: str) -> None:
    assert browser("alpha", alpha_staff.admin).get(f"/recordings/sound/{word}/").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("", 200, SOUND),
        ("bytes=0-", 206, SOUND),
        ("bytes=0-99", 206, SOUND[:100]),
        ("bytes=255000-", 206, SOUND[255000:]),
        ("bytes=255900-999999999999", 206, SOUND[255900:]),
        ("bytes=-100", 206, SOUND[-100:]),
        ("bytes=-999999999", 206, SOUND),
        ("bytes=100000-200000", 206, SOUND[100000:200001]),
        ("bytes=256000-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=9-5", 200, SOUND),
        ("bytes=0-1,5-6", 200, SOUND),
        ("lines=1-2", 200, SOUND),
        ("bytes=" + "9" * 5000 + "-", 200, SOUND),
    ],
)
def test_ranges_are_answered_as_browsers_expect(
    mine: Recording, alpha_staff: Staff, asked: str, status: int, content: bytes
) -> None:
    client = browser("alpha", alpha_staff.admin)
    sound = link_of(client, mine)["sound"]
    answer = client.get(sound, headers={"Range": asked} if asked else {})
    assert answer.status_code == status
    if status != 416:
        assert whole(answer) == content
        assert answer["Content-Length"] == str(len(content))
    if status == 206:
        told = re.fullmatch(r"bytes (\d+)-(\d+)/256000", answer["Content-Range"])
        assert told is not None
        assert SOUND[int(told[1]) : int(told[2]) + 1] == content
    if status == 416:
        assert answer["Content-Range"] == f"bytes */{len(SOUND)}"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"] == "private, no-store"


def test_a_range_of_another_version_is_answered_whole(mine: Recording, alpha_staff: Staff) -> None:
    with company_scope("alpha"):
        Recording.objects.update(sha256="f" * 64)
    client = browser("alpha", alpha_staff.admin)
    sound = link_of(client, mine)["sound"]
    same = client.get(sound, headers={"Range": "bytes=5-9", "If-Range": f'"{"f" * 64}"'})
    old = client.get(sound, headers={"Range": "bytes=5-9", "If-Range": f'"{"0" * 64}"'})
    assert (same.status_code, whole(same)) == (206, SOUND[5:10])
    assert (old.status_code, whole(old)) == (200, SOUND)
    head = client.head(sound, headers={"Range": "bytes=5-9"})
    assert (head.status_code, head["Content-Length"], head.content) == (206, "5", b"")


async def test_under_asgi_the_sound_comes_in_pieces() -> None:
    storage = InMemoryStorage()
    storage.save("a.mp3", ContentFile(SOUND))
    request = AsyncRequestFactory().get("/", headers={"range": "bytes=10-200009"})
    answer = send(request, Stored(storage, "a.mp3", len(SOUND), "audio/mpeg", "tag"))
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.status_code == 206
    assert answer.is_async
    pieces = [piece async for piece in answer.streaming_content]  # type: ignore[union-attr] # it is async
    assert b"".join(pieces) == SOUND[10:200010]
    assert max(map(len, pieces)) <= 65536


def test_one_listening_is_one_entry_that_says_from_where_to_where(
    mine: Recording, alpha_staff: Staff
) -> None:
    client = browser("alpha", alpha_staff.supervisor)
    told = link_of(client, mine)
    assert entries("alpha") == []  # a page that was opened is no listening
    for asked in ("bytes=0-999", "bytes=1000-1999", "bytes=5000-"):
        whole(client.get(told["sound"], headers={"Range": asked}))
    for spans in ([[0, 4.5]], [[0, 4.5], [4.6, 9]], [[20, 25]]):
        body = json.dumps({"listening": told["listening"], "spans": spans})
        said = client.post(f"/recordings/{mine.pk}/heard/", body, content_type="application/json")
        assert said.status_code == 204
    whole(client.get(link_of(client, mine)["sound"]))
    first, second = entries("alpha")
    assert (first.who, first.verb, first.outcome) == ("Глава", "recording.hear", "done")
    assert first.details == {"recording": mine.pk, "call": mine.call_id, "spans": [[0.0, 9.0], [20.0, 25.0]]}
    assert first.until is not None
    assert first.until >= first.at
    assert second.details["spans"] == []
    assert "+7 916 123-45-67" in first.what
    with company_scope("alpha"):
        assert [entry.pk for entry in card(Call.objects.get(), Reach(None)).listened] == [first.pk, second.pk]
    assert "Глава" in browser("alpha", alpha_staff.admin).get(f"/calls/{mine.call_id}/").text


def test_nobody_writes_into_anothers_listening(mine: Recording, alpha_staff: Staff) -> None:
    head, admin = browser("alpha", alpha_staff.supervisor), browser("alpha", alpha_staff.admin)
    told = link_of(head, mine)
    whole(head.get(told["sound"]))
    body = json.dumps({"listening": told["listening"], "spans": [[0, 5]]})
    assert (
        admin.post(f"/recordings/{mine.pk}/heard/", body, content_type="application/json").status_code == 404
    )
    assert [entry.details["spans"] for entry in entries("alpha")] == [[]]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"listening": 1}', b'{"spans": 5, "listening": "x"}', b"\xff", b'{"spans":[1],"listening":0}'],
)  # fmt: skip
def test_what_is_no_report_of_a_listening_is_refused(
    mine: Recording, alpha_staff: Staff, body: bytes
) -> None:
    client = browser("alpha", alpha_staff.admin)
    answer = client.post(f"/recordings/{mine.pk}/heard/", body, content_type="application/json")
    assert answer.status_code == 400


def test_spans_are_joined_and_kept_within_the_recording() -> None:
    nan, inf = float("nan"), float("inf")
    hostile: list[Any] = [
        [5, 3],
        [-9, 2],
        [1, 4],
        [nan, 3],
        [0, inf],
        ["a", 1],
        [1],
        [28, 99],
        [10, 11],
        [11.5, 12],
    ]
    assert joined(hostile, longest=30) == [(0.0, 4.0), (10.0, 12.0), (28.0, 30.0)]
    assert len(joined([[n * 3, n * 3 + 1] for n in range(900)], longest=9999)) == recordings.MOST_SPANS


def test_a_download_is_a_file_with_a_plain_name_and_is_written_down(
    mine: Recording, alpha_staff: Staff
) -> None:
    client = browser("alpha", alpha_staff.admin)
    assert client.get(f"/recordings/{mine.pk}/download/").status_code == 405
    answer = client.post(f"/recordings/{mine.pk}/download/")
    assert whole(answer) == SOUND
    assert answer["Content-Disposition"] == 'attachment; filename="2026-11-21_12-00-00_79161234567.mp3"'
    (entry,) = entries("alpha")
    assert (entry.verb, entry.details["recording"]) == ("recording.download", mine.pk)


def test_a_file_that_is_gone_is_said_and_is_no_listening(
    mine: Recording, alpha_staff: Staff, shelf: Shelf
) -> None:
    client = browser("alpha", alpha_staff.admin)
    sound = link_of(client, mine)["sound"]
    (shelf.kept / mine.file).unlink()
    assert client.get(sound).status_code == 404
    assert client.post(f"/recordings/{mine.pk}/download/").status_code == 404
    assert entries("alpha") == []
    with company_scope("alpha"):
        Recording.objects.update(state=State.GONE)
    page = client.get(f"/recordings/{mine.pk}/")
    assert "data-player" in page.text
    assert "<canvas" not in page.text
    assert client.post(f"/recordings/{mine.pk}/link/").status_code == 404


def test_the_page_shows_a_hostile_callers_words_as_words(recorded: Recorded, alpha_staff: Staff) -> None:
    nasty = '</script><img src=x onerror="alert(1)">'
    mine = recorded("alpha", alpha_staff, name=nasty, number=nasty)
    with company_scope("alpha"):
        call = Call.objects.get()
        call.steps.create(position=0, kind="queue", what=nasty, at=call.started, until=call.ended)
    text = browser("alpha", alpha_staff.admin).get(f"/recordings/{mine.pk}/").text
    assert "<img src=x" not in text
    assert "player-mark" in text


# ------------------------------------------------------------------ what is of no call


@pytest.fixture
def orphan(recorded: Recorded, alpha_staff: Staff) -> Recording:
    row = recorded("alpha", alpha_staff, uniqueid="1795251900.7")
    with company_scope("alpha"):
        Recording.objects.filter(pk=row.pk).update(call=None, state=State.ORPHAN, reason="no_call")
        Call.objects.all()[0].legs.all().delete()
        Call.objects.all().delete()
        row.refresh_from_db()
    return row


@pytest.mark.parametrize("who", ["supervisor", "anna"])
def test_orphans_are_the_admins_alone(orphan: Recording, alpha_staff: Staff, who: str) -> None:
    person = getattr(alpha_staff, who)
    client = browser("alpha", getattr(person, "user", person))
    assert client.get("/recordings/unsettled/").status_code == 403
    assert client.post(f"/recordings/{orphan.pk}/attach/", {"call": 1}).status_code == 403
    assert client.post(f"/recordings/{orphan.pk}/delete/").status_code == 403
    assert tries(client, orphan.pk) == [404] * 4
    with company_scope("alpha"):
        assert Recording.objects.get() == orphan


def test_an_admin_attaches_an_orphan_to_a_call_of_its_pbx(
    orphan: Recording, alpha_staff: Staff, beta_staff: Staff
) -> None:
    with company_scope("alpha"):
        call = talk(alpha_staff, "1795251890.1", started=NOON - 5)
    with company_scope("beta"):
        talk(beta_staff, "1795251890.1", started=NOON - 5)
    client = browser("alpha", alpha_staff.admin)
    assert f'<option value="{call.pk}">' in client.get("/recordings/unsettled/").text
    for wrong in ("", "-1", "999999", "٣", "1e3"):
        client.post(f"/recordings/{orphan.pk}/attach/", {"call": wrong})
    with company_scope("alpha"):
        assert Recording.objects.get().call is None
    client.post(f"/recordings/{orphan.pk}/attach/", {"call": call.pk})
    with company_scope("alpha"):
        row = Recording.objects.get()
        assert (row.call, row.state) == (call, State.STORED)
        assert Call.objects.get().recorded
    assert client.post(f"/recordings/{orphan.pk}/attach/", {"call": call.pk}).status_code == 404
    assert browser("beta", beta_staff.admin).post(f"/recordings/{orphan.pk}/delete/").status_code == 404


def test_an_admin_deletes_an_orphan_for_good_but_no_recording_of_a_call(
    orphan: Recording, other: Recording, alpha_staff: Staff, shelf: Shelf
) -> None:
    client = browser("alpha", alpha_staff.admin)
    assert client.post(f"/recordings/{other.pk}/delete/").status_code == 404
    assert client.post(f"/recordings/{orphan.pk}/delete/").status_code == 302
    with company_scope("alpha"):
        assert Recording.objects.get() == other
    assert len(shelf.files()) == 1
    assert entries("alpha")[-1].details == {"deleted": orphan.source}

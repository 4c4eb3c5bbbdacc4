"""Exports: what is asked for comes as a file, to its owner only, within bounds; no spreadsheet runs its text."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from monitoring.models import AuditEntry, Export
from monitoring.models.exports import State
from monitoring.services import exports
from monitoring.services.errors import Busy, NotThere, Refused
from monitoring.services.tables import harmless
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff
from tests.history.past import make_call
from tests.history.test_journal import signed_in

HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\u202e=HYPERLINK(1)", "\uff1d1+1", " =1", "<b>x</b>",
)  # fmt: skip
MONTH = {"query": "period=month"}
ZONE = "Europe/Moscow"


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path


@pytest.fixture
def alpha_staff(db: None) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def beta_staff(db: None) -> Staff:
    return make_staff("beta")


def made(
    capture: DjangoCaptureOnCommitCallbacks,
    owner: User,
    form: str = "csv",
    question: dict[str, str] | None = None,
) -> Export:
    """Asked for and carried out, as the worker does it, in the open scope."""
    with capture(execute=False) as started:
        export = exports.ask(owner=owner, kind="calls", question=question or MONTH, form=form, zone=ZONE)
    assert len(started) == 1, "its making starts when the transaction is over"
    exports.make(export.pk)
    export.refresh_from_db()
    return export


def text_of(export: Export) -> list[list[str]]:
    with exports.storage().open(export.file, "rb") as file:
        return list(csv.reader(io.StringIO(file.read().decode("utf-8-sig")), delimiter=";"))


def test_a_hostile_caller_is_text_in_every_cell_of_a_csv(
    alpha_staff: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        for place, evil in enumerate(HOSTILE):
            make_call(f"e{place}", number=evil, name=evil, line=evil[:20])
        make_call("fine", number="+74951234567", name="Иванов")
        rows = text_of(made(django_capture_on_commit_callbacks, alpha_staff.admin))
    assert len(rows) == len(HOSTILE) + 2
    for row in rows[1:]:
        for cell in row:
            assert not cell.strip().startswith(("=", "+", "-", "@", "\t", "\uff1d")), cell
    assert any("7 495 123-45-67" in row and "Иванов" in row for row in rows)


def test_an_xlsx_holds_no_formula_and_no_link(
    alpha_staff: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        for place, evil in enumerate((*HOSTILE, "https://evil.example/x")):
            make_call(f"e{place}", number=evil, name=evil)
        export = made(django_capture_on_commit_callbacks, alpha_staff.admin, "xlsx")
        with exports.storage().open(export.file, "rb") as file:
            sheet = openpyxl.load_workbook(io.BytesIO(file.read())).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert sum(cell.data_type == "f" for cell in cells) == 0
    assert not any(cell.hyperlink for cell in cells)
    assert "=cmd|' /C calc'!A0" in {cell.value for cell in cells}
    assert sheet.max_row == len(HOSTILE) + 2
    assert sheet["A2"].is_date
    assert sheet["J2"].value == 10


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert harmless(text.replace("\u202e", "")).startswith("'")


def test_a_file_holds_what_its_owner_may_see_when_it_is_made(
    alpha_staff: Staff, beta_staff: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("beta"):
        make_call("b", name="Чужой", groups=[beta_staff.sales.pk])
    with company_scope("alpha"):
        make_call("a", name="Свой", groups=[alpha_staff.sales.pk], manager=alpha_staff.anna)
        make_call("other", name="Соседний", groups=[alpha_staff.support.pk])
        text = str(text_of(made(django_capture_on_commit_callbacks, alpha_staff.supervisor)))
        assert "Свой" in text
        assert "Анна" in text
        assert "Соседний" not in text
        assert "Чужой" not in text
        with django_capture_on_commit_callbacks():
            later = exports.ask(
                owner=alpha_staff.supervisor, kind="calls", question=MONTH, form="csv", zone=ZONE
            )
        User.objects.filter(pk=alpha_staff.supervisor.pk).update(is_active=False)
        exports.make(later.pk)
        later.refresh_from_db()
        assert (later.state, later.file) == (State.REFUSED, "")


def test_managers_may_not_export_and_it_is_written_down(alpha_staff: Staff) -> None:
    anna = alpha_staff.anna.user
    assert anna is not None
    with company_scope("alpha"):
        with pytest.raises(Refused):
            exports.ask(owner=anna, kind="calls", question=MONTH, form="csv", zone=ZONE)
        assert not Export.objects.exists()
        assert AuditEntry.objects.filter(verb="history.export", outcome="refused").exists()
    assert signed_in("alpha", anna).post("/exports/", {"kind": "calls", "file": "csv"}).status_code == 403


@pytest.mark.parametrize(
    ("kind", "form", "query"),
    [
        ("nothing", "csv", ""),
        ("calls", "exe", ""),
        ("calls", "csv", "period=ever"),
        ("calls", "csv", "queue=99999"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(alpha_staff: Staff, kind: str, form: str, query: str) -> None:
    client = signed_in("alpha", alpha_staff.admin)
    assert client.post("/exports/", {"kind": kind, "file": form, "query": query}).status_code == 400
    with company_scope("alpha"):
        assert not Export.objects.exists()


def test_more_than_a_file_may_hold_is_refused_with_a_word(
    alpha_staff: Staff,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 2)
    with company_scope("alpha"):
        for key in "abc":
            make_call(key)
        export = made(django_capture_on_commit_callbacks, alpha_staff.admin)
        assert (export.state, export.file) == (State.REFUSED, "")
        assert "2" in export.reason


def test_one_person_has_three_under_way_at_most(
    alpha_staff: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"), django_capture_on_commit_callbacks():
        for _ in range(3):
            exports.ask(owner=alpha_staff.admin, kind="calls", question=MONTH, form="csv", zone=ZONE)
        with pytest.raises(Busy):
            exports.ask(owner=alpha_staff.admin, kind="calls", question=MONTH, form="csv", zone=ZONE)
        exports.ask(owner=alpha_staff.supervisor, kind="calls", question=MONTH, form="csv", zone=ZONE)


def test_given_twice_it_is_made_once_and_cancelled_it_leaves_nothing(
    alpha_staff: Staff, tmp_path: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        make_call("a")
        export = made(django_capture_on_commit_callbacks, alpha_staff.admin)
        exports.make(export.pk)
        assert len(list((tmp_path / "exports" / "alpha").iterdir())) == 1
        exports.cancel(owner=alpha_staff.admin, export=export)
        assert not list((tmp_path / "exports" / "alpha").iterdir())
        with django_capture_on_commit_callbacks():
            waiting = exports.ask(
                owner=alpha_staff.admin, kind="calls", question=MONTH, form="csv", zone=ZONE
            )
        exports.cancel(owner=alpha_staff.admin, export=waiting)
        exports.make(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.file) == (State.CANCELLED, "")


def test_cancelled_while_it_is_made_it_stops_and_leaves_nothing(
    alpha_staff: Staff,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with company_scope("alpha"):
        make_call("a")
        with django_capture_on_commit_callbacks():
            export = exports.ask(owner=alpha_staff.admin, kind="calls", question=MONTH, form="csv", zone=ZONE)
        write = exports._write

        def cancelled(*args: object) -> None:
            exports.cancel(owner=alpha_staff.admin, export=export)
            write(*args)  # type: ignore[arg-type] # what came is handed on as it came

        monkeypatch.setattr(exports, "_write", cancelled)
        exports.make(export.pk)
        export.refresh_from_db()
        assert export.state == State.CANCELLED
        assert not (tmp_path / "exports").exists()


def test_a_dead_workers_export_goes_to_another_and_an_expired_one_is_deleted(
    alpha_staff: Staff, tmp_path: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        make_call("a")
        export = made(django_capture_on_commit_callbacks, alpha_staff.admin)
        long_ago = timezone.now() - timedelta(minutes=5)
        with django_capture_on_commit_callbacks():
            dead = exports.ask(owner=alpha_staff.admin, kind="calls", question=MONTH, form="csv", zone=ZONE)
        Export.objects.filter(pk=dead.pk).update(state=State.RUNNING, turn=1, beat=long_ago)
        Export.objects.filter(pk=export.pk).update(expires=long_ago)
        exports.sweep()  # tasks run at once in tests
        dead.refresh_from_db()
        assert (dead.state, dead.turn) == (State.READY, 2)
        assert not Export.objects.filter(pk=export.pk).exists()
        assert len(list((tmp_path / "exports" / "alpha").iterdir())) == 1
        Export.objects.filter(pk=dead.pk).update(state=State.RUNNING, turn=3, beat=long_ago)
        exports.sweep()
        dead.refresh_from_db()
        assert dead.state == State.FAILED


def test_the_page_asks_shows_and_drops(
    alpha_staff: Staff, beta_staff: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        make_call("a", name="Свой")
    client = signed_in("alpha", alpha_staff.admin)
    with django_capture_on_commit_callbacks(execute=True):
        asked = client.post(
            "/exports/", {"kind": "calls", "file": "csv", "query": "period=month"},
            headers={"HX-Request": "true", "HX-Target": "exports"},
        )  # fmt: skip
    assert asked.status_code == 200
    assert "every 1s" in asked.text
    with company_scope("alpha"):
        export = Export.objects.get()
        assert export.state == State.READY
    assert f"/exports/{export.pk}/file/" in client.get(f"/exports/{export.pk}/").text
    for slug, user in (("alpha", alpha_staff.supervisor), ("beta", beta_staff.admin)):
        other = signed_in(slug, user)
        for path in (f"/exports/{export.pk}/", f"/exports/{export.pk}/file/"):
            assert other.get(path).status_code == 404
        assert other.post(f"/exports/{export.pk}/cancel/").status_code == 404
    client.post(f"/exports/{export.pk}/cancel/")
    with company_scope("alpha"):
        assert not Export.objects.exists()


def test_only_its_owner_fetches_a_file_and_it_is_written_down(
    alpha_staff: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        make_call("a", name="Свой")
        export = made(django_capture_on_commit_callbacks, alpha_staff.admin)
        storage, name = exports.fetched(owner=alpha_staff.admin, export=export)
        with storage.open(name) as file:
            assert "Свой".encode() in file.read()
        assert AuditEntry.objects.filter(details__fetched=export.pk).exists()
        with pytest.raises(NotThere):
            exports.fetched(owner=alpha_staff.supervisor, export=export)
        Export.objects.filter(pk=export.pk).update(expires=timezone.now() - timedelta(seconds=1))
        export.refresh_from_db()
        with pytest.raises(NotThere):
            exports.fetched(owner=alpha_staff.admin, export=export)
    assert signed_in("alpha", alpha_staff.admin).get(f"/exports/{export.pk}/file/").status_code == 302


async def test_a_file_is_streamed_in_pieces(tmp_path: Path) -> None:
    from monitoring.views.history.exports import PIECE, _pieces

    exports.storage().save("alpha/big.csv", io.BytesIO(b"x" * (PIECE * 3 + 5)))
    sizes = [len(piece) async for piece in _pieces(exports.storage(), "alpha/big.csv")]
    assert sizes == [PIECE] * 3 + [5]


def test_every_export_is_dropped_when_a_customer_is_forgotten(
    alpha_staff: Staff, tmp_path: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with company_scope("alpha"):
        make_call("a")
        made(django_capture_on_commit_callbacks, alpha_staff.admin)
        assert exports.drop_all() == 1
        assert not list((tmp_path / "exports" / "alpha").iterdir())

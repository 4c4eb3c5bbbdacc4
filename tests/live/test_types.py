"""What travels is typed once: the browser's types and the API's schema are made from the server's."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from monitoring.api.schema import SNAPSHOT
from monitoring.domain.audience import KINDS, never_heard
from monitoring.domain.wire import BoardWire, LinkWire
from monitoring.live import protocol
from monitoring.live.browser_types import declarations
from monitoring.management.commands.live_types import FILE


def test_the_browsers_types_are_those_of_the_server() -> None:
    written = Path(settings.BASE_DIR) / FILE
    assert written.read_text() == declarations(), "run manage.py live_types"


def test_the_command_writes_them(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / FILE).parent.mkdir(parents=True)
    said = StringIO()
    call_command("live_types", stdout=said)
    assert (tmp_path / FILE).read_text() == declarations()
    assert str(FILE) in said.getvalue()


def test_every_kind_of_the_board_is_cut_and_described() -> None:
    assert {*KINDS, "at"} == BoardWire.__required_keys__
    assert set(SNAPSHOT["properties"]["board"]["properties"]) == BoardWire.__required_keys__
    assert never_heard("1").keys() == LinkWire.__required_keys__


def test_what_may_be_missing_is_said_to_be_optional() -> None:
    step = SNAPSHOT["properties"]["board"]["properties"]["call"]["additionalProperties"]["properties"][
        "steps"
    ]["items"]
    assert "note" in step["properties"]
    assert "note" not in step["required"]
    assert "note?: string;" in declarations()


def test_the_schema_of_the_api_is_the_frame_of_the_socket() -> None:
    assert set(SNAPSHOT["properties"]) == protocol.SnapshotFrame.__required_keys__

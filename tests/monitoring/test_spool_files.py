"""What the spool puts on disk can be read back, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.domain.facts import AutoFact, ListenFact, PauseFact, VisitFact
from monitoring.services import fact_json
from monitoring.services.spool_files import SpoolFiles, SpoolFull
from tests.factories.told import NOON, call, leg


def test_every_fact_survives_the_way_through_json() -> None:
    facts = [
        call("1:a", legs=(leg("alpha_101"), leg("alpha_102", talk=None)), name='"<b>\u2028'),
        VisitFact("u", "1:a", "q", NOON, None, "open", "", "", 0.0, 3, 20.0, 5.0),
        PauseFact("alpha_101", NOON, True, "Обед"),
        ListenFact("1:a", "s", "m", "join", NOON, None),
        AutoFact("alpha_101", "wrap_up", NOON, NOON + 30, "1:a"),
    ]
    line = fact_json.dump("alpha", facts)
    assert line.count(b"\n") == 1
    assert fact_json.load(line) == ("alpha", facts)


@pytest.mark.parametrize(
    "junk", [b"", b"{", b"[]", b'{"company": "a"}', b'{"company": "a", "facts": [{}]}', b"\xff"]
)
def test_a_broken_line_is_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        fact_json.load(junk)


def test_text_that_is_no_unicode_is_kept_as_question_marks() -> None:
    line = fact_json.dump("alpha", [call("1:a", name="\udfff")])
    assert fact_json.load(line)[1][0].name == "?"  # type: ignore[union-attr]  # it is a call


def test_the_spool_rolls_over_and_never_passes_its_cap(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path, cap=100, segment_bytes=20)
    for number in range(9):
        files.append([f"line {number:04}\n".encode()])
    assert len(list(tmp_path.glob("*.jsonl"))) > 2
    with pytest.raises(SpoolFull):
        files.append([b"x" * 20])
    seen: list[bytes] = []
    while lines := list(files.head()):
        seen += lines
        files.taken(len(lines))
    assert seen == [f"line {number:04}".encode() for number in range(9)]
    assert (files.bytes, list(tmp_path.glob("*.jsonl"))) == (0, [])
    files.close()

"""The way from bytes to events: any split gives the same events, and no bytes at all make it raise or grow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.domain import events as ev
from monitoring.pbx.frames import BLOCK_LIMIT, Framer
from monitoring.pbx.normalise import normalise
from monitoring.pbx.replay import replay

from .streams import names, raw

STREAM = b"".join(raw(name) for name in names("two_companies.ami"))


def blocks(data: bytes, cuts: list[int]) -> list[bytes]:
    framer = Framer()
    out: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        out += framer.feed(data[start:end])
    return out


@given(st.lists(st.integers(0, len(STREAM)), max_size=40).map(sorted))
@settings(max_examples=300, deadline=None)
def test_any_split_of_the_byte_stream_gives_the_same_events(cuts: list[int]) -> None:
    assert list(map(normalise, blocks(STREAM, cuts))) == list(map(normalise, blocks(STREAM, [])))


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert blocks(STREAM, list(range(1, len(STREAM)))) == blocks(STREAM, [])


@given(st.binary(max_size=4000))
@settings(max_examples=500, deadline=None)
def test_fuzzed_bytes_never_raise(data: bytes) -> None:
    for block in Framer().feed(data + b"\r\n\r\n"):
        normalise(block)
    replay(data)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_stream_never_raises(data: st.DataObject) -> None:
    """Real events with bytes cut out, doubled or overwritten: closer to the real thing than noise."""
    damaged = bytearray(STREAM[:12_000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        how = data.draw(st.sampled_from(["cut", "double", "noise"]))
        length = data.draw(st.integers(1, 200))
        if how == "cut":
            del damaged[at : at + length]
        elif how == "double":
            damaged[at:at] = damaged[at : at + length]
        else:
            damaged[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    replay(bytes(damaged))


def test_a_line_of_a_megabyte_is_dropped_counted_and_forgotten() -> None:
    framer = Framer()
    whole = b"Event: Newchannel\r\nCallerIDName: " + b"x" * 1_000_000
    given_out = [b for i in range(0, len(whole), 4096) for b in framer.feed(whole[i : i + 4096])]
    assert given_out == []
    assert len(framer._rest) <= BLOCK_LIMIT
    assert framer.feed(b"\r\n\r\nEvent: Hangup\r\n\r\n") == [b"Event: Hangup"]
    assert framer.cut == 1


def test_a_letter_split_between_chunks_stays_whole() -> None:
    block = "Event: NewCallerid\r\nUniqueid: 1.1\r\nCallerIDName: Анна\r\n\r\n".encode()
    for cut in range(len(block)):
        (event,) = map(normalise, blocks(block, [cut]))
        assert event is not None
        assert "Анна" in event


def test_a_repeated_header_does_not_override_the_first() -> None:
    event = normalise(b"Event: Hangup\r\nUniqueid: 1.1\r\nTenantid: alpha\r\nUniqueid: 2.2\r\nTenantid: beta")
    assert event is not None
    assert (event.uniqueid, event.tenant) == ("1.1", "alpha")  # type: ignore[union-attr]  # a Hangup has both


def test_a_header_that_appears_in_a_known_layout_is_not_missed() -> None:
    """Two layouts of as many lines: the tenant must not be lost to the one learned first."""
    without = b"Event: Hangup\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\nAccountCode: x\r\nCause: 16"
    with_tenant = b"Event: Hangup\r\nUniqueid: 1.2\r\nLinkedid: 1.2\r\nTenantid: alpha\r\nCause: 16"
    for block, tenant in ((without, ""), (with_tenant, "alpha"), (without, ""), (with_tenant, "alpha")):
        event = normalise(block)
        assert event is not None
        assert event.tenant == tenant  # type: ignore[union-attr]  # a Hangup has one


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_lone_carriage_return_shifts_no_value_into_another_header(times: int) -> None:
    block = (
        b"Event: NewCallerid\r\nUniqueid: 1.1\r\nTenantid: alpha\r\nCallerIDNum: 7\rx\r\nCallerIDName: Anna"
    )
    for _ in range(times):
        event = normalise(block)
    assert event == ev.CallerChanged(0.0, "1.1", "alpha", "7", "Anna")


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_asterisk_calls_unknown_is_nothing_and_bad_letters_stay_in_their_value(times: int) -> None:
    """Read alike by a learned pattern and without one."""
    block = (
        b"Event: NewCallerid\r\nTimestamp: 5.5\r\nUniqueid: 1.1\r\nTenantid: beta\r\n"
        b"CallerIDNum: <unknown>\r\nCallerIDName: \xd0A\x00\xd0"
    )
    for _ in range(times):
        event = normalise(block)
    assert event == ev.CallerChanged(5.5, "1.1", "beta", "", "\ufffdA\ufffd\ufffd")


def test_more_layouts_than_are_kept_are_read_all_the_same() -> None:
    """A hostile peer may lay each block out anew: nothing is compiled without end, nothing is misread."""
    for extra in range(300):
        block = b"Event: Hangup\r\nX-%d: y\r\nUniqueid: %d.1\r\nTenantid: alpha\r\nCause: 16" % (extra, extra)
        block += b"\r\nY: z" * (extra % 90)
        event = normalise(block)
        assert event == ev.ChannelClosed(0.0, f"{extra}.1", "", "alpha", "", 16)


def test_a_caller_name_of_ten_kilobytes_is_cut() -> None:
    event = normalise(b"Event: NewCallerid\r\nUniqueid: 1.1\r\nCallerIDName: " + b"x" * 10_240)
    assert event is not None
    assert len(event.name) == 200  # type: ignore[union-attr]  # a NewCallerid has a name


def test_events_without_a_stamp_are_stamped_on_receipt() -> None:
    event = normalise(b"Event: Hangup\r\nUniqueid: 1.1", 1234.5)
    assert event is not None
    assert event.at == 1234.5


@pytest.mark.parametrize("stamp", [b"nan", b"inf", b"-5", b"1e300", b"soon"])
def test_a_stamp_that_is_no_time_is_not_believed(stamp: bytes) -> None:
    event = normalise(b"Event: Hangup\r\nTimestamp: " + stamp + b"\r\nUniqueid: 1.1", 77.0)
    assert event is not None
    assert event.at == 77.0


def test_replay_prints_json_for_a_support_engineer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "trouble.ami"
    capture.write_bytes(STREAM)
    call_command("replay", str(capture), "--json")
    told = json.loads(capsys.readouterr().out)
    assert set(told["companies"]) == {"romashka", "vektor"}
    assert [len(part["calls"]) for part in told["companies"].values()] == [1, 1]
    assert told["events"] > 100


def test_replay_says_what_to_do_when_the_stream_names_no_company(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "trouble.ami"
    capture.write_bytes(b"Event: Newchannel\r\nUniqueid: 1.1\r\nChannel: PJSIP/101-00000001\r\n\r\n")
    call_command("replay", str(capture))
    assert "--company NAME" in capsys.readouterr().out

"""Nothing we send can carry a second action, and each action says what Asterisk understands."""

from __future__ import annotations

import pytest

from monitoring.domain.commands import BadValue
from monitoring.pbx import actions
from monitoring.pbx.actions import AmiAction

HOSTILE = ["101\r\nAction: Originate", "101\nX: y", "101\rX: y", "101\0", "\r\n\r\n"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_that_would_begin_another_line_is_refused(value: str) -> None:
    for make in (
        lambda v: actions.login(username=v, secret="x"),
        lambda v: actions.login(username="x", secret=v),
        lambda v: actions.queue_pause(interface=v, paused=True),
        lambda v: actions.queue_pause(interface="PJSIP/a", paused=True, reason=v),
        lambda v: actions.queue_pause(interface="PJSIP/a", paused=True, queue=v),
        lambda v: actions.set_global(name=v, value="1"),
        lambda v: actions.set_global(name="AWAY_a", value=v),
        lambda v: actions.originate(channel=v, context="c", exten="1"),
        lambda v: actions.originate(channel="c", context=v, exten="1"),
        lambda v: actions.originate(channel="c", context="c", exten=v),
        lambda v: actions.originate(channel="c", context="c", exten="1", caller_id=v),
        lambda v: actions.originate(channel="c", context="c", exten="1", variables=(("A", v),)),
        lambda v: actions.originate(channel="c", context="c", exten="1", variables=((v, "1"),)),
        lambda v: actions.listen(supervisor=v, manager_channel="1.1", mode="listen"),
        lambda v: actions.listen(supervisor="PJSIP/a", manager_channel=v, mode="listen"),
        lambda v: actions.blind_transfer(leaving_channel=v, context="c", exten="1"),
        lambda v: actions.blind_transfer(leaving_channel="c", context="c", exten=v),
        lambda v: actions.hangup(channel=v),
        lambda v: AmiAction("Ping", ((v, "x"),)),
        lambda v: AmiAction(v),
    ):
        with pytest.raises(BadValue):
            make(value)


def test_a_line_longer_than_asterisk_reads_is_refused_and_one_that_fits_is_not() -> None:
    with pytest.raises(BadValue, match="longer"):
        actions.queue_pause(interface="PJSIP/a", paused=True, reason="Ж" * 500)
    assert actions.queue_pause(interface="PJSIP/a", paused=True, reason="Ж" * 400)


def test_a_variable_that_would_run_a_program_is_refused() -> None:
    for name in ("SHELL(id)", "FILE(/etc/passwd)", "A B", ""):
        with pytest.raises(BadValue):
            actions.set_global(name=name, value="1")


def test_a_comma_cannot_add_a_second_channel_variable() -> None:
    with pytest.raises(BadValue, match="comma"):
        actions.originate(channel="c", context="c", exten="1", variables=(("A", "1,CALLERID(num)=2"),))


def test_a_pattern_that_would_end_every_call_is_refused() -> None:
    with pytest.raises(BadValue):
        actions.hangup(channel="/.*/")


def test_an_extension_holds_only_what_is_dialled() -> None:
    assert actions.checked_extension("+74951234567") == "+74951234567"
    assert actions.checked_extension("*8") == "*8"
    for bad in ("", "101@other", "101,1", "1&2", "${EVIL}", "1" * 80, "10 1"):
        with pytest.raises(BadValue):
            actions.checked_extension(bad)


def test_listening_names_the_mode_the_way_chanspy_wants_it() -> None:
    data = {
        mode: dict(actions.listen(supervisor="PJSIP/a", manager_channel="1.2", mode=mode).headers)["Data"]
        for mode in ("listen", "whisper", "join")
    }
    assert data == {"listen": "1.2,quE", "whisper": "1.2,quEw", "join": "1.2,quEB"}


def test_a_secret_is_not_part_of_a_representation() -> None:
    assert "hush" not in repr(actions.login(username="ccenter", secret="hush"))

"""A caller who writes line breaks into the number adds nothing to the stream: no header, no event, no company."""

from __future__ import annotations

import pytest

from monitoring.pbx.frames import Framer
from monitoring.pbx.normalise import normalise
from monitoring.pbx.replay import replay

from .streams import raw

BEFORE = (
    "Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795321225.5\r\nChannel: PJSIP/trunk-00000001\r\n"
)
BEFORE += "ChannelState: 4\r\nChannelStateDesc: Ring\r\nCallerIDNum: "
AFTER = "\r\nCallerIDName: \r\nConnectedLineNum: \r\nConnectedLineName: \r\nLanguage: ru\r\nAccountCode: \r\n"
AFTER += "Context: in\r\nExten: 74950000001\r\nPriority: 1\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n"
TENANT = "Tenantid: alpha\r\n"


def heard(number: str, after: str = AFTER + TENANT) -> list[object]:
    return [
        e for b in Framer().feed(f"{BEFORE}{number}{after}\r\n".encode()) if (e := normalise(b)) is not None
    ]


@pytest.mark.parametrize(
    "number",
    [
        "791\r\nUniqueid: 666.1\r\nLinkedid: 666.1\r\nTenantid: beta",
        "791\r\nTenantid: beta",
        "791\r\nPriority: 1\r\nUniqueid: 666.1\r\nLinkedid: 666.1\r\nTenantid: beta",
        "791\r\nExten: 999\r\nContext: x",
        "791\r\n\r\nEvent: Hangup\r\nUniqueid: 666.1\r\nTenantid: beta\r\n\r\nX: ",
        "791\r\nUniqueid: 666.1\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\nTenantid: beta\r\n\r\nX: ",
    ],
)
def test_what_a_caller_writes_into_the_number_is_not_believed(number: str) -> None:
    (event,) = heard(number)
    assert (event.uniqueid, event.linkedid, event.tenant) == ("1.1", "1.1", "alpha")  # type: ignore[attr-defined]
    assert (event.number, event.exten) == ("791", "74950000001")  # type: ignore[attr-defined]


def test_an_event_that_swallows_the_rest_of_another_is_not_believed() -> None:
    told = heard("791\r\n\r\nEvent: Hangup\r\nUniqueid: 666.1\r\nTenantid: beta")
    assert not [word for event in told for word in ("666.1", "beta") if word in repr(event)]


def test_a_tenant_from_the_number_is_not_taken_where_asterisk_names_none() -> None:
    (event,) = heard("791\r\nTenantid: beta", AFTER)
    assert (event.uniqueid, event.tenant) == ("1.1", "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["hostile_callers.ami", "hostile_callers.filtered.ami"])
def test_a_trunk_that_forges_headers_and_events_gives_the_other_company_nothing(name: str) -> None:
    told = replay(raw(name))["companies"]
    assert len(told["romashka"]["calls"]) == 12
    assert told["vektor"]["calls"] == told["vektor"]["queue_visits"] == []
    assert told["vektor"]["board"]["call"] == {}

"""Two companies on the running portal: whatever one asks of the other, by page, API or socket, is not there.

The walk over the whole URL map is tests/tenants/test_crawler.py; here the same holds for the real server with
real rows, calls and sessions in it.
"""

from __future__ import annotations

import re
import socket
from collections import Counter

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.e2e.stack import Stack
from tests.e2e.visitors import Visitor, ask

pytestmark = pytest.mark.real

LINK = re.compile(r'(?:href|action|hx-get|hx-post)="(/[^"#?]*)')
# Signing out would end the walk; switching the language is nobody's data.
NOT_WALKED = ("/static/", "/i18n/", "/account/logout/", "/account/sign-out")
MOST_ALIKE = 4
MARKS = {
    "romashka": ("Ромашка", "romashka", "Анна Смирнова", "74951230001"),
    "vektor": ("Вектор", "vektor", "Виктор Орлов", "78123330001"),
}


def walked(visitor: Visitor) -> dict[str, str]:
    """Every page that links lead to, from the first on; path → text. Of pages that differ by an id alone, a few."""
    pages: dict[str, str] = {}
    alike: Counter[str] = Counter()
    ahead = ["/", "/live/", "/me/", "/pbx/", "/api/v1/board", "/healthz"]
    while ahead:
        path = ahead.pop()
        shape = re.sub(r"\d+", "N", path)
        if path in pages or path.startswith(NOT_WALKED) or alike[shape] >= MOST_ALIKE:
            continue
        alike[shape] += 1
        status, text = visitor.get(path)
        assert status < 500, path
        pages[path] = text if status == 200 else ""
        ahead += LINK.findall(text)
    return pages


@pytest.mark.parametrize(("company", "other"), [("romashka", "vektor"), ("vektor", "romashka")])
def test_no_page_of_a_company_knows_the_other_and_no_session_opens_the_others(
    stack: Stack, company: str, other: str
) -> None:
    admin, stranger = stack.visitor(company, "admin"), stack.visitor(other, "admin")
    pages = walked(admin)
    assert sum(bool(text) for text in pages.values()) > 15
    assert any(MARKS[company][2] in text for text in pages.values())
    for path, text in pages.items():
        assert [mark for mark in MARKS[other] if mark in text] == [], path
    for path in pages:
        status, text = ask(stack.web_port, f"{company}.localhost", path, session=stranger.session())
        assert [mark for mark in MARKS[company][2:] if mark in text] == [], path
        assert status != 200 or path.startswith(
            ("/account/", "/healthz", "/api/v1/docs", "/api/v1/openapi")
        ), path


@pytest.mark.parametrize(("company", "other"), [("romashka", "vektor"), ("vektor", "romashka")])
def test_no_session_and_no_page_of_the_other_opens_a_companys_socket(
    stack: Stack, company: str, other: str
) -> None:
    keys = {whose: stack.visitor(whose, "head").session() for whose in (company, other)}
    own, foreign = (f"http://{whose}.localhost:{stack.web_port}" for whose in (company, other))
    for key, origin in ((keys[other], own), (keys[company], foreign), (keys[company], "null"), ("", own)):
        with pytest.raises(InvalidStatus) as refusal:
            open_socket(stack, company, key, origin)
        assert refusal.value.response.status_code == 403
        assert not refusal.value.response.body
    with open_socket(stack, company, keys[company], own) as page:
        page.send('{"t": "hello", "have": null}')
        first = page.recv(timeout=5, decode=True)
    assert '"snapshot"' in first
    assert [mark for mark in MARKS[other] if mark in first] == []


def open_socket(stack: Stack, company: str, key: str, origin: str) -> ClientConnection:
    return connect(
        f"ws://{company}.localhost:{stack.web_port}/ws/board/", origin=Origin(origin), proxy=None, open_timeout=5,
        additional_headers={"Cookie": f"sessionid={key}"}, sock=socket.create_connection(("127.0.0.1", stack.web_port)),
    )  # fmt: skip

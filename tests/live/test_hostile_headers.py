"""Raw requests to a real Daphne, with headers no browser lets a page choose."""

from __future__ import annotations

import socket

import pytest

from tests.live.conftest import People
from tests.live.site import Site

pytestmark = pytest.mark.django_db
HANDSHAKE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)


def asked(site: Site, *lines: str) -> tuple[int, str]:
    """Status and everything the server said; an upgraded connection is left as soon as it is one."""
    said = b""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        while data := connection.recv(65536):
            said += data
            if said.startswith((b"HTTP/1.1 101", b"HTTP/1.1 403 Access")):
                break
    return int(said.split(b" ", 2)[1]), said.decode("utf-8", "replace")


def page(site: Site, path: str, *headers: str, company: str = "alpha") -> tuple[int, str]:
    host = f"Host: {company}.localhost:{site.port}"
    return asked(site, f"GET {path} HTTP/1.1", host, *headers, "Connection: close")


def cookie(people: dict[str, People], company: str = "alpha") -> str:
    return f"Cookie: sessionid={people[company].sessions['admin']}"


async def test_a_visitor_does_not_choose_where_links_and_redirects_lead(
    people: dict[str, People], site: Site
) -> None:
    lie = "Daphne-Root-Path: //evil.example"
    status, said = page(site, "/account/", lie, cookie(people))
    assert status == 200
    assert "evil.example" not in said
    status, said = page(site, "/account/", lie)
    assert status == 302
    assert "evil.example" not in said


@pytest.mark.parametrize("prefix", ["/api", "/i18n", "/healthz"])
async def test_a_path_does_not_pass_for_one_that_needs_no_sign_in(
    people: dict[str, People], site: Site, prefix: str
) -> None:
    status, said = page(site, f"{prefix}/account/", f"Daphne-Root-Path: {prefix}")
    assert status == 404
    assert "sign-out-everywhere" not in said


async def test_two_hosts_in_one_request_are_no_host(people: dict[str, People], site: Site) -> None:
    both = [f"Host: {company}.localhost:{site.port}" for company in ("beta", "alpha")]
    for lines in (both, both[::-1]):
        status, _said = asked(site, "GET /account/ HTTP/1.1", *lines, cookie(people), "Connection: close")
        assert status == 400


@pytest.mark.parametrize(
    "origins",
    [
        ("http://evil.example", "http://{host}"),
        ("http://{host}", "http://evil.example"),
        ("https://{host}",),
        ("http://{host}.evil.example",),
        ("http://evil.example@{host}",),
        ("http://{host}/",),
        ("null",),
        (),
    ],
)
async def test_a_page_of_another_origin_opens_no_socket(
    people: dict[str, People], site: Site, origins: tuple[str, ...]
) -> None:
    host = f"alpha.localhost:{site.port}"
    told = [f"Origin: {origin.format(host=host)}" for origin in origins]
    forged = ("X-Forwarded-Proto: https", f"X-Forwarded-Host: {host}")
    ours = ("GET /ws/board/ HTTP/1.1", f"Host: {host}", cookie(people), *HANDSHAKE)
    assert asked(site, *ours, f"Origin: http://{host}")[0] == 101
    assert asked(site, *ours, *told, *forged)[0] in (
        400,
        403,
    )  # 400: the library's own word for no origin at all


async def test_a_socket_with_a_strange_cookie_is_refused_and_no_error(site: Site) -> None:
    host = f"alpha.localhost:{site.port}"
    for key in ('"abcdefgh\\000"', "\xff" * 40, "a" * 5000):
        ours = ("GET /ws/board/ HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", *HANDSHAKE)
        assert asked(site, *ours, f"Cookie: sessionid={key}")[0] == 403

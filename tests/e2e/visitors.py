"""People of the seeded companies with a session each, signed in by the real form; no browser needed for that."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

from ccenter.demo.seed import PASSWORD


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: it says what was refused, and its address lacks our Host header."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask(
    port: int,
    host: str,
    path: str,
    *,
    data: bytes | None = None,
    session: str = "",
    opener: urllib.request.OpenerDirector | None = None,
) -> tuple[int, str]:
    """Status and text of what ``host`` answers on loopback; a refusal is an answer too. OSError: nobody listens."""
    headers = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}
    if session:
        headers["Cookie"] = f"sessionid={session}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    try:
        with (opener or urllib.request.build_opener(NoRedirects)).open(request, timeout=15) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode("utf-8", "replace")


class Visitor:
    """``host``: ``romashka.localhost``; requests go to loopback and name it."""

    def __init__(self, port: int, host: str, email: str) -> None:
        self.port, self.host, self.email = port, host, email
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), NoRedirects)
        status, page = self.get("/account/login/")
        assert status == 200, (status, page[:300])
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page[:500]
        form = {"csrfmiddlewaretoken": token[1], "login": email, "password": PASSWORD}
        status, page = self.get("/account/login/", urllib.parse.urlencode(form).encode())
        assert status == 302, (status, page[:2000])

    def get(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        return ask(self.port, self.host, path, data=data, opener=self.opener)

    def board(self) -> dict[str, Any]:
        """The live board as this person may see it."""
        status, text = self.get("/api/v1/board")
        assert status == 200, (status, text[:300])
        board: dict[str, Any] = json.loads(text)["board"]
        return board

    def session(self) -> str:
        """The key in this person's session cookie."""
        return next(cookie.value or "" for cookie in self.jar if cookie.name == "sessionid")

    def cookies(self) -> list[Any]:
        """For a browser that is to be this person."""
        return [{"name": c.name, "value": c.value or "", "domain": self.host, "path": "/"} for c in self.jar]

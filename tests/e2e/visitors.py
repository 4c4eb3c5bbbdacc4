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


class SameHost(urllib.request.HTTPRedirectHandler):
    """A redirect keeps the Host header it was asked with: the address is loopback's, the host is the company's."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        return None


class Visitor:
    """``host``: ``romashka.localhost``; requests go to loopback and name it."""

    def __init__(self, port: int, host: str, email: str) -> None:
        self.port, self.host, self.email = port, f"{host}:{port}", email
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), SameHost)
        status, page = self.get("/account/login/")
        assert status == 200, (status, page[:300])
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page[:500]
        form = {"csrfmiddlewaretoken": token[1], "login": email, "password": PASSWORD}
        status, page = self.get("/account/login/", urllib.parse.urlencode(form).encode())
        assert status == 302, (status, page[:2000])

    def get(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        """Status and text; a refusal is an answer too."""
        headers = {"Host": self.host, "Origin": f"http://{self.host}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with self.opener.open(request, timeout=15) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode("utf-8", "replace")

    def board(self) -> dict[str, Any]:
        """The live board as this person may see it."""
        status, text = self.get("/api/v1/board")
        assert status == 200, (status, text[:300])
        board: dict[str, Any] = json.loads(text)["board"]
        return board

    def cookies(self) -> list[dict[str, Any]]:
        """For a browser that is to be this person."""
        host = self.host.partition(":")[0]
        return [
            {
                "name": c.name,
                "value": c.value or "",
                "domain": host,
                "path": "/",
                "httpOnly": c.name == "sessionid",
            }
            for c in self.jar
        ]

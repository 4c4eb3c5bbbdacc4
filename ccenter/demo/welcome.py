"""What the demo tells a person: where to go, who to be, how to stop; and how it looks at its own health."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any, TypedDict

from ccenter.demo.bootstrap import STATE

PREPARED = STATE / "demo.json"


class SignIn(TypedDict):
    """One row of the printed table; company is empty for platform staff."""

    company: str
    host: str
    role: str
    email: str
    password: str


class Prepared(TypedDict):
    """What `prepare` hands to the demo; `simulated` says why there is no real Asterisk, or is empty.

    pbx: the demo's PBX as /healthz names it.
    """

    simulated: str
    ami_port: int
    pbx: str
    sign_ins: list[SignIn]


def complaint(port: int, *, pbx: str) -> str:
    """What is not well yet, in words; empty when database, Redis and the demo's own PBX are.

    Another PBX that a visitor added and that does not answer is no reason to wait.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        found = json.loads(answer.read(256 * 1024))
    except (OSError, http.client.HTTPException) as trouble:
        return f"the web server does not answer ({trouble})"
    except ValueError:
        return f"/healthz answered {answer.status} and no JSON"
    finally:
        connection.close()
    if answer.status != http.client.OK:
        return f"database: {_said(found, 'database')}; Redis: {_said(found, 'redis')}"
    link = found["pbx"].get(pbx, {"state": "unknown to the portal"})
    return "" if link["state"] == "connected" else f"the PBX is {_said(found['pbx'], pbx)}"


def _said(found: dict[str, Any], part: str) -> str:
    known = found.get(part) or {}
    return str(known.get("error") or known.get("state") or ("ok" if known.get("ok") else "away"))


def text(*, port: int, sign_ins: Sequence[SignIn], simulated: str, seconds: float) -> str:
    """The words printed when all is up. `simulated` says why there is no real Asterisk, or is empty."""
    lines = ["", f"The portal is up after {seconds:.0f} s."]
    if simulated:
        lines += [f"The calls are SIMULATED: {simulated}"]
    for company in dict.fromkeys(row["company"] for row in sign_ins):
        rows = [row for row in sign_ins if row["company"] == company]
        lines += ["", f"  {company or 'Platform staff'}   http://{rows[0]['host']}:{port}/"]
        lines += [f"    {row['role']:<12} {row['email']:<32} {row['password']}" for row in rows]
    lines += [
        "",
        "  The live panel: sign in as a supervisor, open /live/.",
        "  Is all well? " + f"http://localhost:{port}/healthz",
        "  Stop: Ctrl-C.   Remove everything it made: make demo-clean",
        "",
    ]
    return "\n".join(lines)

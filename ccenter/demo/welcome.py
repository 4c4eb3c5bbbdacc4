"""What the demo tells a person: where to go, who to be, how to stop; and how it looks at its own health."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import TypedDict

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
    """What `prepare` hands to the demo; `simulated` says why there is no real Asterisk, or is empty."""

    simulated: str
    ami_port: int
    sign_ins: list[SignIn]


def health(port: int) -> tuple[bool, str]:
    """Whether /healthz says well, and its complaint when it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        body = answer.read(64 * 1024)
    except OSError as trouble:
        return False, f"the web server does not answer yet ({trouble})"
    finally:
        connection.close()
    try:
        found = json.loads(body)
    except ValueError:
        return False, f"/healthz answered {answer.status} and no JSON"
    return answer.status == http.client.OK, _complaint(found)


def _complaint(found: object) -> str:
    """The parts that are not well, as words."""
    if not isinstance(found, dict):
        return "an unknown answer"
    return json.dumps(found, ensure_ascii=False)[:300]


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

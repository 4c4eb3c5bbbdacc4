"""REFER with Replaces: a phone that has two calls joins their far ends.

SIPp cannot speak of one call inside another, so this one request is written by hand from what both sides logged.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from urllib.parse import quote

from ccenter.lab.ports import PBX_HOST
from ccenter.lab.scenarios.rig import Rig


class DialogError(RuntimeError):
    """A dialog that should exist was not found in SIPp's logs, or Asterisk refused the REFER."""


def logged(rig: Rig, pattern: str, seconds: float = 5) -> re.Match[str]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for file in sorted(rig.stage.folder.glob("*.log")):
            if found := re.search(pattern, file.read_text(errors="replace")):
                return found
        time.sleep(0.1)
    raise DialogError(f"SIPp logged nothing like {pattern}")


def transfer_by_replaces(rig: Rig, consultation: subprocess.Popen[bytes], *, target: str) -> None:
    first = logged(rig, r"dialog (\S+) local\s+(<sip:romashka_101\S*) remote\s+(.*)")
    second = logged(rig, rf"answered (\S+) ({consultation.pid}c1) To:.*;tag=(\S+)")
    replaces = quote(f"{second[1]};to-tag={second[3]};from-tag={second[2]}", safe="")
    port = rig.instance.ports.sip
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((PBX_HOST, 0))
        phone.settimeout(3)
        here = f"{PBX_HOST}:{phone.getsockname()[1]}"
        lines = (
            f"REFER sip:{PBX_HOST}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bKlab{time.time_ns()}",
            f"From: {first[2]}",
            f"To: {first[3].strip()}",
            f"Call-ID: {first[1]}",
            "CSeq: 70 REFER",
            f"Contact: <sip:phone@{here}>",
            "Max-Forwards: 70",
            f"Refer-To: <sip:{target}@{PBX_HOST}:{port}?Replaces={replaces}>",
            "Content-Length: 0",
        )
        phone.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), (PBX_HOST, port))
        answer = phone.recv(8192).decode(errors="replace").splitlines()[0]
    if " 202 " not in answer:
        raise DialogError(f"REFER was answered: {answer}")

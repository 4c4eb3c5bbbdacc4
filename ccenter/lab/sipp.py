"""SIPp as callers and phones: which scenario file plays what, and the processes that play it.

The XML files hold whole behaviours with ``@placeholders@``; a filled copy is written for every process, because
SIPp itself cannot take timeouts and branches from outside.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ccenter.lab.ports import CITY_HOST, PBX_HOST, any_free

LIBC = ctypes.CDLL(None)
# prctl's PR_SET_PDEATHSIG, sent when the thread that started the phone ends: a killed lab leaves no phone ringing.
DIE_WITH_PARENT = 1
FILES = Path(__file__).with_name("sipp")
CALLER = {"local": "@from@;tag=[pid]c[call_number]", "remote": "<sip:[service]@[remote_ip]>[peer_tag_param]"}
PHONE = {"local": "[$local];tag=[pid]p[call_number]", "remote": "[$remote]"}


class NoSippError(RuntimeError):
    """SIPp is missing; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Key:
    """Press one key ``before`` seconds after the last act."""

    key: str
    before: float = 0.3


@dataclass(frozen=True, slots=True)
class Refer:
    """Blind transfer by REFER to an extension."""

    target: str
    before: float = 1.0


@dataclass(frozen=True, slots=True)
class Hold:
    before: float = 1.0
    way: str = "sendonly"


Act = Key | Refer | Hold


@dataclass(frozen=True, slots=True)
class Maybe:
    """These acts in one call of ``1 / chance``; in the others the talk just goes on."""

    chance: float
    acts: tuple[Act, ...]


def keys(digits: str, *, before: float = 0.8, between: float = 0.25) -> tuple[Key, ...]:
    return tuple(Key(key=d, before=before if n == 0 else between) for n, d in enumerate(digits))


def fill(name: str, values: Mapping[str, str]) -> str:
    """The scenario with its placeholders replaced (also those that replacements bring); an unknown one stays."""
    text = (FILES / f"{name}.xml").read_text()
    for _ in range(3):
        text = re.sub(r"@([a-z_]+)@", lambda found: values.get(found[1], found[0]), text)
    return text


def script(acts: Sequence[Act | Maybe], side: Mapping[str, str], first: int = 10) -> str:
    """The acts as XML; ``side``: how this side writes itself and its peer in the dialog's requests."""
    parts = []
    for number, act in enumerate(acts, start=first):
        if isinstance(act, Maybe):
            inner = script(act.acts, side, first=10 * number)
            skip = f'<nop next="skip_{number}" chance="{1 - act.chance:g}"/>'
            parts.append(f'{skip}\n{inner}\n<label id="skip_{number}"/>')
            continue
        values = {**side, "before": str(max(1, int(act.before * 1000))), "cseq": str(number)}
        match act:
            case Key():
                parts.append(fill("key", {**values, "key": act.key}))
            case Refer():
                parts.append(fill("refer", {**values, "target": act.target}))
            case Hold():
                parts.append(fill("hold", {**values, "way": act.way}))
    return "\n".join(parts)


def speech(file: Path | None) -> dict[str, str]:
    """SIPp plays the file over and over from the answer on; without one nothing is sent."""
    if file is None:
        return {"speech": "", "media": "[media_port]"}
    play = f'<nop><action><exec rtp_stream="{file},-1,8"/></action></nop>'
    return {"speech": play, "media": "[rtpstream_audio_port]"}


def milliseconds(seconds: float) -> str:
    return str(max(1, int(seconds * 1000)))


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who calls the PBX. ``number`` and ``name``: caller ID; ``secret``: a phone's, empty for the trunk.

    ``patience``: seconds until giving up unanswered; ``stay``: seconds after the answer and the ``acts``.
    ``speech``: an A-law file played from the answer on.
    """

    dials: str
    number: str
    name: str = ""
    patience: float = 60.0
    stay: float = 5.0
    acts: tuple[Act, ...] = ()
    secret: str = ""
    host: str = CITY_HOST
    speech: Path | None = None

    def xml(self) -> str:
        label = self.name.replace("\\", "\\\\").replace('"', '\\"').replace("[", "(").replace("]]>", "")
        return fill(
            "caller",
            {
                **speech(self.speech),
                "keys": script(self.acts, CALLER),
                "from": f'"{label}" <sip:{self.number}@{self.host}>',
                "user": self.number,
                "secret": self.secret,
                "patience": milliseconds(self.patience),
                "stay": milliseconds(self.stay),
                "invite_cseq": "2" if self.secret else "1",
            },
        )


@dataclass(frozen=True, slots=True)
class Phone:
    """Phones that are called. Chances from 0 to 1; ``ring`` and ``talk`` in seconds (``talk``: then it hangs up)."""

    ring: float = 1.0
    talk: float = 60.0
    busy: float = 0.0
    deaf: float = 0.0
    slow: float = 0.0
    ring_slow: float = 8.0
    talks_long: float = 0.0
    talk_long: float = 60.0
    acts: tuple[Act | Maybe, ...] = ()
    host: str = PBX_HOST
    speech: Path | None = None

    def xml(self) -> str:
        return fill(
            "phone",
            {
                **speech(self.speech),
                "script": script(self.acts, PHONE),
                "busy": f"{self.busy:g}",
                "deaf": f"{self.deaf:g}",
                "slow": f"{self.slow:g}",
                "ring": milliseconds(self.ring),
                "ring_slow": milliseconds(self.ring_slow),
                "talk": milliseconds(self.talk),
                "talks_long": f"{self.talks_long:g}",
                "talk_long": milliseconds(self.talk_long),
            },
        )


@dataclass(slots=True)
class Stage:
    """The running SIPp processes against one PBX. Leaving the ``with`` block ends every one of them."""

    sip_port: int
    playing: dict[subprocess.Popen[bytes], Path] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ccenter-sipp-")))
    count: int = 0
    logs: bool = True

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, caller: Caller) -> subprocess.Popen[bytes]:
        """One call; the process ends with the call. Exit code 0: it went as the scenario says."""
        return self.run(caller.xml(), caller.host, 0, ["-s", caller.dials, "-m", "1"])

    def phones(self, phone: Phone, port: int, host: str = "") -> subprocess.Popen[bytes]:
        """Phones on one address; they answer any number of calls until the stage ends."""
        return self.run(phone.xml(), host or phone.host, port, [])

    def register(self, user: str, secret: str, contact: str, expires: int = 3600) -> bool:
        """Did Asterisk accept it? Takes milliseconds when it did, three seconds when not."""
        values = {"user": user, "secret": secret, "contact": contact, "expires": str(expires)}
        return (
            self.run(
                fill("register", values), PBX_HOST, 0, ["-m", "1", "-timeout", "4", "-timeout_error"]
            ).wait(10)
            == 0
        )

    def run(self, xml: str, host: str, port: int, options: list[str]) -> subprocess.Popen[bytes]:
        program = shutil.which("sipp")
        if not program:
            raise NoSippError("SIPp is missing: apt-get install sip-tester")
        self.count += 1
        scenario = self.folder / f"{self.count}.xml"
        scenario.write_text(xml, encoding="utf-8")
        command = [
            program, f"{PBX_HOST}:{self.sip_port}", "-sf", str(scenario), "-i", host, "-mi", host,
            "-cid_str", f"%u-{os.getpid()}-{self.count}-%p@%s", "-nostdin", "-nd",
            *options,
        ]  # fmt: skip
        if self.logs:
            command += [
                "-trace_err",
                "-error_file",
                f"{self.count}.err",
                "-trace_logs",
                "-log_file",
                f"{self.count}.log",
            ]
        command += ["-p", str(port or any_free(host))]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,
            preexec_fn=partial(LIBC.prctl, DIE_WITH_PARENT, signal.SIGKILL),
        )
        self.playing[process] = scenario
        return process

    def tidy(self) -> None:
        """Forget the processes that have ended, and their files."""
        for process in [p for p in self.playing if p.poll() is not None]:
            self.playing.pop(process).unlink(missing_ok=True)

    def close(self) -> None:
        for process in self.playing:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        for process in self.playing:
            process.wait(5)
        self.playing.clear()
        if not os.environ.get("LAB_KEEP_SIPP"):
            shutil.rmtree(self.folder, ignore_errors=True)

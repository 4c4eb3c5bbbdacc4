"""Every word billing says is also said in Russian, keeps the places of what is put in, and is said somewhere."""

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
FOLDER = BASE / "billing" / "locale" / "ru" / "LC_MESSAGES"
CATALOGUE = catalogue(FOLDER)
# How many of a call's first words are msgids, and whether a context stands before them.
CALLS = {
    "_": (1, False), "gettext": (1, False), "gettext_lazy": (1, False), "ngettext": (2, False),
    "ngettext_lazy": (2, False), "pgettext": (1, True), "pgettext_lazy": (1, True), "npgettext": (2, True),
    "npgettext_lazy": (2, True),
}  # fmt: skip
PLACES = re.compile(r"%\(\w+\)[sd]")
Word = tuple[str | None, str]


def words_of(source: str, file: str) -> Iterator[Word]:
    """(context, msgid) of every call for a translation in Python."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in CALLS:
            continue
        count, has_context = CALLS[name]
        said = [
            arg.value if isinstance(arg, ast.Constant) else None for arg in node.args[: count + has_context]
        ]
        if None in said:
            continue  # a word chosen elsewhere, where it is marked
        context = str(said[0]) if has_context else None
        assert len(said) == count + has_context, f"{file}:{node.lineno}"
        yield context, str(said[has_context])


def in_code() -> Iterator[Word]:
    for source in (BASE / "billing").rglob("*.py"):
        if "migrations" not in source.parts:
            yield from words_of(source.read_text("utf-8"), str(source))


def in_templates() -> Iterator[Word]:
    """What Django's own extraction makes of a template is Python but for its blanks."""
    for page in sorted((BASE / "templates" / "billing").rglob("*.*")):
        text = templatize(page.read_text("utf-8"))
        for found in re.finditer(
            r"\b(n?p?gettext|_)\((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")[, ]*)+", text
        ):
            call = found[0].rstrip(", ") + (", 1)" if found[1].startswith("n") else ")")
            yield from words_of(call, page.name)


def said(entry: polib.POEntry) -> list[str]:
    """The translation, or its plural forms."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def whole(catalogue: polib.POFile) -> dict[Word, list[str]]:
    return {
        (entry.msgctxt, entry.msgid): said(entry)
        for entry in catalogue
        if all(said(entry)) and not entry.fuzzy
    }


# The portal reads all apps' words as one catalogue: what another app says already is not said again.
ELSEWHERE = {
    app: whole(catalogue(BASE / app / "locale" / "ru" / "LC_MESSAGES"))
    for app in ("ccenter", "tenants", "monitoring")
}


def test_every_word_has_a_translation() -> None:
    known = set(whole(CATALOGUE)).union(*ELSEWHERE.values())
    assert {*in_code(), *in_templates()} - known == set()


def test_no_other_app_says_a_word_in_another_way() -> None:
    """One of the two would win on every page, by the order of the apps."""
    for word, text in whole(CATALOGUE).items():
        for app, words in ELSEWHERE.items():
            assert words.get(word, text) == text, f"{word[1]!r}: billing and {app}"


def test_a_translation_keeps_the_places_of_what_is_put_in() -> None:
    for entry in CATALOGUE:
        wanted = {place for text in (entry.msgid, entry.msgid_plural) for place in PLACES.findall(text)}
        for text in said(entry):
            assert set(PLACES.findall(text)) == wanted, entry.msgid


def test_no_translation_is_left_over() -> None:
    """Django's own words of models' fields are asked for by the models: they are in the code as well."""
    words = {*in_code(), *in_templates()}
    assert {(entry.msgctxt, entry.msgid) for entry in CATALOGUE} - words == set()


def test_a_plural_has_all_three_russian_forms() -> None:
    for entry in CATALOGUE:
        if entry.msgid_plural:
            assert sorted(entry.msgstr_plural) == [0, 1, 2], entry.msgid


def test_no_word_is_translated_in_two_ways() -> None:
    """The files of the folder become one catalogue, in which the first by name would win unseen."""
    found: dict[Word, tuple[str, list[str]]] = {}
    for file in sorted(FOLDER.glob("*.po")):
        for entry in polib.pofile(str(file)):
            word = (entry.msgctxt, entry.msgid)
            other, text = found.setdefault(word, (file.name, said(entry)))
            assert text == said(entry), f"{entry.msgid!r}: {other} and {file.name}"


def test_russian_is_russian() -> None:
    """A word left in English by mistake; names such as CSV, INN or 1C stay what they are."""
    for entry in CATALOGUE:
        for text in said(entry):
            latin = re.findall(r"[A-Za-z]{4,}", PLACES.sub("", text))
            assert re.search("[а-яё]", text, re.IGNORECASE) or not latin, entry.msgid

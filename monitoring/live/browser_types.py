"""The browser's types, made from the server's: what travels is typed once, in Python.

``manage.py live_types`` writes them; a test fails when the written file is no longer what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from monitoring.domain import wire
from monitoring.live import protocol

HEAD = """// Made by `manage.py live_types` from monitoring/domain/wire.py and monitoring/live/protocol.py; do not edit.
// Times are epoch seconds (UTC).
"""
_PLAIN: dict[object, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    NoneType: "null",
    object: "unknown",
}


def declarations() -> str:
    """The whole file."""
    return "\n".join([HEAD, *_shapes(), *_unions(), *_codes()])


def _shapes() -> Iterator[str]:
    for module in (wire, protocol):
        for shape in vars(module).values():
            if is_typeddict(shape) and shape.__module__ == module.__name__:
                yield _interface(shape)


def _interface(shape: Any) -> str:
    words = " ".join((shape.__doc__ or "").split()).replace("``", "`")
    lines = [f"/** {words} */"] if words else []
    lines.append(f"export interface {shape.__name__} {{")
    for name, kind in get_type_hints(shape, include_extras=True).items():
        # Annotations are strings here, so __optional_keys__ has not seen NotRequired.
        optional = "?" if get_origin(kind) is NotRequired else ""
        lines.append(f"  {name}{optional}: {_typed(kind)};")
    return "\n".join([*lines, "}", ""])


def _unions() -> Iterator[str]:
    yield f"export type Kind = {_typed(wire.Kind)};"
    yield "export type Op = [Kind, string, { [field: string]: unknown } | null];"
    yield f"export type ServerFrame = {_typed(protocol.ServerFrame)};"
    yield f"export type ClientFrame = {_typed(protocol.ClientFrame)};"


def _codes() -> Iterator[str]:
    for name, value in vars(protocol).items():
        if name.startswith("CLOSE_"):
            yield f"export declare const {name}: {value};"
    yield ""


def _typed(kind: Any) -> str:
    """TypeScript for a type of ours. Raises TypeError for one it does not know."""
    if kind == wire.Op:
        return "Op"
    if is_typeddict(kind):
        return str(kind.__name__)
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(f'"{part}"' for part in parts)
    if origin is list:
        inner = _typed(parts[0])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if origin is dict:
        return f"{{ [key: string]: {_typed(parts[1])} }}"
    if origin in (Union, UnionType):
        return " | ".join(_typed(part) for part in parts)
    if origin is NotRequired:
        return _typed(parts[0])
    raise TypeError(f"{kind!r} cannot be said in TypeScript here")

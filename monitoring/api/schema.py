"""The board's shape for OpenAPI, made from the one place it is typed: monitoring.domain.wire.

pydantic would check every board it sends; these are made by our own reducer, so describing them is enough.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from monitoring.domain.wire import BoardWire

_PLAIN: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    object: {},
}


class Snapshot(TypedDict):
    """The board as the caller may see it. ``now``: the server's clock; epoch and seq name this state."""

    t: Literal["snapshot"]
    now: float
    epoch: str
    seq: int
    board: BoardWire


def described(shape: Any) -> dict[str, Any]:
    """JSON schema of a TypedDict and all it is made of. Raises TypeError for a type it does not know."""
    if is_typeddict(shape):
        kinds = get_type_hints(shape, include_extras=True)
        fields = {name: described(kind) for name, kind in kinds.items()}
        schema: dict[str, Any] = {
            "type": "object",
            "title": shape.__name__,
            "properties": fields,
            # Annotations are strings there, so __required_keys__ has not seen NotRequired.
            "required": sorted(name for name, kind in kinds.items() if get_origin(kind) is not NotRequired),
        }
        return {**schema, "description": shape.__doc__} if shape.__doc__ else schema
    if shape in _PLAIN:
        return _PLAIN[shape]
    origin, parts = get_origin(shape), get_args(shape)
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": described(parts[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": described(parts[1])}
    if origin in (Union, UnionType):
        return {"anyOf": [described(part) for part in parts]}
    if origin is NotRequired:
        return described(parts[0])
    raise TypeError(f"{shape!r} has no JSON schema here")


SNAPSHOT = described(Snapshot)

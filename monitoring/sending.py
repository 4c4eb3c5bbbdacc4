"""A stored file to a browser, whole or by the range it asks for, a piece at a time.

Under ASGI a synchronous stream would be read into memory whole, so the pieces come from an asynchronous one there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.core.files.storage import Storage, storages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from monitoring.models.recordings import Recording

PIECE = 1 << 16
_RANGE = re.compile(r"bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})")


@dataclass(frozen=True, slots=True)
class Stored:
    """``tag``: changes whenever the bytes do (their checksum). ``size`` in bytes."""

    storage: Storage
    name: str
    size: int
    kind: str
    tag: str


class Unsatisfiable(ValueError):
    """The range begins behind the end of the file."""


def sound_of(recording: Recording) -> Stored:
    """Where the sound of a recording lies, for ``send``."""
    return Stored(
        storages["recordings"], recording.file, recording.size, recording.kind, recording.sha256 or "none"
    )


def send(request: HttpRequest, file: Stored, *, save_as: str = "") -> HttpResponseBase:
    """200, 206 or 416. ``save_as``: offered for saving under this name. Raises FileNotFoundError, OSError."""
    try:
        asked = _asked(request, file)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}", **_headers(file)})
    first, last = asked or (0, file.size - 1)
    headers = {**_headers(file), "Content-Length": str(last - first + 1)}
    if asked:
        headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    if save_as:
        headers["Content-Disposition"] = content_disposition_header(True, save_as) or "attachment"
    status = 206 if asked else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=file.kind, headers=headers)
    if not file.storage.exists(file.name):
        raise FileNotFoundError(file.name)  # an answer of its own, not half of one
    stream = _pieces_apart if isinstance(request, ASGIRequest) else _pieces
    body = stream(file, first, last)
    return StreamingHttpResponse(body, status=status, content_type=file.kind, headers=headers)


def _headers(file: Stored) -> dict[str, str]:
    # Not kept by the browser: a link that has ended must not be played from its cache.
    return {"Accept-Ranges": "bytes", "ETag": f'"{file.tag}"', "Cache-Control": "private, no-store"}


def _asked(request: HttpRequest, file: Stored) -> tuple[int, int] | None:
    """First and last byte, both included; None = all of it, also for several ranges at once and for nonsense."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != f'"{file.tag}"':
        return None  # other bytes than the browser has the beginning of
    if not found["first"]:
        length = int(found["last"])
        if not length:
            raise Unsatisfiable
        return max(0, file.size - length), file.size - 1
    first = int(found["first"])
    last = min(int(found["last"]) if found["last"] else file.size - 1, file.size - 1)
    if first >= file.size:
        raise Unsatisfiable
    return (first, last) if first <= last else None


def _pieces(file: Stored, first: int, last: int) -> Generator[bytes, None, None]:
    """Opened with the first piece: an answer nobody reads holds nothing open."""
    with file.storage.open(file.name) as opened:
        opened.seek(first)
        left = last - first + 1
        while left > 0 and (piece := opened.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


async def _pieces_apart(file: Stored, first: int, last: int) -> AsyncIterator[bytes]:
    """The same, each piece read by a thread of its own turn, so that no slow disk stops the loop."""
    pieces = _pieces(file, first, last)
    step = sync_to_async(lambda: next(pieces, b""), thread_sensitive=False)
    try:
        while piece := await step():
            yield piece
    finally:
        await sync_to_async(pieces.close, thread_sensitive=False)()

"""Sessions that know their company: a row says whose it is, and is empty to anybody else.

The table is the company's own already; the stamp is the second lock, should a row ever be found by another.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import connection

STAMP = "_company"


class SessionStore(DatabaseSessionStore):
    def encode(self, session_dict: dict[str, Any]) -> str:
        return super().encode({**session_dict, STAMP: connection.schema_name})

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        content = super().decode(session_data)  # type: ignore[arg-type] # the stubs know bytes only, Django passes str
        if content.pop(STAMP, None) != connection.schema_name:
            return {}
        return content

    @classmethod
    def get_model_class(cls) -> Any:
        from django.contrib.sessions.models import Session

        return Session

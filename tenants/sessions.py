"""Sessions that know their company: a row says whose it is, and is empty to anybody else.

The table is the company's own already; the stamp is the second lock, should a row ever be found by another.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

from tenants.scope import schema_in_force

STAMP = "_company"


class SessionStore(DatabaseSessionStore):
    def encode(self, session_dict: dict[str, Any]) -> str:
        return super().encode({**session_dict, STAMP: schema_in_force()})

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        content = super().decode(session_data)
        if content.pop(STAMP, None) != schema_in_force():
            return {}
        return content

    @classmethod
    def get_model_class(cls) -> Any:
        from django.contrib.sessions.models import Session

        return Session

"""Sessions that know their company: a row says whose it is, and is empty to anybody else.

The table is the company's own already; the stamp is the second lock, should a row ever be found by another.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

from tenants.scope import schema_in_force

STAMP = "_company"
KEY = re.compile(r"[a-z0-9]{8,40}\Z")  # what Django makes; a cookie may hold anything, NUL too


class SessionStore(DatabaseSessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and KEY.match(key) is not None

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

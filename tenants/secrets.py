"""Encrypts what the portal must be able to read again: AMI secrets, one-time-code seeds.

Keys come from settings.FIELD_KEYS: the first encrypts, every one decrypts, so a key is changed by putting the
new one first, running ``manage.py rotate_field_key`` and then dropping the old one.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class SecretUnreadable(RuntimeError):
    """The stored text was encrypted with a key this installation no longer has."""


def encrypt(plain: str) -> str:
    return _keys().encrypt(plain.encode()).decode()


def decrypt(stored: str) -> str:
    """The plain text. Raises SecretUnreadable, whose message holds nothing of the secret."""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "A stored secret cannot be read: its key is not in FIELD_KEY. Enter it again."
        ) from None


def rotate(stored: str) -> str:
    """The same secret, encrypted with the first key."""
    try:
        return _keys().rotate(stored.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "A stored secret cannot be read: its key is not in FIELD_KEY. Enter it again."
        ) from None


def _keys() -> MultiFernet:
    if not settings.FIELD_KEYS:
        raise ImproperlyConfigured("FIELD_KEY must hold at least one Fernet key.")
    try:
        return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
    except ValueError:
        raise ImproperlyConfigured("FIELD_KEY must hold Fernet keys: 32 bytes, URL-safe base64.") from None

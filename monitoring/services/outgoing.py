"""Requests to addresses that people of a company typed: only to the public internet, only where the name pointed.

A name is resolved once and the request goes to that very address, so that it cannot point elsewhere in between;
redirects are not followed, for they would be a second address nobody looked at.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import urllib3
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

TIMEOUT = urllib3.Timeout(connect=4.0, read=8.0)
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
_PORTS = {"https": 443, "http": 80}


class NotSent(RuntimeError):
    """The request could not be made or had no answer; the message says why, without what the other side wrote."""


def refuse_address(url: str) -> None:
    """Raise ValidationError for an address nothing may be sent to, as far as it can be told without a look-up."""
    parts = _split(url)
    if parts is None:
        raise ValidationError({"url": _("Write a whole address: https://example.com/path.")})
    if parts.scheme != "https" and not settings.WEBHOOKS_TO_PRIVATE_NETWORKS:
        raise ValidationError({"url": _("The address must begin with https://.")})
    if parts.username or parts.password:
        raise ValidationError({"url": _("No name and password in the address: messages are signed instead.")})
    try:
        literal = ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return
    if not _allowed(literal):
        raise ValidationError({"url": _("This address is in a private network; nothing is sent there.")})


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send it; the answer's HTTP status. Raises NotSent."""
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS:
        raise NotSent("no address")
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    address = _resolve(host, port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    try:
        with _pool(parts.scheme, address, port, host) as pool:
            answer = pool.request(
                "POST", path, body=body, headers={"Host": named, **headers}, redirect=False, retries=False,
                preload_content=False,
            )  # fmt: skip
            answer.release_conn()
            return int(answer.status)
    except urllib3.exceptions.SSLError as error:
        raise NotSent("its certificate is not valid") from error
    except urllib3.exceptions.TimeoutError as error:
        raise NotSent("no answer in time") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise NotSent("no connection") from error


def _pool(scheme: str, address: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
    if scheme == "https":
        return urllib3.HTTPSConnectionPool(
            address, port, timeout=TIMEOUT, retries=False, assert_hostname=host, server_hostname=host,
            cert_reqs="CERT_REQUIRED",
        )  # fmt: skip
    return urllib3.HTTPConnectionPool(address, port, timeout=TIMEOUT, retries=False)


def _resolve(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent("the name is not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    # One private address among public ones is how a name is made to point inside.
    if not addresses or not all(
        _allowed(ipaddress.ip_address(address.partition("%")[0])) for address in addresses
    ):
        raise NotSent("it points into a private network")
    return addresses[0]


def _allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    real = _within(address) or address
    return bool(settings.WEBHOOKS_TO_PRIVATE_NETWORKS) or (real.is_global and not real.is_multicast)


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address of the old kind that one of the new kind leads to: mapped, by 6to4, or by a translating router."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None

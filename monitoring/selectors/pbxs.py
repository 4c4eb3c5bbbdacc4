"""Which PBXs a company uses, or the platform has: their names and what they are, never their secrets."""

from __future__ import annotations

from typing import NamedTuple

from tenants.models import Pbx


class PbxRow(NamedTuple):
    """``key``: the PBX's key on the bus. ``address``: host and port of its AMI."""

    key: str
    name: str
    address: str
    account: str
    managed: bool
    simulated: bool


def pbxs_of(company: str) -> list[PbxRow]:
    """The enabled PBXs of one company."""
    return _rows(companies__schema_name=company)


def all_pbxs() -> list[PbxRow]:
    """Every enabled PBX; for the platform's staff."""
    return _rows()


def _rows(**which: str) -> list[PbxRow]:
    return [
        PbxRow(str(pbx.pk), pbx.name, f"{pbx.host}:{pbx.port}", pbx.username, pbx.managed, pbx.simulated)
        for pbx in Pbx.objects.filter(enabled=True, **which).order_by("name")
    ]

"""Lets the demo's Asterisk write its call event log into the demo's PostgreSQL, as a production PBX does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.db import Error

from ccenter.lab.plan import CelDatabase, PbxPlan, PlanError
from monitoring.services import call_records
from tenants.models import Pbx
from tenants.scope import public_scope


def with_call_records(plan: PbxPlan, pbx: Pbx, say: Callable[[str], None]) -> PbxPlan:
    """``plan`` with a place for its log; without one, and said so, where the database lets us make no role."""
    try:
        with public_scope():
            access = call_records.open_access(pbx=pbx.pk)
        log = CelDatabase(access.host, access.port, access.database, access.role, access.password)
    except (Error, PlanError) as error:
        say(f"the PBX cannot write its call log ({error}); what a collector misses stays missing")
        return plan
    return replace(plan, cel=log)

"""A number leads to one place: seen over everything that shares a PBX, which the forms of one company cannot see.

Ask inside a transaction, between the last check and the write: two who ask at once wait for each other here.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from monitoring.models.lines import Line
from monitoring.models.people import Manager
from monitoring.models.queues import Queue
from tenants.models import Company, Pbx
from tenants.scope import company_scope, current_company, public_scope

# With the PBX's number the name of a lock that holds over all companies' schemas.
GIVING_NUMBERS = 0x6E756D


def why_taken(row: Line | Queue | Manager) -> str:
    """Why ``row`` cannot have its number, in words fit to be shown; "" when it can. Never says who has it."""
    _wait_for_others(row.pbx_id)
    if isinstance(row, Line):
        return _line(row)
    return _extension(row)


def why_not_together(*, pbx: Pbx, companies: Iterable[Company]) -> str:
    """Why these companies cannot share ``pbx``, in words for the platform's staff; "" when they can.

    A company brings lines when it comes back to a PBX it had left: meanwhile another may have got its number.
    """
    _wait_for_others(pbx.pk)
    owners: dict[str, Company] = {}
    for company in companies:
        with company_scope(company.slug):
            numbers = list(Line.objects.live().filter(pbx_id=pbx.pk).values_list("number", flat=True))
        for number in numbers:
            owner = owners.setdefault(number.lstrip("+"), company)
            if owner != company:
                return _(
                    "“%(one)s” and “%(other)s” both have the line %(number)s on this PBX. One of them must archive"
                    " it first."
                ) % {"one": owner.name, "other": company.name, "number": number}
    return ""


def _wait_for_others(pbx_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [GIVING_NUMBERS, pbx_id])


def _line(line: Line) -> str:
    """Operators send numbers without the plus, so both spellings are one number."""
    digits = line.number.lstrip("+")
    wanted = {"pbx_id": line.pbx_id, "number__in": [digits, f"+{digits}"]}
    if Line.objects.live().filter(**wanted).exclude(pk=line.pk).exists():
        return _("There is a line with this number already.")
    mine = current_company()
    with public_scope():
        sharing = Company.objects.filter(pbxs=line.pbx_id).exclude(schema_name=mine)
        for slug in list(sharing.values_list("schema_name", flat=True)):
            with company_scope(slug):
                if Line.objects.live().filter(**wanted).exists():
                    return _("This number cannot be connected here. Ask the platform's staff.")
    return ""


def _extension(row: Queue | Manager) -> str:
    wanted = {"pbx_id": row.pbx_id, "extension": row.extension}
    if isinstance(row, Manager):
        return _("A queue has this number.") if Queue.objects.live().filter(**wanted).exists() else ""
    return _("A manager has this number.") if Manager.objects.live().filter(**wanted).exists() else ""

"""``python -m tests.e2e.seeding AMI_PORT PHONES_PORT``: schemas and demo rows, then the PBX's plan as JSON.

A process of its own, because the tests' process must not speak to the stack's database by the ORM.
"""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

from ccenter.lab import sample
from ccenter.lab.ports import PBX_HOST

WRAP_UP = 2  # seconds after a talk of romashka's support


def main(ami_port: int, phones_port: int) -> None:
    django.setup()
    from ccenter.demo import call_records, prepare, seed  # only now: these hold Django's models
    from monitoring.models import Queue
    from tenants.scope import company_scope

    call_command("migrate_schemas", verbosity=0, interactive=False)
    account = sample.PORTAL
    address = seed.AmiAddress(host=PBX_HOST, port=ami_port, username=account.name, secret=account.secret)
    pbx = seed.seed(ami=address)
    with company_scope("romashka"):
        Queue.objects.filter(name="support").update(wrap_up=WRAP_UP)
    plan = seed.lab_plan(phones_port=phones_port, registering=prepare.REGISTERING)
    print(call_records.with_call_records(plan, pbx, sys.exit).to_json())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

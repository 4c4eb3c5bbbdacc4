"""Brings database and PBX files to where the demo can start: schemas, demo rows, Asterisk's configuration.

A process of its own, so that the demo itself stays small and never holds a database connection.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from ccenter.demo import embedded, welcome
from ccenter.demo.pbx import SIMULATED_PLAN, demo_instance
from ccenter.lab.asterisk import secret_file
from ccenter.lab.ports import PBX_HOST
from ccenter.lab.root import NoAsteriskError

# Phones that really register, so that unregistering is real; the others stand at a fixed address.
REGISTERING = ("romashka_123", "romashka_124", "vektor_106")
PAST_MONTHS = 6
RECORDED = {"romashka": 14, "vektor": 5}


def main() -> int:
    django.setup()
    # Only now: these modules hold Django's models.
    from ccenter.demo import call_records, seed
    from ccenter.demo.past import voices
    from ccenter.lab import sample, speech

    tell("tables of the platform and of every company")
    call_command("migrate_schemas", verbosity=0, interactive=False)
    instance, simulated = None, ""
    try:
        instance = demo_instance()
    except NoAsteriskError as reason:
        simulated = str(reason)
    port = instance.ports.ami if instance else simulator_port()
    account = sample.PORTAL
    address = seed.AmiAddress(
        host=PBX_HOST, port=port, username=account.name, secret=account.secret, simulated=bool(simulated)
    )
    pbx = seed.seed(ami=address, say=tell)
    # Before anything reads the database: the collector takes today's counts from it when it starts.
    call_command("demo_history", months=PAST_MONTHS, if_missing=True)
    call_command("demo_money")
    if instance:
        tell("Asterisk's configuration from the portal's rows")
        plan = seed.lab_plan(phones_port=instance.ports.phones, registering=REGISTERING)
        instance.configure(call_records.with_call_records(plan, pbx, tell))
        leads_to(Path(settings.RECORDINGS_INBOX) / str(pbx.pk), instance.recordings.parent)
    else:
        secret_file(SIMULATED_PLAN, seed.lab_plan(phones_port=1).to_json())
    spoken = speech.voices(instance.runtime, instance.home / "speech") if instance else ()
    for company in seed.COMPANIES:
        if voices.leave(company.slug, voices=spoken, amount=RECORDED[company.slug]):
            judge = voices.judge(company.slug, amount=RECORDED[company.slug])
            tell(f"Company {company.slug}: recordings of the latest talks, {judge} of them reviewed")
    prepared = welcome.Prepared(simulated=simulated, ami_port=port, pbx=str(pbx.pk), sign_ins=seed.sign_ins())
    welcome.PREPARED.write_text(json.dumps(prepared, ensure_ascii=False))
    return 0


def leads_to(link: Path, folder: Path) -> None:
    """The portal finds in ``link`` what Asterisk leaves in ``folder``."""
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(folder.resolve(), target_is_directory=True)


def simulator_port() -> int:
    """The port it had the last time when that is free: the collector then finds it where it left it."""
    last = None
    with suppress(OSError, ValueError, KeyError):
        last = json.loads(welcome.PREPARED.read_text())["ami_port"]
    return embedded.free_port(preferred=last)


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

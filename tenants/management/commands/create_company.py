"""``manage.py create_company romashka "ООО «Ромашка»"``: a company from the command line, with visible progress."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.services import create_company


class Command(BaseCommand):
    help = "Make a company: its schema, its host and, when an e-mail is given, its first admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name: schema, host and prefix on the PBX")
        parser.add_argument("name", help="the company's name as people read it")
        parser.add_argument("--time-zone", default="Europe/Moscow")
        parser.add_argument("--language", default="ru")
        parser.add_argument("--host", default="", help="its host; <slug>.<BASE_DOMAIN> when left out")
        parser.add_argument("--admin", default="", metavar="EMAIL", help="e-mail of its first admin")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = create_company(
                slug=options["slug"],
                name=options["name"],
                time_zone=options["time_zone"],
                language=options["language"],
                host=options["host"],
                admin_email=options["admin"],
                progress=self.tell if options["verbosity"] else None,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        host = company.domains.get(is_primary=True).domain
        self.stdout.write(self.style.SUCCESS(f"{company.name}: schema {company.slug}, host {host}"))

    def tell(self, done: int, total: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r  {done} of {total} steps", ending="" if done < total else "\n")
            self.stdout.flush()

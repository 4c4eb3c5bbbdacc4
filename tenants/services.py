"""Writes about companies. Making one is all or nothing: its schema, row and host appear together or not at all.

PostgreSQL runs DDL in transactions, so whatever kills the work (an error, kill -9, a lost connection) leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from tenants import lookup
from tenants.models import Company, Domain
from tenants.names import validate_slug
from tenants.people.models import Role, User
from tenants.scope import public_scope, schema_being_made

# Steps done, steps in all. Called in the middle of the transaction: write elsewhere, or nothing is seen.
Progress = Callable[[int, int], None]

# One number for "a company is being made": makers wait for each other instead of locking tables crosswise.
MAKING = 0x63636E74


def create_company(
    *,
    slug: str,
    name: str,
    time_zone: str = "Europe/Moscow",
    language: str = "",
    host: str = "",
    admin_email: str = "",
    progress: Progress | None = None,
) -> Company:
    """Make a company with its schema and its host (``<slug>.<BASE_DOMAIN>`` unless given). About a second.

    Raises ValidationError, keyed by field, with a sentence for the person who asked.
    """
    check_slug(slug)
    company = Company(
        schema_name=slug, name=name.strip(), time_zone=time_zone, language=language or settings.LANGUAGE_CODE
    )
    domain = Domain(domain=host or f"{slug}.{settings.BASE_DOMAIN}", is_primary=True)
    with public_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKING])
        check_free(slug)
        company.full_clean()
        company.save()
        domain.tenant = company
        domain.full_clean()
        domain.save()
        _make_schema(slug, admin_email, progress or (lambda _done, _all: None))
    lookup.forget()  # again: what another thread asked meanwhile was answered without this company
    return company


def close_company(*, company: Company) -> None:
    """Nobody signs in any more; the data stays."""
    company.active = False
    company.save(update_fields=["active"])


def reopen_company(*, company: Company) -> None:
    company.active = True
    company.save(update_fields=["active"])


def check_slug(slug: str) -> None:
    """Raise ValidationError for ``slug`` unless it is a legal name."""
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise ValidationError({"slug": error}) from None


def check_free(slug: str) -> None:
    """Raise ValidationError for ``slug`` unless it is a legal name that nobody has."""
    check_slug(slug)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [slug])
        schema_is_there = cursor.fetchone() is not None
    if schema_is_there or Company.objects.filter(schema_name=slug).exists():
        raise ValidationError({"slug": _("This short name is taken.")}, code="slug_taken")


def _make_schema(slug: str, admin_email: str, progress: Progress) -> None:
    """Create the schema, run every migration in it, telling how far it is, and let its first admin in."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(slug)}")
    # The list of done migrations must be the new schema's own: public has one too, where all of them are done.
    with schema_being_made(slug, alone=True):
        MigrationRecorder(connection).ensure_schema()
    with schema_being_made(slug, alone=False):
        done = 0
        plan_length = 0

        def tell(action: str, *_details: object) -> None:
            nonlocal done
            if action == "apply_success":
                done += 1
                progress(done, plan_length)

        executor = MigrationExecutor(connection, progress_callback=tell)
        targets = executor.loader.graph.leaf_nodes()
        plan = executor.migration_plan(targets)
        plan_length = len(plan)
        progress(0, plan_length)
        executor.migrate(targets, plan)
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
        if admin_email:
            User.objects.create_user(admin_email, role=Role.ADMIN)

"""The only code that switches schema. Everything a company owns is read and written inside ``company_scope``.

Rules, each of them learnt from a leak:

- The scope is outermost and explicit: enter it once, where the company is first known. Entering another
  company's scope inside one is refused, for the code inside would not know whose rows it holds.
- Channels: enter the scope *inside* the function given to ``database_sync_to_async``, never around the await.
  The connection belongs to the thread, and the thread serves other companies between two awaits::

      @database_sync_to_async
      def greeting(slug: str) -> str:
          with company_scope(slug):
              return Greeting.objects.get().text

- Celery: the company is an argument of the task (tenants.tasks.TenantTask).
- A queryset is evaluated where it is iterated: return lists and values from a scope, not querysets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import connection
from django_tenants.utils import get_public_schema_name

from tenants import lookup
from tenants.names import is_slug

P = ParamSpec("P")
R = TypeVar("R")


class ScopeError(RuntimeError):
    """The schema in force is not the one this code needs.

    ScopeError
    ├── NoCompany       public, where a company is needed
    ├── UnknownCompany  there is no company of this name
    └── AnotherCompany  a company's scope is open already, and it is not this one
    """


class NoCompany(ScopeError):
    pass


class UnknownCompany(ScopeError):
    pass


class AnotherCompany(ScopeError):
    pass


@contextmanager
def company_scope(slug: str) -> Iterator[str]:
    """Read and write the company's schema until the block ends; yields the slug."""
    if slug == get_public_schema_name():
        raise NoCompany("The public schema is no company.")
    if not isinstance(slug, str) or not is_slug(slug):
        raise UnknownCompany("That is no company's name.")
    in_force = schema_in_force()
    if in_force not in (slug, get_public_schema_name()):
        raise AnotherCompany(f"The scope of {in_force} is open; leave it before entering {slug}.")
    if not lookup.schema_exists(slug):
        raise UnknownCompany(f"There is no company {slug}.")
    with _schema(slug):
        yield slug


@contextmanager
def public_scope() -> Iterator[None]:
    """Read and write the platform's own rows until the block ends."""
    with _schema(get_public_schema_name()):
        yield


@contextmanager
def schema_being_made(slug: str, *, alone: bool) -> Iterator[None]:
    """For the making of a company only: its schema before its row can be seen.

    ``alone``: without public behind it, so that a table found is really the new schema's own.
    """
    with _schema(slug, include_public=not alone):
        yield


def in_company(work: Callable[P, R]) -> Callable[Concatenate[str, P], R]:
    """Decorator: the function gets a new first argument, the company's slug, and runs in its scope."""

    @wraps(work)
    def scoped(company: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with company_scope(company):
            return work(*args, **kwargs)

    return scoped


def current_company() -> str:
    """Slug of the company whose scope is open. Raises NoCompany on public."""
    slug = current_company_or_none()
    if slug is None:
        raise NoCompany("No company's scope is open.")
    return slug


def schema_in_force() -> str:
    """Name of the schema that is read and written now, be it public or a company's."""
    return str(_tenant_connection().schema_name)


def current_company_or_none() -> str | None:
    """Slug of the company whose scope is open, None on public."""
    name = schema_in_force()
    return None if name == get_public_schema_name() else name


@contextmanager
def _schema(name: str, *, include_public: bool = True) -> Iterator[None]:
    this = _tenant_connection()
    before, before_public = this.schema_name, this.include_public_schema
    this.set_schema(name, include_public=include_public)
    try:
        yield
    finally:
        this.set_schema(before, include_public=before_public)


def _tenant_connection() -> Any:
    """This thread's connection, as django-tenants' backend has it; the stubs know only Django's own."""
    return connection

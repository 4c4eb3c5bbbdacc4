"""Background work that belongs to a company, and the making of companies.

A task's company is its first argument, never what happens to be in force: the worker served another one before.
"""

from __future__ import annotations

from typing import Any

from celery import Task, current_app, shared_task
from django_tenants.utils import get_public_schema_name

from tenants import creation
from tenants.models import Company
from tenants.people import services
from tenants.scope import NoCompany, UnknownCompany, company_scope, public_scope


class TenantTask(Task):  # type: ignore[type-arg] # celery's class takes no parameters when it runs
    """Base of a task whose first argument is a company's slug; it runs inside that company's scope.

    ``@shared_task(base=TenantTask) def close_day(company: str, day: str) -> None: ...``
    """

    abstract = True

    def __call__(self, company: str, *args: Any, **kwargs: Any) -> Any:
        _check(company)
        with company_scope(company):
            return self.run(company, *args, **kwargs)

    def apply_async(self, args: Any = None, kwargs: Any = None, *more: Any, **options: Any) -> Any:
        # Refused here too: a task that cannot run must not wait in a queue first.
        _check(args[0] if args else (kwargs or {}).get("company"))
        return super().apply_async(args, kwargs, *more, **options)


def fan_out(task: TenantTask, *args: Any, **kwargs: Any) -> list[str]:
    """Queue the task once for every active company; returns their slugs. One company's failure is its own."""
    with public_scope():
        slugs = list(
            Company.objects.filter(active=True).order_by("schema_name").values_list("schema_name", flat=True)
        )
    for slug in slugs:
        task.apply_async((slug, *args), kwargs)
    return slugs


@shared_task(name="tenants.for_every_company")
def for_every_company(task: str, *args: Any, **kwargs: Any) -> list[str]:
    """For the timetable: run the named TenantTask in every active company."""
    found = current_app.tasks[task]
    if not isinstance(found, TenantTask):
        raise TypeError(f"{task} is no task of a company.")
    return fan_out(found, *args, **kwargs)


@shared_task(name="tenants.make_company")
def make_company(creation_id: int) -> None:
    """Carry out a request for a new company. Run twice, it does the work once."""
    with public_scope():
        creation.carry_out(creation_id=creation_id)


@shared_task(base=TenantTask, name="tenants.forget_refusals")
def forget_refusals(company: str) -> None:
    """Delete the company's old refusals."""
    services.forget_refusals()


@shared_task(name="tenants.forget_platform_refusals")
def forget_platform_refusals() -> None:
    """The same for platform staff, who live in no company."""
    with public_scope():
        services.forget_refusals()


def _check(company: object) -> None:
    if company == get_public_schema_name():
        raise NoCompany("A company's task was given the public schema.")
    if not isinstance(company, str) or not company:
        raise UnknownCompany("A company's task needs the company as its first argument.")

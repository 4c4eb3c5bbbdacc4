"""Who collects, who works, and that no task reaches both."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from ccenter.celery import app
from monitoring.pbx.bootstep import CollectorStep
from monitoring.tasks.sessions import forget_sessions
from tenants.scope import NoCompany, company_scope


def test_each_queue_has_its_own_way_in_so_that_no_task_is_handed_out_twice() -> None:
    ways = {queue.name: (queue.exchange.name, queue.routing_key) for queue in app.conf.task_queues}
    assert ways == {"tasks": ("tasks", "tasks"), "collect": ("collect", "collect")}
    assert app.conf.task_default_queue == "tasks"


@pytest.mark.parametrize(
    ("queues", "collects"), [(["collect"], True), (["tasks"], False), (["tasks", "collect"], True)]
)
def test_only_a_worker_that_consumes_collect_collects(queues: list[str], collects: bool) -> None:
    worker = SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=queues)))
    )
    assert CollectorStep(worker).include_if(worker) is collects


def test_the_timetable_names_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        for name in entry.get("args", []):
            assert name in app.tasks


def test_forgetting_a_companys_sessions_is_refused_on_public() -> None:
    with pytest.raises(NoCompany):
        forget_sessions.apply_async(("public",))


@pytest.mark.django_db
def test_ended_sessions_go_and_live_ones_stay_in_each_company_alone() -> None:
    for company in ("alpha", "beta"):
        with company_scope(company):
            for key, hours in (("ended", -1), ("live", 1)):
                ends = timezone.now() + timedelta(hours=hours)
                Session.objects.create(session_key=key, session_data="x", expire_date=ends)
    forget_sessions("alpha")
    left = {}
    for company in ("alpha", "beta"):
        with company_scope(company):
            left[company] = sorted(Session.objects.values_list("session_key", flat=True))
    assert left == {"alpha": ["live"], "beta": ["ended", "live"]}

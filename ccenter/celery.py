"""The project's Celery: background tasks by the queue ``tasks``, collectors as a bootstep of the queue ``collect``.

``celery -A ccenter worker -Q collect`` listens to the PBXs; ``celery -A ccenter worker -Q tasks`` does the tasks.
"""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ccenter.settings.demo")

app = Celery("ccenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Defaults rather than assignments: these must not read Django's settings while the package is being imported.
app.add_defaults(
    lambda: {
        # Each with its own exchange: sharing one would hand every task to both kinds of worker.
        "task_queues": [Queue(name, Exchange(name), routing_key=name) for name in ("tasks", "collect")],
        "beat_schedule": {
            "fill what collectors missed": {
                "task": "monitoring.reconcile_where_needed",
                "schedule": 20.0,
                "options": {"expires": 20},
            },
            "forget old call records": {
                "task": "monitoring.forget_records",
                "schedule": crontab(hour="3", minute="7"),
            },
            "forget ended sessions": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.forget_sessions"],
                "schedule": crontab(minute="17"),
            },
            "forget the platform's ended sessions": {
                "task": "monitoring.forget_platform_sessions",
                "schedule": crontab(minute="47"),
            },
            "tidy exports away": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.sweep_exports"],
                "schedule": crontab(minute="*/5"),
            },
            "collect recordings": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.collect_recordings"],
                "schedule": 20.0,
            },
            "look for recordings whose file is gone": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.check_recordings"],
                "schedule": crontab(hour="3", minute="37"),
            },
            "build the sums of the past": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.build_rollups"],
                "schedule": 20.0,
            },
            "remove what companies no longer keep": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.clean"],
                "schedule": crontab(minute="23"),
            },
            "look at the norms": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.watch_norms"],
                "schedule": 15.0,
                "options": {"expires": 15},
            },
            "send reports that are due": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.send_due_reports"],
                "schedule": 60.0,
            },
            "send invoices whose letter was lost": {
                "task": "billing.send_unsent_invoices",
                "schedule": crontab(minute="*/10"),
            },
            "forget old refusals": {
                "task": "tenants.for_every_company",
                "args": ["tenants.forget_refusals"],
                "schedule": crontab(hour="2", minute="27"),
            },
            "deliver webhooks put off": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.deliver_webhooks"],
                "schedule": 15.0,
            },
            "forget old webhook messages": {
                "task": "tenants.for_every_company",
                "args": ["monitoring.forget_deliveries"],
                "schedule": crontab(hour="3", minute="7"),
            },
            "start billing runs that are due": {
                "task": "billing.start_due_runs",
                "schedule": crontab(minute="11"),
            },
            "go on with billing runs that stand still": {
                "task": "billing.sweep_runs",
                "schedule": 60.0,
                "options": {"expires": 60},
            },
            "make up for what came late": {
                "task": "billing.make_up_for_late",
                "schedule": crontab(hour="4", minute="41"),
            },
            "look at months too old to correct": {
                "task": "billing.look_back",
                "schedule": crontab(day_of_week="0", hour="5", minute="11"),
            },
            "look at the limits of use": {
                "task": "tenants.for_every_company",
                "args": ["billing.watch_limits"],
                "schedule": 300.0,
                "options": {"expires": 300},
            },
            # By day in Moscow; a second time for what no mail server took at the first.
            "remind of unpaid invoices": {
                "task": "billing.remind_debtors",
                "schedule": crontab(hour="7,11", minute="12"),
            },
            "forget the platform's old refusals": {
                "task": "tenants.forget_platform_refusals",
                "schedule": crontab(hour="2", minute="37"),
            },
        },
    }
)
app.autodiscover_tasks()
# By name: the collector needs Django's apps, which the worker sets up before it looks for its steps.
app.steps["worker"].add("monitoring.pbx.bootstep.CollectorStep")

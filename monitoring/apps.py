"""Monitoring as Django knows it: its tasks are known in every process, so that a page can ask for one."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        # Celery finds tasks by itself only in its workers; a web process must know them to send them.
        import_module("monitoring.tasks")

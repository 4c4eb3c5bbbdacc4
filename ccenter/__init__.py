"""The installation: settings, addresses, processes. Loads Celery's app, so that tasks find it in every process."""

from ccenter.celery import app as celery_app

__all__ = ["celery_app"]

"""Settings of a Daphne that serves the test run's own database and Redis from a process of its own."""

from __future__ import annotations

import os

from ccenter.settings.database import database
from ccenter.settings.test import *  # noqa: F403 - settings modules build on one another

DATABASES = {"default": database(os.environ["SERVED_DATABASE_URL"], pool=True)}
REDIS_URL = os.environ["SERVED_REDIS_URL"]

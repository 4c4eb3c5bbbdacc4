"""Nothing that calls were counted for is deleted: it is archived, and can be brought back.

Archived rows keep their history and free their names (an extension goes to the next person).
"""

from __future__ import annotations

from typing import Any, Self

from django.db import models


class ArchivedQuerySet(models.QuerySet[Any]):
    def live(self) -> Self:
        """Rows that are in use now."""
        return self.filter(archived_at__isnull=True)

    def archived(self) -> Self:
        return self.filter(archived_at__isnull=False)


class Archivable(models.Model):
    """``archived_at`` (UTC): since when the row is out of use; NULL = in use."""

    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ArchivedQuerySet.as_manager()

    class Meta:
        abstract = True

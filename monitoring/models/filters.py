"""Questions to the journal that somebody asks again and again, kept by name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.text import one_visible_line
from tenants.people.models import User


class SavedFilter(models.Model):
    """``query``: the journal's own address parameters, checked when saved and again when opened."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(_("title"), max_length=60, validators=[one_visible_line])
    query = models.CharField(max_length=500)
    shared = models.BooleanField(_("shared with the company's supervisors"), default=False)

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "title"], name="filter_title_once_each"),
        ]

    def __str__(self) -> str:
        return self.title

    def is_own_of(self, user: User) -> bool:
        return self.owner_id == user.pk

"""What people add to a call: notes in their own words, and the company's set of coloured marks.

A note taken back keeps its row, so that taking it back can be undone; nobody is shown its text meanwhile.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.archive import Archivable
from monitoring.models.calls import Call
from monitoring.models.statuses import Colour
from monitoring.models.text import one_visible_line

LONGEST_NOTE = 2000


class Note(models.Model):
    """``who``: the author's name as it was, so that the note still reads when the person is gone. Times are UTC."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    who = models.CharField(max_length=120)
    text = models.TextField(max_length=LONGEST_NOTE)
    written = models.DateTimeField()
    edited = models.DateTimeField(null=True, blank=True)
    removed = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["written", "pk"]

    def __str__(self) -> str:
        return f"{self.who}: {self.text[:40]}"


class Mark(Archivable):
    """A label of the company's own choice that calls can be given: "Complaint", "Sale"."""

    label = models.CharField(_("label"), max_length=40, validators=[one_visible_line])
    colour = models.CharField(_("colour"), max_length=10, choices=Colour.choices, default=Colour.GREY)
    position = models.PositiveSmallIntegerField(_("place in the list"), default=100)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("mark")
        verbose_name_plural = _("marks")
        constraints = [
            models.UniqueConstraint(
                fields=["label"],
                condition=models.Q(archived_at__isnull=True),
                name="mark_label_once",
                violation_error_message=_("There is a mark with this label already."),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class CallMark(models.Model):
    """A mark set on a call; unsetting deletes the row, setting it twice is one row."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="marks")
    mark = models.ForeignKey(Mark, models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["mark__position", "mark_id"]
        constraints = [models.UniqueConstraint(fields=["call", "mark"], name="mark_once_a_call")]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.mark_id}"

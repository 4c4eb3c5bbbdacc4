"""The call's route on the recording's time: where the queue, each talk, each hold begins in the sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import pgettext

from monitoring.models.calls import Call
from monitoring.models.people import Manager
from monitoring.models.queues import Queue
from monitoring.models.recordings import Recording

# Icon and tone of the design system for each kind of stop.
SIGNS = {
    "line": ("line", "away"), "ivr": ("menu", "away"), "queue": ("queue", "ringing"), "ring": ("ringing", "ringing"),
    "talk": ("talking", "talking"), "hold": ("held", "break"), "transfer": ("transfer", "free"),
    "pickup": ("pickup", "free"), "park": ("parked", "break"), "dial": ("dial", "ringing"),
    "voicemail": ("voicemail", "away"),
}  # fmt: skip


def words() -> dict[str, str]:
    return {
        "line": pgettext("step", "Line"), "ivr": pgettext("step", "Menu"), "queue": pgettext("step", "Queue"),
        "ring": pgettext("step", "Rings"), "talk": pgettext("step", "Talks"), "hold": pgettext("step", "On hold"),
        "transfer": pgettext("step", "Transfer"), "pickup": pgettext("step", "Picked up"),
        "park": pgettext("step", "Parked"), "dial": pgettext("step", "Dialled"),
        "voicemail": pgettext("step", "Voicemail"),
    }  # fmt: skip


def marks_of(recordings: Sequence[Recording], call: Call) -> dict[int, list[dict[str, Any]]]:
    """Recording id → its marks in order: ``at`` and ``until`` in seconds of the sound, kind, text and who or what."""
    steps = list(call.steps.all())
    names = _names({step.what for step in steps})
    text = words()
    made: dict[int, list[dict[str, Any]]] = {}
    for recording in recordings:
        begin = recording.started.timestamp()
        end = begin + recording.seconds
        rows = []
        for step in steps:
            at = step.at.timestamp()
            if step.kind not in SIGNS or not begin - 1 <= at < end:
                continue
            icon, tone = SIGNS[step.kind]
            until = step.until.timestamp() if step.until is not None else end
            rows.append(
                {
                    "at": round(max(0.0, at - begin), 1),
                    "until": round(min(until, end) - begin, 1),
                    "kind": step.kind,
                    "icon": icon,
                    "tone": tone,
                    "text": text[step.kind],
                    "what": names.get(step.what, "" if step.kind == "ivr" else step.what),
                }
            )
        made[recording.pk] = rows
    return made


def _names(keys: set[str]) -> dict[str, str]:
    """Names on the PBX as people call them; the newest bearer of a name that was given twice."""
    found: dict[str, str] = {}
    for model in (Queue, Manager):
        rows = model.objects.filter(pbx_name__in=keys).order_by("pk").values_list("pbx_name", "title")
        found.update(rows)
    return found

"""How a call's facts read on a page: outcomes as sign, word and tone; times as clocks."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from monitoring.models.audit import AuditEntry
from monitoring.models.calls import Leg, QueueVisit
from monitoring.selectors.call_card import Stop

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Sign:
    """``icon`` of the sprite, ``tone`` of the design system, "" for what is usual and stays quiet."""

    word: Text
    icon: str
    tone: str = ""


OUTCOMES = {
    "answered": Sign(pgettext_lazy("call outcome", "Answered"), "talking"),
    "abandoned": Sign(pgettext_lazy("call outcome", "Hung up waiting"), "missed", "alarm"),
    "no_answer": Sign(pgettext_lazy("call outcome", "No answer"), "missed", "warn"),
    "busy": Sign(pgettext_lazy("call outcome", "Busy"), "ended", "away"),
    "failed": Sign(pgettext_lazy("call outcome", "Failed"), "warn", "warn"),
    "interrupted": Sign(pgettext_lazy("call outcome", "Cut off"), "offline", "warn"),
    "open": Sign(pgettext_lazy("call outcome", "In progress"), "talking", "talking"),
}
DIRECTIONS = {
    "in": Sign(pgettext_lazy("call direction", "Incoming"), "in"),
    "out": Sign(pgettext_lazy("call direction", "Outgoing"), "out"),
    "internal": Sign(pgettext_lazy("call direction", "Internal"), "internal"),
}
LOST = {
    "open": Sign(_("Not called back"), "lost", "alarm"),
    "called_back": Sign(_("Called back"), "good", "good"),
    "answered_later": Sign(_("Got through later"), "good", "good"),
    "closed": Sign(_("Closed"), "good"),
}
PERIODS = {
    "today": _("Today"),
    "yesterday": _("Yesterday"),
    "week": _("7 days"),
    "month": _("30 days"),
}


def outcome(value: str) -> Sign:
    return OUTCOMES.get(value, Sign(value, "unknown"))


def direction(value: str) -> Sign:
    return DIRECTIONS.get(value, Sign(value, "unknown"))


def clock(seconds: float) -> str:
    """0:07, 12:34, 1:02:03."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def part(leg: Leg) -> Sign:
    """What one person had to do with the call."""
    if leg.answered is not None:
        return Sign(_("placed the call") if leg.origin else _("answered"), "talking")
    if leg.outcome == "cancelled":
        return Sign(_("rang, another answered"), "ringing")
    if leg.outcome == "busy":
        return Sign(_("was busy"), "ended")
    if leg.outcome == "missed":
        return Sign(
            _("did not answer") if leg.available else _("did not answer (not available)"), "missed", "warn"
        )
    return Sign(_("rang"), "ringing")


def visit(row: QueueVisit) -> Sign:
    """How a stay in a queue ended, against the limits of that moment."""
    if row.outcome == "answered":
        if row.wait <= row.answer_within:
            return Sign(_("answered in time"), "good", "good")
        return Sign(_("answered late"), "warn", "warn")
    if row.outcome == "abandoned":
        if row.wait < row.short_abandon:
            return Sign(_("hung up at once"), "ended")
        return Sign(_("hung up waiting"), "missed", "alarm")
    if row.outcome == "flow-out":
        return Sign(FLOW_OUT.get(row.reason, _("left for elsewhere")), "transfer")
    return Sign(_("cut off") if row.outcome == "interrupted" else _("waits"), "waiting")


FLOW_OUT: dict[str, Text] = {
    "timeout": _("left: waited too long"),
    "key": _("left by pressing a key"),
    "joinempty": _("left: nobody served the queue"),
    "leaveempty": _("left: nobody served the queue"),
    "full": _("left: the queue was full"),
    "transferred": _("taken elsewhere"),
}
NOTES: dict[str, Text] = {
    "answered": _("answered"),
    "missed": _("not answered"),
    "busy": _("busy"),
    "cancelled": _("answered elsewhere"),
    "abandoned": _("hung up waiting"),
    "unparked": _("taken back"),
    "blind": _("without asking"),
    "attended": _("after asking"),
}


def stop_note(stop: Stop) -> str:
    """What there is to say of a stop besides its name and time."""
    if stop.kind == "ivr":
        return gettext("key %(keys)s") % {"keys": stop.note} if stop.note else ""
    word = str(NOTES.get(stop.note, FLOW_OUT.get(stop.note, stop.note)))
    return f"{word}, {stop.by}" if stop.by else word


MODES: dict[str, Text] = {
    "listen": _("listened in"),
    "whisper": _("whispered to the manager"),
    "join": _("joined the conversation"),
}


def heard(entry: AuditEntry) -> Text:
    if entry.kind == "recording":
        return _("took the recording along") if entry.verb.endswith(".download") else _("heard the recording")
    return MODES.get(str(entry.details.get("mode", "")), _("listened in"))

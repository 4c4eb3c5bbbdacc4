"""What the route's picture says: the stops in words, for the call card and for the live panel's dialog."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

STEPS = {
    "line": pgettext_lazy("step", "Line"),
    "ivr": pgettext_lazy("step", "Menu"),
    "queue": pgettext_lazy("step", "Queue"),
    "ring": pgettext_lazy("step", "Rings"),
    "talk": pgettext_lazy("step", "Talks"),
    "hold": pgettext_lazy("step", "On hold"),
    "transfer": pgettext_lazy("step", "Transfer"),
    "pickup": pgettext_lazy("step", "Picked up"),
    "park": pgettext_lazy("step", "Parked"),
    "dial": pgettext_lazy("step", "Dialled"),
    "voicemail": pgettext_lazy("step", "Voicemail"),
}
WAY = gettext_lazy("Way of the call")


def route_texts() -> dict[str, str]:
    """Texts of the picture in the language in force."""
    return {
        **{f"step.{kind}": str(word) for kind, word in STEPS.items()},
        "timeline.way": str(WAY),
        "timeline.wrap": gettext("Wrap-up"),
        "timeline.hangup": gettext("Hung up"),
        "timeline.by_customer": gettext("Hung up by the customer"),
        "timeline.by": gettext("Hung up by {who}"),
        "timeline.key": gettext("key {key}"),
        "timeline.answered": gettext("answered"),
        "timeline.missed": gettext("not answered"),
        "timeline.busy": gettext("busy"),
        "timeline.cancelled": gettext("answered elsewhere"),
        "timeline.more": gettext("Only rang: {n}"),
        "timeline.now": gettext("now"),
        "timeline.from_start": gettext("since the start"),
    }

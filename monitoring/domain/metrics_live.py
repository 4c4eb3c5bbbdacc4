"""Figures read off the live board at this moment: they have no past, so reports do not know them."""

from __future__ import annotations

from monitoring.domain.metric import Metric, Norm, terms

LIVE = (
    Metric(
        "waiting",
        "count",
        "lower_is_better",
        "Waiting",
        "Callers who joined a queue and have neither left nor been answered; a ringing caller still waits.",
        terms("now.waiting"),
        norm=Norm(3, 6),
    ),
    Metric(
        "longest_wait",
        "seconds",
        "lower_is_better",
        "Longest wait",
        "Time since the earliest caller still waiting joined the queue.",
        terms("now.longest_wait"),
        norm=Norm(20, 60),
    ),
    Metric(
        "talking",
        "count",
        "neutral",
        "Talking",
        "Managers connected with a customer at this moment, hold included.",
        terms("now.talking"),
    ),
    Metric(
        "free",
        "count",
        "higher_is_better",
        "Free",
        "Managers whose status takes calls, whose phone is registered or external, and who have no call.",
        terms("now.free"),
        norm=Norm(2, 1),
    ),
    Metric(
        "on_break",
        "count",
        "neutral",
        "On break",
        "Managers whose declared status is a break.",
        terms("now.on_break"),
    ),
    Metric("away", "count", "neutral", "Away", "Managers whose declared status is away.", terms("now.away")),
    Metric(
        "unregistered",
        "count",
        "lower_is_better",
        "Unregistered",
        "Managers whose status takes calls although no phone of theirs is registered.",
        terms("now.unregistered"),
        norm=Norm(1, 3),
    ),
)

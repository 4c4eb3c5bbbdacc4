"""Monitoring's rows, one thought a file; Django finds them all here."""

from monitoring.models.audit import AuditEntry
from monitoring.models.calls import Call, Leg, QueueVisit, Step
from monitoring.models.lines import Line
from monitoring.models.norms import Norm
from monitoring.models.people import Group, Manager, Supervisor
from monitoring.models.policy import Policy
from monitoring.models.queues import Queue
from monitoring.models.statuses import Status, StatusInterval

__all__ = [
    "AuditEntry",
    "Call",
    "Group",
    "Leg",
    "Line",
    "Manager",
    "Norm",
    "Policy",
    "Queue",
    "QueueVisit",
    "Status",
    "StatusInterval",
    "Step",
    "Supervisor",
]

"""Monitoring's rows, one thought a file; Django finds them all here."""

from monitoring.models.alerts import Alert, AlertLetter, AlertRule, AlertWatch
from monitoring.models.audit import AuditEntry
from monitoring.models.calls import Call, Leg, QueueVisit, Step
from monitoring.models.exports import Export
from monitoring.models.filters import SavedFilter
from monitoring.models.lines import Line
from monitoring.models.lost import LostCall
from monitoring.models.norms import Norm
from monitoring.models.notes import CallMark, Mark, Note
from monitoring.models.people import Group, Manager, Supervisor
from monitoring.models.policy import Policy
from monitoring.models.presence import AutoInterval
from monitoring.models.profiles import Profile, ProfileActivity
from monitoring.models.quality import BlindWindow, Correction
from monitoring.models.queues import Queue
from monitoring.models.recordings import Recording
from monitoring.models.reports import ReportDelivery, ReportRecipient, ReportRun, ScheduledReport
from monitoring.models.retention import Cleaning, Erasure
from monitoring.models.reviews import Review, ReviewComment, Scorecard, ScorecardVersion
from monitoring.models.rollups import Built, CallSums, LegSums, LostSums, PeopleSums, Stale, VisitSums
from monitoring.models.statuses import Status, StatusInterval
from monitoring.models.webhooks import Delivery, Webhook

__all__ = [
    "Alert",
    "AlertLetter",
    "AlertRule",
    "AlertWatch",
    "AuditEntry",
    "AutoInterval",
    "BlindWindow",
    "Built",
    "Call",
    "CallMark",
    "CallSums",
    "Cleaning",
    "Correction",
    "Delivery",
    "Erasure",
    "Export",
    "Group",
    "Leg",
    "LegSums",
    "Line",
    "LostCall",
    "LostSums",
    "Manager",
    "Mark",
    "Norm",
    "Note",
    "PeopleSums",
    "Policy",
    "Profile",
    "ProfileActivity",
    "Queue",
    "QueueVisit",
    "Recording",
    "ReportDelivery",
    "ReportRecipient",
    "ReportRun",
    "Review",
    "ReviewComment",
    "SavedFilter",
    "ScheduledReport",
    "Scorecard",
    "ScorecardVersion",
    "Stale",
    "Status",
    "StatusInterval",
    "Step",
    "Supervisor",
    "VisitSums",
    "Webhook",
]

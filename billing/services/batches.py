"""Many drafts issued at one click: the request is an act of the audit, and how far it is follows from the invoices.

So nothing is lost when a worker dies: the same request may be carried out again and issues what is still a draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from billing.models import OPEN_STATES, Act, Invoice, InvoiceState
from billing.services import acts
from billing.services.acts import Who
from billing.services.errors import NotNow, NotThere
from billing.services.invoices import finalise_many

VERB = "invoice.finalise_many"
_SILENT_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """``refused``: (invoice, why not). ``silent``: something is left and nothing has moved for a minute."""

    act: Act
    total: int
    issued: int
    refused: list[tuple[Invoice, str]]
    silent: bool

    @property
    def settled(self) -> int:
        return self.issued + len(self.refused)

    @property
    def moving(self) -> bool:
        return self.settled < self.total and not self.silent

    @property
    def percent(self) -> int:
        return 100 * self.settled // max(self.total, 1)


def request(*, who: Who, invoices: Sequence[int]) -> Act:
    """Ask for these drafts to be issued by a worker; what is no draft is left out. Raises NotNow for none."""
    drafts = list(
        Invoice.objects.filter(pk__in=invoices, state=InvoiceState.DRAFT)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    if not drafts:
        raise NotNow(_("There is no draft among them that could be issued."))
    with transaction.atomic():
        act = acts.record(who=who, verb=VERB, what=str(len(drafts)), details={"invoices": drafts})
        transaction.on_commit(lambda: start(act.pk), robust=True)
    return act


def start(act_id: int) -> None:
    """Queue it; also again, when a worker died. Raises NotThere, NotNow (the queue is away)."""
    _asked(act_id)
    current_app.loader.import_default_modules()  # a web process has not read the tasks yet
    try:
        current_app.tasks["billing.finalise_batch"].apply_async((act_id,), retry=False)
    except OperationalError as error:
        raise NotNow(_("The queue of background work cannot be reached: try again in a minute.")) from error


def carry_out(act_id: int) -> None:
    act = _asked(act_id)
    rows = Invoice.objects.filter(pk__in=act.details["invoices"], state__in=OPEN_STATES)
    # Once the list, then one by one: a worker that was given the same finds fewer.
    waiting = list(rows.select_related("company", "seller", "subscription").order_by("pk"))
    finalise_many(who=Who(act.who, "platform"), invoices=waiting, batch=act.pk)


def progress(act_id: int, *, now: datetime) -> Progress:
    """Raises NotThere."""
    act = _asked(act_id)
    rows = Invoice.objects.filter(pk__in=act.details["invoices"])
    open_ = {row.pk: row for row in rows.filter(state__in=OPEN_STATES).select_related("company")}
    said = list(Act.objects.filter(verb="invoice.finalise", done=False, details__batch=act.pk).order_by("pk"))
    why = {one.details["invoice"]: str(one.details["why"]) for one in said}
    refused = [(open_[pk], text) for pk, text in why.items() if pk in open_]
    total = len(act.details["invoices"])
    issued = total - len(open_)
    moments = [act.at, rows.aggregate(last=Max("finalised_at"))["last"], said[-1].at if said else None]
    last = max(moment for moment in moments if moment is not None)
    left = total - issued - len(refused)
    return Progress(act, total, issued, refused, left > 0 and now - last > _SILENT_AFTER)


def _asked(act_id: int) -> Act:
    act = Act.objects.filter(pk=act_id, verb=VERB).first()
    if act is None:
        raise NotThere(_("Nobody has asked for that."))
    return act

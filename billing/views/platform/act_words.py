"""What was done, in words; an act that is not here is shown as it is written down."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Act

WORDS: dict[str, str | Promise] = {
    "subscription.open": _("put on a plan"),
    "subscription.close": _("ended the subscription"),
    "plan.change": _("changed the plan"),
    "plan.change_cancelled": _("took back a change of plan"),
    "price.agree": _("agreed on a price"),
    "details.change": _("changed the details"),
    "plan.new": _("made a plan"),
    "plan.edit": _("renamed a plan"),
    "version.new": _("made new prices"),
    "version.remove": _("removed prices that were to come"),
    "seller.new": _("entered a seller"),
    "seller.edit": _("changed a seller"),
    "vat.new": _("entered a VAT rate"),
    "invoice.finalise": _("issued an invoice"),
    "invoice.finalise_many": _("asked for drafts to be issued"),
    "invoice.void": _("took an invoice back"),
    "invoice.credit": _("gave money back"),
    "invoice.send": _("sent an invoice to the payer"),
    "invoice.export": _("took invoices along as a file"),
    "payment.import": _("took in a bank statement"),
    "payment.enter": _("entered a payment"),
    "payment.match": _("matched a payment"),
    "payment.unmatch": _("took a payment back into the queue"),
    "payment.ignore": _("set a payment aside"),
    "invoice.remind": _("reminded of an unpaid invoice"),
    "vat.remove": _("removed a VAT rate that was to come"),
    "run.start": _("started a billing run"),
    "run.stop": _("stopped a billing run"),
    "run.again": _("went on with a billing run"),
    "review.settle": _("decided a finding"),
}


def said(act: Act) -> str:
    return str(WORDS.get(act.verb, act.verb))


def title_of(verb: str) -> str:
    return str(WORDS.get(verb, verb))

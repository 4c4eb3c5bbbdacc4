"""Money's rows, all in the public schema: a company never has tables of its own for them."""

from __future__ import annotations

from billing.models.attention import Act, LimitNotice, Reminder, ReviewItem, ReviewKind
from billing.models.invoices import (
    OPEN_STATES,
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceState,
    UsageRecord,
)
from billing.models.parties import Account, LimitMode, Seller
from billing.models.payments import Allocation, BankStatement, Payment, PaymentState
from billing.models.plans import ModelName, Plan, PlanVersion, VatRate
from billing.models.runs import BillingRun, ItemState, RunItem, RunState
from billing.models.subscriptions import Phase, Subscription

__all__ = [
    "OPEN_STATES",
    "Account",
    "Act",
    "Allocation",
    "BankStatement",
    "BillingRun",
    "CreditNote",
    "Invoice",
    "InvoiceLine",
    "InvoiceState",
    "ItemState",
    "LimitMode",
    "LimitNotice",
    "ModelName",
    "Payment",
    "PaymentState",
    "Phase",
    "Plan",
    "PlanVersion",
    "Reminder",
    "ReviewItem",
    "ReviewKind",
    "RunItem",
    "RunState",
    "Seller",
    "Subscription",
    "UsageRecord",
    "VatRate",
]

"""A seller, payers, subscriptions and what they are billed for, in few words. Dates are given, never today's.

Rows of money are the platform's; ``handled`` and ``profile_on`` write a company's own and open its scope.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Max

from billing.domain.periods import midnight, month_of
from billing.domain.vat import VatMode, VatRates, taxed
from billing.models import (
    Account,
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceState,
    Phase,
    Plan,
    PlanVersion,
    Seller,
    Subscription,
    VatRate,
)
from monitoring.models import Call, Leg, Profile, ProfileActivity
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope

INNS = {"alpha": "7707083893", "beta": "7728168971"}
_numbers = itertools.count(1)


def seller(**fields: str) -> Seller:
    """The one who sells; made at the first asking."""
    found = Seller.objects.filter(**fields).first()
    return found or Seller.objects.create(
        **{
            "legal_name": "ООО «Связь»", "inn": "7736050003", "kpp": "773601001", "prefix": "СЧ-",
            "address": "117420, Москва, ул. Намёткина, 16", "bank_name": "АО «Банк»", "bik": "044525225",
            "account": "40702810900000000001", "correspondent": "30101810400000000225",
            "director": "Иванов И. И.", "accountant": "Петрова А. А.", **fields,
        }
    )  # fmt: skip


def account(company: Company, **fields: object) -> Account:
    """The company's papers, whole enough for an invoice."""
    slug = company.slug
    whole = {
        "legal_name": f"ООО «{company.name}»", "inn": INNS.get(slug, "7707083893"), "kpp": "770701001",
        "address": "101000, Москва, ул. Первая, 1", "email": f"pay@{slug}.example", **fields,
    }  # fmt: skip
    return Account.objects.update_or_create(company=company, defaults=whole)[0]


def plan(code: str = "per_concurrency") -> Plan:
    return Plan.objects.get(code=code)


def version(code: str, starts_on: date, **fields: object) -> PlanVersion:
    """A further version of a plan; without ``terms`` the prices of the one before."""
    before = (
        PlanVersion.objects.filter(plan__code=code, starts_on__lte=starts_on).order_by("starts_on").last()
    )
    assert before is not None
    values = {"terms": before.terms, "vat_mode": before.vat_mode, **fields}
    return PlanVersion.objects.create(plan=before.plan, starts_on=starts_on, **values)


def subscribe(
    company: Company,
    code: str = "per_concurrency",
    starts_on: date = date(2026, 1, 1),
    *,
    ends_on: date | None = None,
    zone: str = "Europe/Moscow",
    agreed: Decimal | None = None,
    sold_by: Seller | None = None,
) -> Subscription:
    """The company takes a plan for the first time, with papers, by the version in force on ``starts_on``."""
    if not Account.objects.filter(company=company).exists():
        account(company)
    made = Subscription.objects.create(
        company=company, seller=sold_by or seller(), time_zone=zone, starts_on=starts_on, ends_on=ends_on
    )
    phase(made, code, starts_on, ends_on=ends_on, agreed=agreed)
    return made


def phase(
    subscription: Subscription,
    code: str,
    starts_on: date,
    *,
    ends_on: date | None = None,
    agreed: Decimal | None = None,
) -> Phase:
    """A plan of the subscription from ``starts_on``; the one before must have ended by then."""
    held = PlanVersion.objects.filter(plan__code=code, starts_on__lte=starts_on).order_by("starts_on").last()
    return Phase.objects.create(
        subscription=subscription, version=held, starts_on=starts_on, ends_on=ends_on, agreed_price=agreed
    )


def issued_invoice(
    subscription: Subscription,
    month: date = date(2026, 6, 1),
    amount: Decimal = Decimal("1500.00"),
    *,
    issued_on: date | None = None,
    due_on: date | None = None,
) -> Invoice:
    """An invoice of one line for a whole month, issued on the 4th of the next and due ten days later.

    Made of rows alone, for tests that do not care how it came about.
    """
    period = month_of(month, subscription.time_zone)
    issued = issued_on or period.end + timedelta(days=3)
    at = midnight(issued, subscription.time_zone) + timedelta(hours=9)
    invoice = Invoice.objects.create(
        seller=subscription.seller, company=subscription.company, subscription=subscription,
        period_start=period.start, period_end=period.end, total=None, vat=None, input_hash="0" * 64,
        cut_event=period.until, cut_stored=at, drafted_at=at,
    )  # fmt: skip
    rates = VatRates(VatRate.objects.values_list("starts_on", "percent"))
    money = taxed(amount, mode=VatMode.INCLUDED, rates=rates, supplied=period.last)
    InvoiceLine.objects.create(
        invoice=invoice, position=1, kind="tier", title_ru="Одновременные звонки", title_en="Calls at once",
        begin_on=period.start, end_on=period.end, share_days=period.days, month_days=period.days, quantity=1,
        unit_price=amount, net=money.net, vat_rate=money.rate, vat=money.vat, amount=money.amount,
    )  # fmt: skip
    last = Invoice.objects.filter(seller=invoice.seller, year=issued.year).aggregate(n=Max("number"))["n"]
    invoice.state = InvoiceState.FINALISED
    invoice.year, invoice.number = issued.year, (last or 0) + 1
    invoice.full_number = f"{invoice.seller.prefix}{issued.year}/{invoice.number:06}"
    invoice.issued_on, invoice.due_on = issued, due_on or issued + timedelta(days=10)
    invoice.total, invoice.vat, invoice.finalised_at = money.amount, money.vat, at
    invoice.seller_copy = _copy(invoice.seller)
    invoice.buyer_copy = _copy(subscription.company.account)
    invoice.save()
    return invoice


def _copy(party: Seller | Account) -> dict[str, str]:
    names = [
        f.name for f in party._meta.concrete_fields if f.get_internal_type() in ("CharField", "EmailField")
    ]
    return {name: str(getattr(party, name)) for name in names}


def handled(
    company: Company,
    *talks: tuple[datetime, datetime | None],
    key: str = "",
    direction: str = "in",
    managers: Sequence[str] = (),
    ended: bool = True,
    customer: str = "79160000000",
) -> str:
    """One call of the company in which managers talked at these times; its key. Aware moments.

    ``managers``: PBX names, one for each talk, else the company's 101.
    """
    number = next(_numbers)
    key = key or f"1:{company.slug}-{number}"
    ends = [until for _, until in talks]
    last = None if None in ends or not ended else max(until for until in ends if until is not None)
    with company_scope(company.slug):
        call = Call.objects.create(
            key=key, pbx="1", direction=direction, number=customer, name="", line="78005553535",
            started=talks[0][0], answered=talks[0][0], ended=last, disposition="answered" if last else "open",
            hung_up_by="customer", revision=float(number), customer=customer,
        )  # fmt: skip
        seconds = 0.0
        for place, (since, until) in enumerate(talks):
            name = managers[place] if place < len(managers) else f"{company.slug}_101"
            length = (until - since).total_seconds() if until else 0.0
            seconds += length
            Leg.objects.create(
                call=call, uniqueid=f"{key}-{place}", manager_name=name, queue_name="", rang=since, answered=since,
                ended=until, outcome="answered", available=True, talk=[[epoch(since), epoch(until)]], hold=[],
                talk_seconds=length, hold_seconds=0.0,
            )  # fmt: skip
        Call.objects.filter(pk=call.pk).update(talk_seconds=seconds)
    return key


def at_once(company: Company, count: int, begin: datetime, minutes: int = 10) -> list[str]:
    """``count`` calls handled at the same time."""
    return [handled(company, (begin, begin + timedelta(minutes=minutes))) for _ in range(count)]


def epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def profile_on(company: Company, started: datetime, ended: datetime | None = None, *, title: str = "") -> int:
    """A monitoring profile of the company that was on in [``started``, ``ended``); its number."""
    with company_scope(company.slug):
        maker = User.objects.filter(email=f"maker@{company.slug}.example").first()
        maker = maker or User.objects.create_user(
            f"maker@{company.slug}.example", "pw", name="Составитель", role=Role.ADMIN
        )
        profile = Profile.objects.create(title=title or f"Профиль {next(_numbers)}", maker=maker)
        ProfileActivity.objects.create(profile=profile, started=started, ended=ended)
        return int(profile.pk)


def moscow(year: int, month: int, day: int, hour: int = 12, minute: int = 0, micro: int = 0) -> datetime:
    """A moment of a Moscow clock, UTC."""
    return datetime(year, month, day, hour, minute, 0, micro, UTC) - timedelta(hours=3)


def committed(sql: str, *values: object) -> list[tuple[object, ...]]:
    """Rows by SQL, past the models."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []


def credit_note(invoice: Invoice, amount: Decimal, *, issued_on: date | None = None) -> CreditNote:
    """``amount`` of an issued invoice given back, as a row alone: what was paid on it stays where it is."""
    issued = issued_on or invoice.issued_on
    assert issued is not None
    last = CreditNote.objects.filter(seller=invoice.seller, year=issued.year).aggregate(n=Max("number"))["n"]
    return CreditNote.objects.create(
        seller=invoice.seller, company=invoice.company, invoice=invoice, kind="by hand", year=issued.year,
        number=(last or 0) + 1, full_number=f"КС-{issued.year}/{(last or 0) + 1:06}", issued_on=issued, net=amount,
        vat_rate=None, vat=Decimal("0.00"), amount=amount, reason="Ошибка", fingerprint=f"made-{next(_numbers)}",
        made_at=midnight(issued, "Europe/Moscow"),
    )  # fmt: skip

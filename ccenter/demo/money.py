"""The demo's money: months billed from the companies' own past calls, by the services a real platform uses.

Done again it adds only what is missing: months that ended since, and payments for what would shut a company out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.domain.periods import midnight, month_of, preceding
from billing.models import (
    Account,
    BankStatement,
    BillingRun,
    Invoice,
    InvoiceState,
    Plan,
    Seller,
    Subscription,
)
from billing.selectors import balance
from billing.services import invoices, runs, sellers, statements, subscriptions
from billing.services.accounts import change_details
from billing.services.acts import TIMETABLE, Who
from billing.services.errors import BillingError
from ccenter.demo.bank_file import Transfer, statement
from monitoring.models import Profile, ProfileActivity
from tenants.models import Company
from tenants.people.models import Role, User
from tenants.scope import company_scope

ACCOUNTANT = Who("Дежурный платформы", "platform")
GRACE, LATE = timedelta(days=3), timedelta(days=6)
SELLER = {
    "legal_name": "ООО «Голос в облаке»", "inn": "7734128705", "kpp": "773401001",
    "address": "123060, г. Москва, ул. Берзарина, д. 34, эт. 3, ком. 12", "prefix": "ГО-",
    "bank_name": "ПАО Сбербанк, г. Москва", "bik": "044525225", "account": "40702810200000012345",
    "correspondent": "30101810400000000225", "director": "Соколов А. В.", "accountant": "Мельникова Т. И.",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """``plan`` since the ``day``-th of the month ``months`` ago; ``then``: the plan it changed to the month after next.

    ``profiles``: monitoring profiles it has had on since. ``late``: its latest invoice is not paid yet.
    """

    slug: str
    papers: dict[str, object]
    account: str
    plan: str
    months: int
    day: int = 1
    then: str = ""
    profiles: Sequence[str] = ()
    late: bool = False


PAYERS = (
    Payer(
        slug="romashka",
        papers={
            "legal_name": "ООО «Ромашка»", "inn": "7704982317", "kpp": "770401001",
            "address": "119034, г. Москва, ул. Остоженка, д. 28, оф. 5", "supervisors_see": True,
        },
        account="40702810100000054321", plan="per_concurrency", months=4, then="per_profile",
        profiles=("Общий зал", "Продажи", "Поддержка", "Руководитель"),
    ),
    Payer(
        slug="vektor",
        papers={
            "legal_name": "ООО «Вектор»", "inn": "7811456326", "kpp": "781101001",
            "address": "192019, г. Санкт-Петербург, ул. Седова, д. 11, лит. А", "supervisors_see": False,
        },
        account="40702810500000077001", plan="per_concurrency", months=3, day=11, late=True,
    ),
)  # fmt: skip


def fill(*, now: datetime, say: Callable[[str], None] = lambda _line: None) -> None:
    """Bring the demo's billing up to ``now``. Call it outside every scope, when the past calls are there."""
    today = now.astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE)).date()
    seller = _seller()
    for payer in PAYERS:
        company = Company.objects.filter(schema_name=payer.slug).first()
        if company is not None and not company.subscriptions.exists():
            _begin(payer, company, seller, today)
    for month in _ended(today):
        _bill(month, today)
    _pay(seller, today)
    issued = Invoice.objects.exclude(number=None).count()
    say(f"Billing: {Subscription.objects.count()} subscriptions, {issued} invoices issued")


def _seller() -> Seller:
    found = Seller.objects.first()
    return found or sellers.save_seller(who=ACCOUNTANT, seller=Seller(**SELLER))


def _begin(payer: Payer, company: Company, seller: Seller, today: date) -> None:
    """Papers, a subscription in the past, profiles switched on then, the change of plan."""
    zone = str(company.time_zone)
    if not Account.objects.filter(company=company).exists():
        change_details(who=ACCOUNTANT, company=company, details=payer.papers)
    first = preceding(month_of(today, zone), payer.months).start
    starts_on = first.replace(day=payer.day)
    with company_scope(payer.slug):
        admin = User.objects.filter(role=Role.ADMIN).order_by("pk").first()
    if admin is None:
        return
    _profiles(payer, admin, midnight(first, zone))
    plan = Plan.objects.get(code=payer.plan)
    subscriptions.open_subscription(
        who=ACCOUNTANT, company=company, plan=plan, seller=seller, starts_on=starts_on
    )
    if payer.then:
        # In the middle of the second month: what costs less begins with the third.
        at = midnight(preceding(month_of(today, zone), payer.months - 1).start + timedelta(days=15), zone)
        subscriptions.change_plan(
            who=Who(str(admin), "company"), company=company, plan=Plan.objects.get(code=payer.then), now=at
        )


def _profiles(payer: Payer, admin: User, since: datetime) -> None:
    """Switched on in the past, as nobody can on a page: only where nobody has switched any yet."""
    with company_scope(payer.slug):
        if ProfileActivity.objects.exists():
            return
        for title in payer.profiles:
            profile = Profile.objects.create(
                title=title, maker=admin, tiles=["now.waiting", "now.longest_wait", "now.talking", "now.free"],
                for_supervisors=True,
            )  # fmt: skip
            ProfileActivity.objects.create(profile=profile, started=since, by_on=admin)


def _ended(today: date) -> list[date]:
    """The first days of the months anybody was subscribed in that are over, with their grace; the oldest first."""
    earliest = Subscription.objects.order_by("starts_on").values_list("starts_on", flat=True).first()
    months: list[date] = []
    if earliest is None:
        return months
    month = month_of(earliest, settings.PLATFORM_TIME_ZONE)
    while month.end + GRACE <= today:
        months.append(month.start)
        month = month_of(month.end, settings.PLATFORM_TIME_ZONE)
    return months


def _bill(month: date, today: date) -> None:
    """Run it if nobody has, and issue its drafts, unless a visitor is to see how that is done."""
    end = month_of(month, settings.PLATFORM_TIME_ZONE).end
    if not BillingRun.objects.filter(period_start=month, dry=False).exists():
        at = datetime.combine(end + GRACE, datetime.min.time(), UTC) + timedelta(hours=1)
        run = runs.start(who=TIMETABLE, month=month, dry=False, now=at)
        for item in runs.waiting_items(run):
            runs.work(item_id=item, now=at)
    issued_on = _issued_on(end, today)
    if issued_on is None:
        return
    drafts = Invoice.objects.filter(period_start=month, state=InvoiceState.DRAFT)
    rows = drafts.select_related("company", "seller", "subscription").order_by("company__name")
    invoices.finalise_many(who=ACCOUNTANT, invoices=rows, today=issued_on)


def _issued_on(end: date, today: date) -> date | None:
    """On the fourth; the latest so that it is ``LATE`` today, overdue and nothing worse. None: left as drafts."""
    usual = end + GRACE
    latest = today - timedelta(days=settings.BILLING_DUE_DAYS) - LATE
    if latest < end:
        return None
    following = month_of(end, settings.PLATFORM_TIME_ZONE).end
    return max(usual, latest) if latest < following and latest >= end else usual


def _pay(seller: Seller, today: date) -> None:
    """What the bank brought: all that is owed, but for what is to be seen as late; and two nobody can place."""
    by_company = {payer.slug: payer for payer in PAYERS}
    first = not BankStatement.objects.exists()
    transfers = []
    for invoice in balance.unpaid().select_related("company"):
        payer = by_company.get(str(invoice.company.schema_name))
        assert invoice.due_on is not None
        assert invoice.issued_on is not None
        if payer is None or (payer.late and today - invoice.due_on <= LATE):
            continue
        transfers.append(
            Transfer(
                number=str(100 + invoice.pk), on=min(invoice.issued_on + timedelta(days=5), today),
                amount=invoice.owed, payer=str(payer.papers["legal_name"]), inn=str(payer.papers["inn"]),
                account=payer.account, purpose=f"Оплата по счёту № {invoice.full_number} за услуги связи, в т.ч. НДС",
            )
        )  # fmt: skip
    if first and transfers:
        transfers += _puzzles(today)
    if transfers:
        data = statement(account=seller.account, transfers=transfers)
        try:
            statements.import_statement(who=ACCOUNTANT, file_name=f"kl_to_1c_{today:%d%m}.txt", data=data)
        except BillingError:
            return  # a visitor has changed the account: the bank's file would be a stranger's


def _puzzles(today: date) -> list[Transfer]:
    vektor = PAYERS[1]
    return [
        Transfer(
            number="87", on=today - timedelta(days=2), amount=Decimal("1500.00"),
            payer=str(vektor.papers["legal_name"]), inn=str(vektor.papers["inn"]), account=vektor.account,
            purpose="Оплата услуг связи за прошлый месяц",
        ),
        Transfer(
            number="312", on=today - timedelta(days=1), amount=Decimal("4800.00"), payer="ИП Лютикова О. П.",
            inn="502907418816", account="40802810700000031200", purpose="Аренда оборудования, договор 14/2",
        ),
    ]  # fmt: skip

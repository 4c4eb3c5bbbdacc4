"""The demo's two companies: people of every role, groups, queues and numbers a Russian company could really
have.

Seeding twice adds nothing and takes back nothing a visitor has edited; only the PBX's address follows the
demo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from ccenter.demo.welcome import SignIn
from ccenter.lab import sample
from ccenter.lab.plan import CompanyPlan, PbxPlan
from ccenter.lab.rows import plan_of
from monitoring.models import Group, Line, Manager, Queue, Status, StatusInterval, Supervisor
from monitoring.models.lines import LineKind
from monitoring.models.statuses import Source
from monitoring.services.statuses import groups_of
from tenants.models import Company, Pbx
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tenants.services import create_company

PASSWORD = "demo-2026-calls"  # noqa: S105 - printed by the demo for everybody to use
PBX_NAME = "Демо-АТС"
STAFF = "staff@ccenter.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiAddress:
    """Where the demo's Asterisk (or the simulator) answers, and as whom we sign in there."""

    host: str
    port: int
    username: str
    secret: str
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSeed:
    """``people``: first and last extension; ``queues``: short names of the queues it serves."""

    title: str
    people: tuple[int, int]
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSeed:
    name: str
    account: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySeed:
    """``away``: extension → label of the status that manager begins the demo with; everybody else is
    available."""

    plan: CompanyPlan
    admin: str
    groups: tuple[GroupSeed, ...]
    heads: tuple[HeadSeed, ...]
    away: dict[str, str]

    @property
    def slug(self) -> str:
        return self.plan.slug


# Names, extensions, queues and numbers are the lab's own, so that recorded streams and the demo read alike.
COMPANIES = (
    CompanySeed(
        plan=sample.romashka(phones_port=1),
        admin="Людмила Крылова",
        groups=(
            GroupSeed(title="Продажи", people=(101, 112), queues=("sales",)),
            GroupSeed(title="Поддержка", people=(113, 120), queues=("support",)),
            GroupSeed(title="VIP", people=(121, 124), queues=("vip",)),
        ),
        heads=(
            HeadSeed(name="Галина Фролова", account="sales.head", groups=("Продажи",)),
            HeadSeed(name="Константин Жуков", account="support.head", groups=("Поддержка",)),
            HeadSeed(name="Вера Никитина", account="head", groups=("Продажи", "Поддержка", "VIP")),
        ),
        away={"108": "Обед", "112": "Отсутствую", "118": "Обучение"},
    ),
    CompanySeed(
        plan=sample.vektor(phones_port=1),
        admin="Борис Ефимов",
        groups=(GroupSeed(title="Операторы", people=(101, 106), queues=("main",)),),
        heads=(HeadSeed(name="Инна Калинина", account="head", groups=("Операторы",)),),
        away={"105": "Перерыв"},
    ),
)


def seed(*, ami: AmiAddress, say: Callable[[str], None] = lambda _line: None) -> Pbx:
    """Make what is missing, point the demo's PBX to ``ami``, and return it. Call it outside every scope."""
    password = make_password(PASSWORD)  # one hash for all: making fifty would take longer than the rest
    if not User.objects.filter(email=STAFF).exists():
        User.objects.create(email=STAFF, name="Дежурный платформы", role=Role.STAFF, password=password)
    pbx = _pbx(ami)
    for company in COMPANIES:
        if not Company.objects.filter(schema_name=company.slug).exists():
            say(f"Company {company.slug}: its schema…")
            create_company(slug=company.slug, name=company.plan.title)
        pbx.companies.add(Company.objects.get(schema_name=company.slug))
        with company_scope(company.slug), transaction.atomic():
            made = _people_and_queues(company, pbx, password)
        say(f"Company {company.slug}: {made}")
    return pbx


def sign_ins() -> list[SignIn]:
    """Who can sign in where, one of each role first; for the demo's printout."""
    rows = [_sign_in("", "localhost", "staff", STAFF)]
    for company in COMPANIES:
        host = f"{company.slug}.localhost"
        title = company.plan.title
        rows.append(_sign_in(title, host, "admin", _email(company.slug, "admin")))
        rows += [_sign_in(title, host, "supervisor", _email(company.slug, h.account)) for h in company.heads]
        rows.append(
            _sign_in(title, host, "manager", _email(company.slug, company.plan.managers[0].extension))
        )
    return rows


def lab_plan(*, phones_port: int, registering: Iterable[str] = ()) -> PbxPlan:
    """The demo's PBX from the portal's rows, with the lab's AMI accounts. Call it after ``seed``."""
    pbx = Pbx.objects.get(name=PBX_NAME)
    return plan_of(
        pbx,
        accounts=(sample.PORTAL, sample.RECORDER),
        phones_port=phones_port,
        registering=frozenset(registering),
    )


def _pbx(ami: AmiAddress) -> Pbx:
    pbx = Pbx.objects.filter(name=PBX_NAME).first() or Pbx(name=PBX_NAME)
    pbx.host, pbx.port, pbx.username, pbx.secret = ami.host, ami.port, ami.username, ami.secret
    pbx.managed, pbx.simulated, pbx.tls, pbx.enabled = True, ami.simulated, False, True
    pbx.save()
    return pbx


def _sign_in(company: str, host: str, role: str, email: str) -> SignIn:
    return {"company": company, "host": host, "role": role, "email": email, "password": PASSWORD}


def _email(slug: str, account: str) -> str:
    return f"{account}@{slug}.example"


def _people_and_queues(company: CompanySeed, pbx: Pbx, password: str) -> str:
    """In the company's scope: everything that is not there yet. Returns what there is now, in words."""

    def user(account: str, name: str, role: Role) -> User:
        email = _email(company.slug, account)
        found = User.objects.filter(email=email).first()
        return found or User.objects.create(email=email, name=name, role=role, password=password)

    user("admin", company.admin, Role.ADMIN)
    groups = {seed.title: Group.objects.get_or_create(title=seed.title)[0] for seed in company.groups}
    for head in company.heads:
        supervisor, made = Supervisor.objects.get_or_create(
            user=user(head.account, head.name, Role.SUPERVISOR)
        )
        if made:
            supervisor.groups.set(groups[title] for title in head.groups)
    for plan in company.plan.managers:
        name = company.plan.endpoint(plan.name)
        manager, made = Manager.objects.get_or_create(
            pbx_name=name,
            defaults={
                "user": user(plan.extension, plan.title, Role.MANAGER),
                "title": plan.title,
                "extension": plan.extension,
                "pbx": pbx,
                "interfaces": [f"PJSIP/{name}"],
            },
        )
        if made:
            manager.groups.set(
                groups[g.title] for g in company.groups if g.people[0] <= int(plan.extension) <= g.people[1]
            )
    _queues(company, pbx, groups)
    _lines(company, pbx)
    _first_statuses(company)
    return f"{Manager.objects.count()} managers, {Queue.objects.count()} queues, {Line.objects.count()} lines"


def _queues(company: CompanySeed, pbx: Pbx, groups: dict[str, Group]) -> None:
    for plan in company.plan.queues:
        queue, made = Queue.objects.get_or_create(
            pbx_name=company.plan.queue_key(plan.name),
            defaults={
                "name": plan.name,
                "title": plan.title,
                "pbx": pbx,
                "extension": plan.extension,
                "strategy": plan.strategy,
                "ring_for": plan.ring_timeout,
                "max_wait": plan.max_wait,
                "exit_key": plan.exit_key,
                "via_local": plan.via_local,
                "wrap_up": plan.wrap_up,
            },
        )
        if made:
            queue.groups.set(groups[g.title] for g in company.groups if plan.name in g.queues)
            served = {_short(manager) for manager in queue.members()}
            extra = [company.plan.endpoint(name) for name in plan.members if name not in served]
            queue.extra_members.set(Manager.objects.filter(pbx_name__in=extra))


def _lines(company: CompanySeed, pbx: Pbx) -> None:
    for plan in company.plan.lines:
        menu = next(
            (ivr for ivr in company.plan.ivrs if plan.leads_to == "ivr" and ivr.name == plan.target), None
        )
        queue = menu.otherwise if menu else plan.target if plan.leads_to == "queue" else None
        person = plan.target if plan.leads_to == "manager" else None
        line, made = Line.objects.get_or_create(
            number=plan.number,
            defaults={
                "title": plan.title,
                "kind": LineKind.TOLL_FREE if plan.number.startswith("8800") else LineKind.VIRTUAL,
                "pbx": pbx,
                "menu": menu is not None,
                "queue": Queue.objects.get(name=queue) if queue else None,
                "manager": Manager.objects.get(pbx_name=company.plan.endpoint(person)) if person else None,
            },
        )
        if made:
            # A main number's calls concern everybody who may get them; a direct one only its person's group.
            serving = (
                line.queue.groups.all() if line.queue else line.manager.groups.all() if line.manager else ()
            )
            line.groups.set(Group.objects.all() if menu else serving)


def _first_statuses(company: CompanySeed) -> None:
    """So that the first call finds somebody: a manager who never declared anything gets no status from us
    later."""
    if StatusInterval.objects.exists():
        return
    labels = {status.label: status for status in Status.objects.live()}
    available = next(status for status in labels.values() if status.kind == "available")
    now = timezone.now()
    StatusInterval.objects.bulk_create(
        StatusInterval(
            manager=manager,
            status=labels.get(company.away.get(manager.extension, ""), available),
            started=now - timedelta(minutes=(7 * place) % 95 + 1),
            source=Source.PORTAL,
            groups=groups_of(manager),
        )
        for place, manager in enumerate(Manager.objects.live())
    )


def _short(manager: Manager) -> str:
    return str(manager.pbx_name).partition("_")[2]

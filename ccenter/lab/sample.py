"""The built-in plan: the two demo companies with the shapes the tests need, on any ports.

The demo renders the portal's own rows instead; both use the same names, so that streams and tests read alike.
"""

from __future__ import annotations

from ccenter.lab.plan import (
    AmiAccount,
    CompanyPlan,
    IvrPlan,
    LinePlan,
    ManagerPlan,
    PbxPlan,
    QueuePlan,
)

# What the collector's table (monitoring.pbx.normalise) reads, and nothing else; a test keeps the two equal.
WANTED_EVENTS = (
    "Newchannel", "Newstate", "NewCallerid", "Rename", "HangupRequest", "Hangup", "DialBegin", "DialEnd",
    "BridgeEnter", "BridgeLeave", "LocalBridge", "Hold", "Unhold", "DTMFEnd", "UserEvent",
    "BlindTransfer", "AttendedTransfer", "Pickup",
    "ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp", "ChanSpyStart", "ChanSpyStop",
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon",
    "AgentCalled", "AgentConnect", "AgentRingNoAnswer",
    "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberStatus",
    "DeviceStateChange", "ContactStatus", "FullyBooted",
)  # fmt: skip
EVERY_CLASS = (
    "system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting", "cdr",
    "dialplan", "originate", "agi", "cc", "aoc", "test", "security", "message",
)  # fmt: skip

# read: call (channels, dials, bridges, device states), agent (queues), system (boot, registrations),
# user (the dialplan's Route marks), dtmf (keys in a menu that is not ours). Not dialplan (VarSet is half of all
# traffic), not reporting (RTCP), not cel. write: what the portal does: call control, pauses, originate; reporting for
# CoreShowChannels and DeviceStateList. Neither system (so no PJSIPShowContacts: device states tell) nor command.
PORTAL = AmiAccount(
    name="ccenter",
    secret="portal-secret",  # noqa: S106 - the lab listens on loopback only
    read=("system", "call", "agent", "user", "dtmf"),
    write=("call", "agent", "originate", "reporting"),
    events=WANTED_EVENTS,
)
RECORDER = AmiAccount(
    name="full",
    secret="full-secret",  # noqa: S106 - the lab listens on loopback only
    read=EVERY_CLASS,
    write=EVERY_CLASS,
)

ROMASHKA_NAMES = (
    "Анна Смирнова", "Иван Кузнецов", "Мария Попова", "Дмитрий Соколов", "Елена Лебедева", "Сергей Козлов",
    "Ольга Новикова", "Алексей Морозов", "Наталья Петрова", "Павел Волков", "Татьяна Соловьёва", "Андрей Васильев",
    "Юлия Зайцева", "Максим Павлов", "Ирина Семёнова", "Никита Голубев", "Светлана Виноградова", "Роман Богданов",
    "Екатерина Воробьёва", "Артём Фёдоров", "Ксения Михайлова", "Илья Беляев", "Полина Тарасова", "Глеб Белов",
)  # fmt: skip
VEKTOR_NAMES = (
    "Виктор Орлов", "Алина Макарова", "Степан Захаров", "Вера Борисова", "Тимур Яковлев", "Лидия Григорьева",
)  # fmt: skip


def managers(
    slug: str, titles: tuple[str, ...], phones_port: int, registering: tuple[str, ...]
) -> tuple[ManagerPlan, ...]:
    """Extensions count from 101; those in ``registering`` have a phone that registers, the rest a fixed contact."""
    return tuple(
        ManagerPlan(
            name=extension,
            title=title,
            extension=extension,
            secret=f"{slug}-{extension}-secret",
            contact="" if extension in registering else f"sip:{slug}_{extension}@127.0.0.1:{phones_port}",
        )
        for extension, title in ((str(101 + n), title) for n, title in enumerate(titles))
    )


def span(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(n) for n in range(first, last + 1))


def romashka(phones_port: int) -> CompanyPlan:
    """Sales in turn, support ringing all at once, VIP through Local channels; 101 sits in two queues."""
    return CompanyPlan(
        slug="romashka",
        title="ООО «Ромашка»",
        managers=managers("romashka", ROMASHKA_NAMES, phones_port, registering=("123", "124")),
        queues=(
            QueuePlan("sales", "Продажи", "601", span(101, 112), max_wait=90),
            QueuePlan("support", "Поддержка", "602", span(113, 120), strategy="ringall", max_wait=120),
            QueuePlan("vip", "VIP", "603", ("101", *span(121, 124)), via_local=True, max_wait=60),
        ),
        ivrs=(IvrPlan("main", keys=(("1", "sales"), ("2", "support")), otherwise="support"),),
        lines=(
            LinePlan("74951230001", "Продажи", "sales"),
            LinePlan("74951230002", "Поддержка", "support"),
            LinePlan("74951230003", "Главный номер", "main", "ivr"),
            LinePlan("88001230000", "VIP 8-800", "vip"),
            LinePlan("74951230101", "Прямой Анны", "101", "manager"),
        ),
    )


def vektor(phones_port: int) -> CompanyPlan:
    return CompanyPlan(
        slug="vektor",
        title="Вектор",
        managers=managers("vektor", VEKTOR_NAMES, phones_port, registering=("106",)),
        queues=(QueuePlan("main", "Главная", "601", span(101, 106), strategy="leastrecent"),),
        lines=(LinePlan("78123330001", "Главный номер", "main"),),
    )


def plan(*, phones_port: int) -> PbxPlan:
    """``phones_port``: the UDP port on loopback where the phones with fixed contacts listen."""
    return PbxPlan(companies=(romashka(phones_port), vektor(phones_port)), accounts=(PORTAL, RECORDER))

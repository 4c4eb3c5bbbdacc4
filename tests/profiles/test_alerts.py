"""Alerts: one for one trouble, never a false one, told to whom they concern and to nobody else."""

from __future__ import annotations

from datetime import time as clock

import pytest
from django.core import mail
from django.test import Client

from monitoring.models import Alert, AlertLetter, AlertRule, AlertWatch, AuditEntry, Norm
from monitoring.models.norms import NormScope
from monitoring.selectors import alerts as selector
from monitoring.services import alert_letters, alerts, norms, profiles
from monitoring.services.errors import NotThere, Refused
from monitoring.services.profiles import View
from tenants.people.models import User
from tenants.scope import company_scope
from tests.profiles.board import NOW, tell
from tests.profiles.conftest import House, fresh

pytestmark = pytest.mark.django_db


def look(house: House, at: float) -> list[str]:
    with company_scope(house.slug):
        return [f"{news.what} {news.alert.metric} {news.alert.level}" for news in alerts.look(at)]


def troubled(url: str, house: House, waiting: int = 7) -> Alert:
    tell(url, house, waiting=waiting)
    look(house, NOW)
    with company_scope(house.slug):
        return Alert.objects.get(metric="waiting", ended=None)


def browser(house: House, role: str) -> Client:
    client = Client(headers={"host": f"{house.slug}.localhost"})
    with company_scope(house.slug):
        client.force_login(fresh(house.person(role)), backend="tenants.people.backend.EmailBackend")
    return client


def test_a_trouble_is_one_alert_from_its_first_moment_to_its_last(redis_url: str, house: House) -> None:
    tell(redis_url, house, waiting=3)
    assert look(house, NOW) == ["began waiting warn"]
    tell(redis_url, house, waiting=7)
    assert look(house, NOW + 15) == ["worse waiting alarm"]
    for step, waiting in enumerate((2, 7, 2, 6, 1)):
        tell(redis_url, house, waiting=waiting, now=NOW + 30 + step * 15)
        assert look(house, NOW + 30 + step * 15) == [], "a value that flickers is the same trouble"
    tell(redis_url, house, waiting=0)
    assert look(house, NOW + 150) == []
    assert look(house, NOW + 211) == ["ended waiting good"]
    with company_scope("alpha"):
        alert = Alert.objects.get(metric="waiting")
        assert (alert.worst_level, alert.worst, alert.limit) == ("alarm", 7, 6)
        assert alert.scope_title == "Продажи"
        assert alert.groups == [house.staff.sales.pk]
        assert [value for _at, value in alert.points][:3] == [3, 7, 2]
        assert alert.ended is not None


def test_without_a_connection_nothing_is_judged_and_nothing_ends(redis_url: str, house: House) -> None:
    troubled(redis_url, house)
    for fault in ({"state": "stale"}, {"state": "down"}, {"heard": False, "state": "orphaned"}):
        tell(redis_url, house, waiting=0, **fault)
        assert look(house, NOW + 600) == []
        with company_scope("alpha"):
            assert Alert.objects.filter(ended=None).count() == 1
            assert AlertWatch.objects.get().blind_since is not None
            assert selector.watching().blind
    page = browser(house, "admin").get("/alerts/").text
    assert "Нормы не проверяются с" in page
    assert "события АТС никто не собирает" in page


def test_a_blind_pbx_makes_no_alert(redis_url: str, house: House) -> None:
    tell(redis_url, house, waiting=50, state="stale")
    assert look(house, NOW) == []
    with company_scope("alpha"):
        assert not Alert.objects.exists()


def test_of_fewer_than_ten_calls_no_share_is_a_trouble(redis_url: str, house: House) -> None:
    few = {"offered": 9, "answered": 1, "answered_within": 0, "abandoned": 4}
    tell(redis_url, house, today=few)
    assert look(house, NOW) == []
    tell(redis_url, house, today={**few, "offered": 14, "answered": 10})
    assert sorted(look(house, NOW)) == ["began abandonment alarm", "began service_level alarm"]


def test_the_usual_norms_do_not_cry_at_night_that_nobody_is_free(redis_url: str, house: House) -> None:
    tell(redis_url, house)
    assert look(house, NOW) == []
    with company_scope("alpha"):
        Norm.objects.create(metric="free", warning=3, alarm=2)
    assert look(house, NOW + 15) == ["began free alarm", "began free alarm"], "of each of the two groups"


def test_a_queues_own_norm_is_judged_at_the_queue_and_nowhere_else(redis_url: str, house: House) -> None:
    with company_scope("alpha"):
        norms.save(
            actor=fresh(house.staff.admin), norms={"waiting": (1, None)}, scope=NormScope.QUEUE,
            number=house.staff.queue.pk,
        )  # fmt: skip
    tell(redis_url, house, waiting=1)
    assert look(house, NOW) == ["began waiting warn"]
    with company_scope("alpha"):
        assert Alert.objects.get().scope == "queue"
        norms.save(
            actor=fresh(house.staff.admin), norms={"waiting": (None, None)}, scope=NormScope.QUEUE,
            number=house.staff.queue.pk,
        )  # fmt: skip
    assert look(house, NOW + 15) == ["ended waiting good"], "its norm is no more"


def test_a_profiles_norm_is_judged_over_what_its_maker_sees_while_it_is_on(
    redis_url: str, house: House
) -> None:
    with company_scope("alpha"):
        maker = fresh(house.staff.supervisor)
        norms.save(actor=maker, norms={"waiting": (2, None)}, scope=NormScope.PROFILE, number=house.mine.pk)
        theirs = profiles.make(actor=fresh(house.other), view=View(title="Чужой", tiles=("waiting",)))
        norms.save(
            actor=fresh(house.other), norms={"waiting": (1, None)}, scope=NormScope.PROFILE, number=theirs.pk
        )
    tell(redis_url, house, waiting=2)
    assert look(house, NOW) == ["began waiting warn"]
    with company_scope("alpha"):
        alert = Alert.objects.get()
        assert (alert.scope, alert.scope_id, alert.groups) == (
            "profile",
            house.mine.pk,
            [house.staff.sales.pk],
        )
        house.mine.people.add(house.other)
        seen = {role for role in ("admin", "maker", "other", "manager")
                if selector.seen_by(fresh(house.person(role))).exists()}  # fmt: skip
        assert seen == {"admin", "maker"}, "sharing a profile shows nobody figures of groups they do not head"
        profiles.switch(actor=maker, profile=house.mine, on=False)
    assert look(house, NOW + 15) == ["ended waiting good"]


@pytest.mark.parametrize(
    ("role", "may"), [("admin", True), ("maker", True), ("other", False), ("manager", False)]
)
def test_an_alert_is_seen_and_taken_by_whom_it_concerns(
    redis_url: str, house: House, beta_house: House, role: str, may: bool
) -> None:
    alert = troubled(redis_url, house)
    client = browser(house, role)
    assert client.get("/alerts/").status_code == (403 if role == "manager" else 200)
    if role != "manager":
        assert (f'data-alert="{alert.pk}"' in client.get("/alerts/").text) == may
        assert ("badge" in client.get("/alerts/bell/").text) == may
    for verb in ("seen", "take"):
        answer = client.post(f"/alerts/{alert.pk}/{verb}/")
        assert answer.status_code == (302 if may else 403 if role == "manager" else 404)
    stranger = browser(beta_house, role).post(f"/alerts/{alert.pk}/take/")
    assert stranger.status_code == (403 if role == "manager" else 404)
    with company_scope("alpha"):
        alert.refresh_from_db()
        who = house.person(role) if may else None
        assert (alert.owner, alert.seen_by) == (who, who)
        with pytest.raises(Refused):
            alerts.take(actor=fresh(house.manager), alert=alert)
        assert AuditEntry.objects.filter(kind="alert", outcome="refused").count() == 1


def test_one_rule_says_whose_an_alert_is_asked_one_by_one_or_all_at_once(
    redis_url: str, house: House
) -> None:
    troubled(redis_url, house)
    with company_scope("alpha"):
        for groups in ([], [house.staff.sales.pk], [house.staff.support.pk, house.staff.sales.pk]):
            for scope, number in (
                ("company", 0),
                ("queue", house.staff.queue.pk),
                ("profile", house.mine.pk),
            ):
                Alert.objects.create(
                    metric=f"{scope}{len(groups)}", scope=scope, scope_id=number, groups=groups, level="warn",
                    worst_level="warn", began="2026-01-01T00:00Z",
                )  # fmt: skip
        for role in ("maker", "other"):
            person = fresh(house.person(role))
            at_once = set(selector.seen_by(person).values_list("pk", flat=True))
            assert at_once == {alert.pk for alert in Alert.objects.all() if alert.is_headed_by(person)}, role


def test_what_is_over_is_not_taken(redis_url: str, house: House) -> None:
    alert = troubled(redis_url, house)
    with company_scope("alpha"):
        Alert.objects.update(ended=alert.began)
        with pytest.raises(NotThere):
            alerts.take(actor=fresh(house.staff.admin), alert=alert)


def test_who_listens_at_the_door_hears_each_change_once(
    redis_url: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(alerts, "told", [lambda news: heard.append(f"{news.what} {news.alert.metric}")])
    tell(redis_url, house, waiting=7)
    look(house, NOW)
    look(house, NOW + 15)
    tell(redis_url, house)
    look(house, NOW + 30)
    look(house, NOW + 91)
    look(house, NOW + 152)
    assert heard == ["began waiting", "ended waiting"]


# ---------------------------------------------------------------- letters


def wants(user: User, letters: str = "warn", *quiet: clock) -> None:
    AlertRule.objects.create(
        user=user, letters=letters, quiet_from=quiet[0] if quiet else None,
        quiet_until=quiet[1] if quiet else None,
    )  # fmt: skip


def test_a_letter_goes_once_for_each_level_in_the_readers_language(redis_url: str, house: House) -> None:
    with company_scope("alpha"):
        User.objects.filter(pk=house.staff.admin.pk).update(language="en")
        for role in ("admin", "maker", "other", "manager"):
            wants(house.person(role))
    troubled(redis_url, house, waiting=3)
    with company_scope("alpha"):
        assert alert_letters.write() == 2, "the other supervisor and the manager see no such alert"
        assert alert_letters.write() == 0
    english, russian = sorted((letter.subject, letter.to[0]) for letter in mail.outbox)
    assert english == ("Warning: Waiting — Продажи", "admin@alpha.example")
    assert russian == ("Предупреждение: Ждут — Продажи", "head@alpha.example")
    assert "http://alpha.localhost/alerts/" in str(mail.outbox[0].body)
    tell(redis_url, house, waiting=7)
    look(house, NOW + 15)
    with company_scope("alpha"):
        assert alert_letters.write() == 2
        assert alert_letters.write() == 0


def test_who_wants_alarms_only_gets_no_warning_and_quiet_hours_put_letters_off(
    redis_url: str, house: House
) -> None:
    with company_scope("alpha"):
        wants(house.staff.admin, "alarm")
        wants(house.staff.supervisor, "warn", clock(0), clock(23, 59, 59))
    alert = troubled(redis_url, house, waiting=3)
    with company_scope("alpha"):
        assert alert_letters.write(alert.began) == 0
        AlertRule.objects.filter(user=house.staff.supervisor).update(quiet_from=None)
        assert alert_letters.write(alert.began) == 1


def test_forty_alerts_of_one_minute_are_one_letter(redis_url: str, house: House) -> None:
    with company_scope("alpha"):
        wants(house.staff.admin)
        for number in range(40):
            Alert.objects.create(
                metric="waiting", scope="queue", scope_id=number + 1, scope_title=f"Очередь {number}",
                level="alarm", worst_level="alarm", began="2026-01-01T00:00Z",
            )  # fmt: skip
        assert alert_letters.write() == 1
        assert AlertLetter.objects.count() == 40
    assert mail.outbox[0].subject == "40 оповещений"


def test_a_letter_that_could_not_go_is_written_again(
    redis_url: str, house: House, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise ConnectionRefusedError

    with company_scope("alpha"):
        wants(house.staff.admin)
    troubled(redis_url, house)
    with company_scope("alpha"):
        with monkeypatch.context() as patch:
            patch.setattr(alert_letters, "send_mail", broken)
            assert alert_letters.write() == 0
        assert alert_letters.write() == 1


def test_people_set_their_own_letters_and_say_both_ends_of_the_quiet(house: House) -> None:
    client = browser(house, "maker")
    assert client.post("/alerts/letters/", {"letters": "warn", "quiet_from": "22:00"}).status_code == 422
    with company_scope("alpha"):
        assert not AlertRule.objects.exists()
    whole = {"letters": "alarm", "quiet_from": "22:00", "quiet_until": "07:00"}
    assert client.post("/alerts/letters/", whole).status_code == 302
    assert browser(house, "manager").post("/alerts/letters/", whole).status_code == 403
    with company_scope("alpha"):
        rule = AlertRule.objects.get()
        assert (rule.user, rule.letters, rule.quiet_from) == (house.staff.supervisor, "alarm", clock(22))
    with company_scope("beta"):
        assert not AlertRule.objects.exists()


@pytest.mark.parametrize(
    ("quiet", "at", "is_quiet"),
    [
        ((clock(22), clock(7)), clock(23), True), ((clock(22), clock(7)), clock(6, 59), True),
        ((clock(22), clock(7)), clock(7), False), ((clock(22), clock(7)), clock(12), False),
        ((clock(13), clock(14)), clock(13), True), ((clock(13), clock(14)), clock(14), False),
        ((None, None), clock(3), False),
    ],
)  # fmt: skip
def test_quiet_hours_may_run_over_midnight(
    quiet: tuple[clock | None, clock | None], at: clock, is_quiet: bool
) -> None:
    rule = AlertRule(quiet_from=quiet[0], quiet_until=quiet[1])
    assert alert_letters._is_quiet(rule, at) is is_quiet

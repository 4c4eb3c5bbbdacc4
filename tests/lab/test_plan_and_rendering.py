"""A plan becomes Asterisk's configuration, and nothing in it can become more than it says."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ccenter.lab import sample
from ccenter.lab.plan import CompanyPlan, LinePlan, ManagerPlan, PbxPlan, PlanError, QueuePlan, spoken
from ccenter.lab.ports import Ports
from ccenter.lab.render import configuration
from monitoring.pbx.normalise import TABLE

PORTS = Ports(ami=5038, sip=5060, http=8088, rtp_first=10000, rtp_last=10599, phones=5070, city=5080)


def rendered(plan: PbxPlan | None = None) -> dict[str, str]:
    return configuration(
        plan or sample.plan(phones_port=5070), ports=PORTS, base="/lab/x", modules="/usr/lib/m"
    )


def section(text: str, name: str) -> str:
    return text.partition(f"\n[{name}]\n")[2].partition("\n[")[0]


def with_title(title: str) -> PbxPlan:
    plan = sample.plan(phones_port=5070)
    romashka, vektor = plan.companies
    anna = replace(romashka.managers[0], title=title)
    return replace(plan, companies=(replace(romashka, managers=(anna, *romashka.managers[1:])), vektor))


@pytest.mark.parametrize(
    "title",
    [
        'Анна"\n[evil]\ntype = endpoint',
        "Анна ; comment",
        "${SHELL(id)}",
        "a\r\nsecret = known",
        "x\u202egnp",
        "<sip:evil@example.com>",
        "А" * 10_000,
    ],
)
def test_a_hostile_title_stays_a_title(title: str) -> None:
    plain, hostile = rendered(with_title("Анна")), rendered(with_title(title))
    for name, text in hostile.items():
        assert text.count("\n") == plain[name].count("\n"), name
        assert "SHELL" not in text or "${SHELL" not in text
    line = next(x for x in section(hostile["pjsip.conf"], "romashka_101").splitlines() if "callerid" in x)
    assert line.count('"') == 2
    assert line.endswith(" <101>")
    assert len(line) < 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: ManagerPlan("101;", "x", "101", "secret"),
        lambda: ManagerPlan("101", "x", "1 01", "secret"),
        lambda: ManagerPlan("101", "x", "101", "sec\nret"),
        lambda: ManagerPlan("101", "x", "101", "secret", contact="sip:a@b;x=y"),
        lambda: LinePlan("7495,1", "x", "sales"),
        lambda: QueuePlan("sales]", "x", "601", ()),
        lambda: QueuePlan("sales", "x", "601", ("a)(b",)),
        lambda: CompanyPlan("Romashka", "x", (), (), ()),
        lambda: CompanyPlan("ro_mashka", "x", (), (), ()),
        lambda: CompanyPlan("a", "x", (), (), ()),
        lambda: CompanyPlan("abc", "x", (), (QueuePlan("q", "x", "6", ("101",)),), ()),
        lambda: CompanyPlan("abc", "x", (), (), (LinePlan("7495", "x", "nowhere"),)),
        lambda: PbxPlan((CompanyPlan("abc", "x", (), (), ()), CompanyPlan("abc", "y", (), (), ()))),
    ],
)
def test_a_name_the_pbx_cannot_bear_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(PlanError):
        make()


def test_a_line_belongs_to_one_company_only() -> None:
    plan = sample.plan(phones_port=5070)
    romashka, vektor = plan.companies
    stolen = replace(vektor, lines=(replace(vektor.lines[0], number=romashka.lines[0].number),))
    with pytest.raises(PlanError, match="two companies"):
        PbxPlan((romashka, stolen))


def test_a_plan_survives_being_written_and_read() -> None:
    plan = sample.plan(phones_port=5070)
    assert PbxPlan.from_json(plan.to_json()) == plan
    with pytest.raises(PlanError):
        PbxPlan.from_json('{"companies": [{"slug": "a b"}]}')
    with pytest.raises(PlanError):
        PbxPlan.from_json("[]")


def test_the_company_is_stamped_before_anything_else_happens() -> None:
    text = rendered()["extensions.conf"]
    trunk = section(text, "from-trunk")
    for company in sample.plan(phones_port=5070).companies:
        for line in company.lines:
            assert f"exten => {line.number},1,Set(CHANNEL(tenantid)={company.slug})" in trunk


def test_a_number_of_nobody_has_no_extension() -> None:
    trunk = section(rendered()["extensions.conf"], "from-trunk")
    assert "exten => _" not in trunk


def test_a_guarded_trunk_does_not_believe_the_from_header() -> None:
    guarded = rendered()
    open_trunk = rendered(replace(sample.plan(phones_port=5070), guarded=False))
    assert "callerid = <unknown>" in guarded["pjsip.conf"]
    assert "FILTER(" in guarded["extensions.conf"]
    assert "callerid = <unknown>" not in open_trunk["pjsip.conf"]
    assert "FILTER(" not in open_trunk["extensions.conf"]


def test_everything_listens_on_loopback() -> None:
    files = rendered()
    for name in ("manager.conf", "http.conf", "pjsip.conf"):
        binds = [line for line in files[name].splitlines() if line.startswith("bind") and "port" not in line]
        assert binds
        assert all("= 127.0.0.1" in line for line in binds)


def test_companies_share_neither_contexts_nor_pickup_groups_nor_parking() -> None:
    files = rendered()
    for company, other in (("romashka", "vektor"), ("vektor", "romashka")):
        phone = section(files["pjsip.conf"], f"{company}_101")
        assert f"context = {company}\n" in phone
        assert f"tenantid = {company}\n" in phone
        assert f"named_pickup_group = {company}\n" in phone
        assert other not in phone
        assert other not in section(files["extensions.conf"], company)
        assert other not in section(
            files["queues.conf"], f"{company}_{'sales' if company == 'romashka' else 'main'}"
        )


def test_the_portals_account_may_neither_run_commands_nor_programs() -> None:
    account = section(rendered()["manager.conf"], "ccenter")
    write = next(line for line in account.splitlines() if line.startswith("write"))
    assert not {"command", "system", "config", "all"} & set(write.partition("= ")[2].split(","))


def test_the_portals_account_hears_exactly_what_the_collector_reads() -> None:
    asked_not_told = {"QueueMember"}  # part of QueueStatus's answer, never an event of its own
    dialplan_class = {"VarSet"}  # a foreign PBX's way; our dialplan marks the exit by UserEvent
    read = {name.decode().removeprefix("Event: ") for name in TABLE}
    assert set(sample.WANTED_EVENTS) == read - asked_not_told - dialplan_class
    account = section(rendered()["manager.conf"], "ccenter")
    assert account.count("eventfilter(action(include),name(") == len(sample.WANTED_EVENTS)


def test_a_title_keeps_what_people_are_called() -> None:
    assert spoken("Семёнова-Тян Ольга") == "Семёнова-Тян Ольга"
    assert spoken("ООО «Ромашка»") == "ООО «Ромашка»"


def test_the_pbx_lets_people_wrap_up_for_as_long_as_their_queue_says() -> None:
    plan = sample.plan(phones_port=5070)
    romashka, vektor = plan.companies
    slow, *others = romashka.queues
    queues = (replace(slow, wrap_up=25), *others)
    text = "\n" + rendered(replace(plan, companies=(replace(romashka, queues=queues), vektor)))["queues.conf"]
    assert "\nwrapuptime = 25\n" in section(text, romashka.queue_key(slow.name))
    for company, queue in [(romashka, each) for each in others] + [(vektor, each) for each in vektor.queues]:
        assert "\nwrapuptime = 0\n" in section(text, company.queue_key(queue.name))


def test_whoever_is_passed_on_gets_a_breath_of_silence_before_the_next_one_speaks() -> None:
    """Without it the recording loses what the second manager says; see the recorder."""
    text = "\n" + rendered()["extensions.conf"]
    for company in sample.plan(phones_port=5070).companies:
        own = section(text, company.slug)
        reached = [m.extension for m in company.managers] + [q.extension for q in company.queues]
        for extension in (*reached, "_[78]XXXXXXXXXX"):
            assert f"exten => {extension},1,Gosub(portal-between,s,1)\n" in own


def sides(folder: Path, said: bytes, heard: bytes) -> tuple[str, Path]:
    """A call's recording when the call ends, and where its program may put it."""
    (folder / "spool/writing/alpha").mkdir(parents=True)
    (folder / "spool/monitor/alpha").mkdir(parents=True)
    name = "alpha/1795251600.1-1795251600.1-1795251600.pair"
    for ending, content in ((".said.sln16", said), (".heard.sln16", heard)):
        file = folder / "spool/writing" / f"{name}{ending}"
        file.write_bytes(content)
        os.utime(file, (1_795_251_700, 1_795_251_700))
    (folder / "recorded.sh").write_text(rendered_at(str(folder))["recorded.sh"])
    return name, folder / "spool/monitor" / name


def rendered_at(base: str) -> dict[str, str]:
    return configuration(sample.plan(phones_port=5070), ports=PORTS, base=base, modules="/usr/lib/m")


def test_a_finished_recording_is_one_file_of_the_last_sounds_time(tmp_path: Path) -> None:
    name, finished = sides(tmp_path, b"what he says", b"what he hear")
    subprocess.run(["sh", tmp_path / "recorded.sh", name], check=True)
    assert finished.read_bytes() == b"what he sayswhat he hear"
    assert finished.stat().st_mtime == 1_795_251_700
    assert list((tmp_path / "spool/writing/alpha").iterdir()) == []


def test_sides_of_different_length_are_left_for_the_portal_to_join(tmp_path: Path) -> None:
    name, finished = sides(tmp_path, b"what he says", b"what")
    assert subprocess.run(["sh", tmp_path / "recorded.sh", name], check=False).returncode == 1
    assert not finished.exists()
    assert len(list((tmp_path / "spool/writing/alpha").iterdir())) == 2


def test_both_sides_of_a_recording_are_written_at_a_rate_no_telephone_has() -> None:
    record = section("\n" + rendered()["extensions.conf"], "portal-record")
    half = "/lab/x/spool/writing/${FILE}"
    assert (
        f"MixMonitor(,r({half}.said.sln16)t({half}.heard.sln16),sh /lab/x/etc/recorded.sh ${{FILE}})"
        in record
    )

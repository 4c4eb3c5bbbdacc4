"""The setting-up pages: what an admin can do there, and that nobody else can do any of it."""

from __future__ import annotations

import pytest
from django.test import Client

from monitoring import bus
from monitoring.domain.commands import Command, ReloadDirectory
from monitoring.models import AuditEntry, Group, Line, Manager, Norm, Queue, Status, Supervisor
from monitoring.services import statuses
from monitoring.views.manage.sections import SECTIONS
from tenants.people.models import Role, User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_manager, make_staff

HTMX = {"HX-Request": "true"}


@pytest.fixture
def staff(db: None) -> Staff:
    make_staff("beta")
    return make_staff("alpha")


@pytest.fixture
def admin(alpha_client: Client, staff: Staff) -> Client:
    return signed_in(alpha_client, staff.admin)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Command]]:
    said: list[tuple[str, Command]] = []

    def note(pbx: str, command: Command, **_: object) -> str:
        said.append((pbx, command))
        return "id"

    monkeypatch.setattr(bus, "send_command", note)
    return said


def signed_in(client: Client, user: User | None) -> Client:
    assert user is not None
    with company_scope("alpha"):
        client.force_login(user, backend="tenants.people.backend.EmailBackend")
    return client


def census(slug: str) -> dict[str, list[object]]:
    """Everything the pages can change in a company."""
    with company_scope(slug):
        return {
            model.__name__: list(model.objects.order_by("pk").values())
            for model in (User, Group, Manager, Queue, Line, Status, Supervisor, Norm)
        }


def person(**details: object) -> dict[str, object]:
    return {"name": "Вера", "email": "vera@alpha.example", "role": "manager", "extension": "150", **details}


# ---------------------------------------------------------------- lists


@pytest.mark.parametrize("section", SECTIONS)
def test_every_list_and_form_opens(admin: Client, section: str) -> None:
    for address in (f"/manage/{section}/", f"/manage/{section}/?archived=1", f"/manage/{section}/new/"):
        page = admin.get(address)
        assert page.status_code == 200
        assert "style=" not in page.text, "the content security policy refuses inline styles"
    assert admin.get("/manage/").url == "/manage/people/"  # type: ignore[attr-defined] # it is a redirect


def test_search_finds_by_every_word_and_shows_only_matches(admin: Client) -> None:
    page = admin.get("/manage/people/?q=анна 101", headers=HTMX | {"HX-Target": "rows"})
    assert "m101@alpha.example" in page.text
    assert "m102@alpha.example" not in page.text
    assert "<html" not in page.text
    assert "ничего не нашлось" in admin.get("/manage/people/?q=неттакого").text


def test_a_long_list_comes_in_pages_with_few_queries(
    admin: Client, staff: Staff, django_assert_max_num_queries: object
) -> None:
    with company_scope("alpha"):
        for number in range(60):
            make_manager(staff.pbx, str(200 + number), f"Менеджер {number}", staff.sales)
    with django_assert_max_num_queries(20):  # type: ignore[operator] # pytest-django's fixture
        page = admin.get("/manage/people/?page=2")
    assert "51–64" in page.text


def test_an_empty_section_says_what_to_do(admin: Client) -> None:
    assert "/manage/lines/new/" in admin.get("/manage/lines/").text


# ---------------------------------------------------------------- people


def test_a_new_manager_can_be_called_and_chooses_a_password(
    admin: Client, staff: Staff, sent: list[tuple[str, Command]], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator] # pytest-django's fixture
        answer = admin.post("/manage/people/new/", person(groups=[staff.sales.pk]))
    assert answer.status_code == 302
    with company_scope("alpha"):
        made = Manager.objects.get(pbx_name="alpha_150")
        assert (made.title, made.interfaces, made.pbx_id) == ("Вера", ["PJSIP/alpha_150"], staff.pbx.pk)
        assert list(made.groups.all()) == [staff.sales]
        assert made.user is not None
        assert not made.user.has_usable_password()
        assert AuditEntry.objects.get().verb == "people.edit"
    assert sent == [(str(staff.pbx.pk), ReloadDirectory(company="alpha"))]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"extension": ""}, "extension"), ({"extension": "101"}, "extension"), ({"extension": "801"}, "extension"),
        ({"extension": "1\r\nAction: x"}, "extension"), ({"extension": "12345678"}, "extension"),
        ({"email": "m101@alpha.example"}, "email"), ({"email": "nothing"}, "email"), ({"name": ""}, "name"),
        ({"name": "Вера\u202eарев"}, "name"), ({"role": "staff"}, "role"), ({"role": "god"}, "role"),
        ({"groups": ["999999"]}, "groups"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field(
    admin: Client, details: dict[str, object], field: str
) -> None:
    before = census("alpha")
    page = admin.post("/manage/people/new/", person(**details))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert census("alpha") == before


def test_another_role_moves_the_person(admin: Client, staff: Staff) -> None:
    assert staff.anna.user is not None
    groups = [staff.sales.pk, staff.support.pk]
    admin.post(
        f"/manage/people/{staff.anna.user.pk}/", person(role="supervisor", extension="", groups=groups)
    )
    with company_scope("alpha"):
        moved = User.objects.get(pk=staff.anna.user.pk)
        assert moved.role == Role.SUPERVISOR
        assert moved.session_version > staff.anna.user.session_version
        assert set(Supervisor.objects.get(user=moved).groups.all()) == {staff.sales, staff.support}
        assert Manager.objects.get(pk=staff.anna.pk).archived_at is not None


def test_archiving_a_person_signs_them_out_and_frees_the_extension(admin: Client, staff: Staff) -> None:
    assert staff.anna.user is not None
    admin.post(f"/manage/people/{staff.anna.user.pk}/archive/")
    with company_scope("alpha"):
        assert not User.objects.get(pk=staff.anna.user.pk).is_active
        assert not Manager.objects.live().filter(pbx_name="alpha_101").exists()
    assert admin.post("/manage/people/new/", person(extension="101")).status_code == 302
    refused = admin.post(f"/manage/people/{staff.anna.user.pk}/restore/", headers=HTMX)
    assert "set-up-refused" in refused.text
    with company_scope("alpha"):
        assert not User.objects.get(pk=staff.anna.user.pk).is_active
        assert Manager.objects.live().get(pbx_name="alpha_101").title == "Вера"


def test_an_archived_person_is_brought_back_with_undo(admin: Client, staff: Staff) -> None:
    assert staff.anna.user is not None
    before = census("alpha")["Manager"]
    gone = admin.post(f"/manage/people/{staff.anna.user.pk}/archive/", headers=HTMX)
    assert f"/manage/people/{staff.anna.user.pk}/restore/" in gone.text
    admin.post(f"/manage/people/{staff.anna.user.pk}/restore/", headers=HTMX)
    assert census("alpha")["Manager"] == before
    with company_scope("alpha"):
        assert User.objects.get(pk=staff.anna.user.pk).is_active


def test_the_only_admin_stays(admin: Client, staff: Staff) -> None:
    before = census("alpha")
    own = staff.admin.pk
    admin.post(f"/manage/people/{own}/archive/")
    page = admin.post(f"/manage/people/{own}/", person(email="admin@alpha.example"))
    assert page.status_code == 422
    assert census("alpha") == before


# ---------------------------------------------------------------- queues, lines, groups, statuses


def queue(**details: object) -> dict[str, object]:
    return {
        "title": "Поддержка", "name": "support", "extension": "802", "strategy": "rrmemory", "ring_for": 15,
        "max_wait": 60, "wrap_up": 0, "exit_key": "0", "answer_within": 20, "short_abandon": 5, **details,
    }  # fmt: skip


def test_a_new_queue_gets_its_name_on_the_pbx(admin: Client, staff: Staff) -> None:
    assert admin.post("/manage/queues/new/", queue(groups=[staff.support.pk])).status_code == 302
    with company_scope("alpha"):
        made = Queue.objects.get(name="support")
        assert (made.pbx_name, made.pbx_id) == ("alpha_support", staff.pbx.pk)
        assert list(made.members()) == [staff.boris]
    with company_scope("beta"):
        assert not Queue.objects.filter(name="support").exists()


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"name": "Поддержка"}, "name"), ({"name": "sales"}, "name"), ({"extension": "101"}, "extension"),
        ({"extension": "801"}, "extension"), ({"exit_key": "#"}, "exit_key"), ({"answer_within": 0}, "answer_within"),
        ({"title": "a\nb"}, "title"),
    ],
)  # fmt: skip
def test_an_impossible_queue_is_refused(admin: Client, details: dict[str, object], field: str) -> None:
    before = census("alpha")
    page = admin.post("/manage/queues/new/", queue(**details))
    assert field in page.context["form"].errors
    assert census("alpha") == before


def test_a_queues_name_on_the_pbx_never_changes(admin: Client, staff: Staff) -> None:
    admin.post(f"/manage/queues/{staff.queue.pk}/", queue(name="other", extension="801", title="Новое имя"))
    with company_scope("alpha"):
        kept = Queue.objects.get(pk=staff.queue.pk)
    assert (kept.title, kept.name, kept.pbx_name) == ("Новое имя", "sales", "alpha_sales")


def test_a_line_leads_to_one_place(admin: Client, staff: Staff) -> None:
    line = {"number": "74951234567", "title": "Главный", "kind": "virtual", "trunk": "trunk"}
    for both in ({}, {"queue": staff.queue.pk, "manager": staff.anna.pk}):
        assert "queue" in admin.post("/manage/lines/new/", line | both).context["form"].errors
    assert admin.post("/manage/lines/new/", line | {"queue": staff.queue.pk}).status_code == 302
    refused = admin.post(f"/manage/queues/{staff.queue.pk}/archive/", headers=HTMX)
    assert "74951234567" in refused.text
    with company_scope("alpha"):
        assert Queue.objects.get(pk=staff.queue.pk).archived_at is None


def test_a_group_gets_its_people(admin: Client, staff: Staff) -> None:
    with company_scope("alpha"):
        head = Supervisor.objects.get()
    group = {"title": "VIP", "managers": [staff.anna.pk, staff.boris.pk], "supervisors": [head.pk]}
    assert admin.post("/manage/groups/new/", group).status_code == 302
    with company_scope("alpha"):
        made = Group.objects.get(title="VIP")
        assert (made.managers.count(), made.supervisors.get()) == (2, head)
    assert "title" in admin.post("/manage/groups/new/", {"title": "VIP"}).context["form"].errors


def test_a_status_somebody_is_in_stays(admin: Client, staff: Staff) -> None:
    with company_scope("alpha"):
        lunch, available = Status.objects.get(label="Обед"), Status.objects.get(label="Доступен")
        statuses.declare(actor=staff.admin, manager=staff.anna, status_id=lunch.pk)
    for row in (lunch, available):
        admin.post(f"/manage/statuses/{row.pk}/archive/")
    with company_scope("alpha"):
        assert Status.objects.live().filter(pk__in=[lunch.pk, available.pk]).count() == 2


def test_a_refused_form_keeps_what_was_typed(admin: Client) -> None:
    page = admin.post(
        "/manage/statuses/new/", {"label": "Обед", "kind": "break", "colour": "blue", "position": 5},
        headers=HTMX | {"HX-Target": "form"},
    )  # fmt: skip
    assert page.status_code == 200
    assert 'value="Обед"' in page.text
    assert "is-invalid" in page.text
    assert "<html" not in page.text


def test_norms_are_typed_in_per_cent_and_kept_in_shares(admin: Client, staff: Staff) -> None:
    shown = admin.get("/manage/norms/").context["form"]
    typed = {name: field.initial for name, field in shown.fields.items() if field.initial is not None}
    assert admin.post("/manage/norms/", typed | {"warning_service_level": 90}).status_code == 302
    with company_scope("alpha"):
        norm = Norm.objects.get()
        assert (norm.metric, norm.warning, norm.alarm) == ("service_level", 0.9, 0.6)
    refused = admin.post("/manage/norms/", typed | {"warning_waiting": 9, "alarm_waiting": 3})
    assert refused.status_code == 422
    with company_scope("alpha"):
        assert Norm.objects.count() == 1
    with company_scope("beta"):
        assert not Norm.objects.exists()


def test_the_audit_shows_what_was_done(admin: Client, staff: Staff) -> None:
    admin.post(f"/manage/groups/{staff.sales.pk}/", {"title": "Отдел <b>продаж</b>"})
    page = admin.get("/manage/audit/?q=продаж").text
    assert "изменены группы" in page
    assert "<b>" not in page


# ---------------------------------------------------------------- who may


def addresses(staff: Staff) -> list[tuple[str, str]]:
    rows = {
        "people": staff.admin.pk,
        "groups": staff.sales.pk,
        "queues": staff.queue.pk,
        "statuses": 1,
        "marks": 1,
        "lines": 1,
    }
    found = [
        ("get", "/manage/"),
        ("get", "/manage/norms/"),
        ("post", "/manage/norms/"),
        ("get", "/manage/audit/"),
    ]
    for section, pk in rows.items():
        found += [("get", f"/manage/{section}/"), ("get", f"/manage/{section}/new/")]
        found += [("post", f"/manage/{section}/new/"), ("get", f"/manage/{section}/{pk}/")]
        found += [("post", f"/manage/{section}/{pk}/{end}") for end in ("", "archive/", "restore/")]
    return found


@pytest.mark.parametrize("role", ["supervisor", "manager"])
def test_nobody_but_the_admin_may_set_up_anything(alpha_client: Client, staff: Staff, role: str) -> None:
    signed_in(alpha_client, staff.supervisor if role == "supervisor" else staff.anna.user)
    before = census("alpha")
    for method, address in addresses(staff):
        answer = getattr(alpha_client, method)(address, person())
        assert answer.status_code == 403, address
        assert "Борис" not in answer.text
    assert census("alpha") == before


def test_an_admin_changes_nothing_at_another_companys_host(admin: Client, staff: Staff) -> None:
    before = census("beta")
    for method, address in addresses(staff):
        answer = getattr(admin, method)(address, person(), headers={"host": "beta.localhost"})
        assert answer.status_code in (302, 403, 404)
        assert "@beta.example" not in answer.text
    assert census("beta") == before


def test_what_is_not_there_is_404(admin: Client) -> None:
    for address in ("/manage/nothing/", "/manage/people/999999/", "/manage/queues/999999/"):
        assert admin.get(address).status_code == 404

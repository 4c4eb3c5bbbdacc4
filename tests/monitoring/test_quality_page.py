"""The data-quality log: who may see it, what it says of each window, and whose calls it names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models.calls import Call
from monitoring.models.quality import BlindWindow, Correction
from tenants.models import Company
from tenants.people.models import User
from tenants.scope import company_scope
from tests.factories.staff import Staff, make_staff

pytestmark = pytest.mark.django_db

PATH = "/quality/"
State = BlindWindow.State


@pytest.fixture
def alphas(alpha: Company) -> Staff:
    return make_staff("alpha")


@pytest.fixture
def betas(beta: Company) -> Staff:
    return make_staff("beta")


def page(client: Client, company: str, user: User, path: str = PATH) -> str:
    with company_scope(company):
        client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def window(staff: Staff, **fields: object) -> BlindWindow:
    now = timezone.now()
    values = {
        "pbx": str(staff.pbx.pk), "began": now - timedelta(minutes=9), "ended": now - timedelta(minutes=8),
        "cause": "lost", "state": State.RECONCILED, **fields,
    }  # fmt: skip
    return BlindWindow.objects.create(**values)


def corrected(of: BlindWindow, number: str, groups: list[int], **changes: list[object]) -> Correction:
    call = Call.objects.create(
        key=f"{of.pbx}:{number}", pbx=of.pbx, direction="in", number=number, name="", line="", started=of.began,
        disposition="answered", hung_up_by="", revision=1.0, groups=groups,
    )  # fmt: skip
    kind = Correction.Kind.CORRECTED if changes else Correction.Kind.ADDED
    return Correction.objects.create(window=of, call=call, kind=kind, changes=changes)


def test_while_nothing_was_missed_the_page_says_so(alphas: Staff, alpha_client: Client) -> None:
    assert reverse("monitoring:quality_log", urlconf="ccenter.urls_company") == PATH
    assert "Ничего не упущено" in page(alpha_client, "alpha", alphas.admin)


def test_a_window_says_when_why_and_what_was_put_right(alphas: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        filled = window(alphas, found=7, added=1, corrected=1)
        corrected(
            filled,
            "79160000001",
            [alphas.sales.pk],
            talk=[12.0, 47.4],
            disposition=["interrupted", "answered"],
        )
        added = corrected(filled, "79160000002", [alphas.sales.pk])
    text = page(alpha_client, "alpha", alphas.admin)
    for said in ("соединение с АТС оборвалось", "восполнено", "в нём 7 вызовов", "разговор 0:12 → 0:47", "79160000002",
                 f"/calls/{added.call_id}/"):  # fmt: skip
        assert said in text
    assert "79160000001" in text


@pytest.mark.parametrize(
    ("state", "details", "said"),
    [
        (State.WAITING, {}, "восполняется"),
        (State.UNFILLED, {"reason": "external"}, "собственная АТС не ведёт"),
        (State.UNFILLED, {"reason": "no_records"}, "не записала журнал"),
        (State.UNFILLED, {"reason": "incomplete"}, "тоже пропуск"),
        (State.UNFILLED, {"reason": "gone"}, "отключена в настройках"),
    ],
)
def test_what_is_not_filled_says_why(
    alphas: Staff, alpha_client: Client, state: BlindWindow.State, details: dict[str, str], said: str
) -> None:
    with company_scope("alpha"):
        window(alphas, state=state, details=details)
    assert said in page(alpha_client, "alpha", alphas.admin)


def test_a_window_that_lasts_has_no_end_yet(alphas: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        window(alphas, ended=None, state=State.OPEN, cause="unwatched")
    text = page(alpha_client, "alpha", alphas.admin)
    assert "до сих пор" in text
    assert "служба, которая слушает АТС, не работала" in text


def test_a_supervisor_is_shown_the_calls_of_own_groups_only(alphas: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        filled = window(alphas, found=2, added=2)
        corrected(filled, "79160000001", [alphas.sales.pk])
        corrected(filled, "79160000002", [alphas.support.pk])
    text = page(alpha_client, "alpha", alphas.supervisor)
    assert "79160000001" in text
    assert "79160000002" not in text
    assert "ещё 1 вызов" in text


def test_a_manager_may_not_see_it(alphas: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        window(alphas)
        alpha_client.force_login(alphas.anna.user)
    assert alpha_client.get(PATH).status_code == 403


def test_another_companys_windows_are_not_there(alphas: Staff, betas: Staff, beta_client: Client) -> None:
    with company_scope("alpha"):
        corrected(window(alphas, found=1, added=1), "79160000001", [alphas.sales.pk])
    text = page(beta_client, "beta", betas.admin)
    assert "Ничего не упущено" in text
    assert "79160000001" not in text


def test_what_a_caller_wrote_stays_text(alphas: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        corrected(window(alphas, added=1, cause="<b>x"), "<img src=x onerror=alert(1)>", [alphas.sales.pk])
    text = page(alpha_client, "alpha", alphas.admin)
    assert "<img src=x" not in text
    assert "<b>x" not in text


def test_many_windows_come_in_pages_and_many_calls_are_counted(alphas: Staff, alpha_client: Client) -> None:
    with company_scope("alpha"):
        for minutes in range(60):
            window(alphas, began=timezone.now() - timedelta(minutes=600 + minutes), found=0)
        many = window(alphas, added=25, found=25)
        for place in range(25):
            corrected(many, f"7916000{place:04}", [alphas.sales.pk])
    text = page(alpha_client, "alpha", alphas.admin)
    assert text.count('id="window-') == 50
    assert "ещё 5 вызовов" in text
    assert page(alpha_client, "alpha", alphas.admin, f"{PATH}?page=2").count('id="window-') == 11
    assert page(alpha_client, "alpha", alphas.admin, f"{PATH}?page=nonsense").count('id="window-') == 50

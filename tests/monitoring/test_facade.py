"""What the rooms above are told about a company is that company's alone."""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.contracts import CompanySize
from monitoring.facade import company_size
from tenants.scope import company_scope
from tests.factories.staff import make_staff


@pytest.mark.django_db
def test_a_companys_size_counts_what_is_in_use() -> None:
    staff = make_staff("alpha")
    with company_scope("alpha"):
        staff.boris.archived_at = timezone.now()
        staff.boris.save()
    assert company_size("alpha") == CompanySize("alpha", 1, 1, 2, 1, 0)
    assert company_size("beta") == CompanySize("beta", 0, 0, 0, 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "public", "x; DROP SCHEMA alpha"])
def test_what_is_no_company_has_no_size(name: str) -> None:
    with pytest.raises(Exception, match=r"company") as refusal:
        company_size(name)
    assert "Company" in type(refusal.value).__name__

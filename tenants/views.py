"""The staff's pages about companies: the list, a new one, and the making of it to watch."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import creation
from tenants.models import Company, CompanyCreation
from tenants.people.models import User
from tenants.people.roles import Verb, requires


class CompanyForm(forms.ModelForm[CompanyCreation]):
    class Meta:
        model = CompanyCreation
        fields = ["name", "slug", "admin_email", "time_zone", "language"]


@require_GET
@requires(Verb.EDIT_COMPANIES)
def company_list(request: HttpRequest) -> HttpResponse:
    companies = list(Company.objects.prefetch_related("domains", "pbxs"))
    in_the_making = CompanyCreation.objects.exclude(state=CompanyCreation.State.DONE)
    return render(
        request, "tenants/companies.html", {"companies": companies, "in_the_making": list(in_the_making[:20])}
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_COMPANIES)
def new_company(request: HttpRequest) -> HttpResponse:
    form = CompanyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        actor = request.user if isinstance(request.user, User) else None
        try:
            row = creation.request_company(actor=actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("company_creation", creation_id=row.pk)
    return render(request, "tenants/new_company.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@requires(Verb.EDIT_COMPANIES)
def company_creation(request: HttpRequest, creation_id: int) -> HttpResponse:
    """The page of one creation; asked by htmx, only the part that moves."""
    row = get_object_or_404(CompanyCreation, pk=creation_id)
    company = Company.objects.filter(schema_name=row.slug).prefetch_related("domains").first()
    moving = row.state in (CompanyCreation.State.WAITING, CompanyCreation.State.WORKING)
    context = {
        "row": row,
        "host": company.domains.first() if company and row.state == CompanyCreation.State.DONE else None,
        "moving": moving and not creation.is_silent(row),
        "silent": creation.is_silent(row),
        "port": request.get_port(),
    }
    page = "tenants/creation_progress.html" if request.headers.get("HX-Request") else "tenants/creation.html"
    return render(request, page, context)


@require_POST
@requires(Verb.EDIT_COMPANIES)
def retry_creation(request: HttpRequest, creation_id: int) -> HttpResponse:
    creation.retry(row=get_object_or_404(CompanyCreation, pk=creation_id))
    return redirect("company_creation", creation_id=creation_id)

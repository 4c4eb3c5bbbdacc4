"""What billing stands on: who issues invoices, and the law's VAT rates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.models import Seller, VatRate
from billing.services import sellers
from billing.services.acts import who_is
from billing.services.errors import BillingError
from billing.views.platform.clock import today
from tenants.people.roles import Verb, requires


class SellerForm(forms.ModelForm[Seller]):
    class Meta:
        model = Seller
        fields = list(sellers.FIELDS)


class RateForm(forms.Form):
    starts_on = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent"), max_digits=5, decimal_places=2, min_value=0, max_value=99
    )


@require_safe
@requires(Verb.SEE_BILLING)
def overview(request: HttpRequest) -> HttpResponse:
    return _overview(request, RateForm())


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_BILLING)
def seller(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new seller, or one to change."""
    row = get_object_or_404(Seller, pk=pk) if pk is not None else None
    form = SellerForm(request.POST if request.method == "POST" else None, instance=row)
    if form.is_bound and form.is_valid():
        try:
            sellers.save_seller(who=who_is(request.user), seller=form.instance)
        except ValidationError as error:
            _tell(form, error)
        else:
            messages.success(request, _("Saved. Invoices issued already keep what they say."))
            return redirect("billing_admin:settings")
    context = {"form": form, "seller": row}
    return render(request, "billing/platform/seller.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Verb.EDIT_BILLING)
def new_rate(request: HttpRequest) -> HttpResponse:
    form = RateForm(request.POST)
    if form.is_valid():
        try:
            sellers.new_rate(who=who_is(request.user), today=today(), **form.cleaned_data)
        except BillingError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("The rate is entered. It is applied by the date of supply."))
            return redirect("billing_admin:settings")
    return _overview(request, form, status=422)


@require_POST
@requires(Verb.EDIT_BILLING)
def remove_rate(request: HttpRequest, pk: int) -> HttpResponse:
    rate = get_object_or_404(VatRate, pk=pk)
    try:
        sellers.remove_rate(who=who_is(request.user), rate=rate, today=today())
    except BillingError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The rate is removed."))
    return redirect("billing_admin:settings")


def _overview(request: HttpRequest, form: RateForm, *, status: int = 200) -> HttpResponse:
    day = today()
    rates = list(VatRate.objects.order_by("-starts_on"))
    current = next((rate for rate in rates if rate.starts_on <= day), None)
    context: dict[str, Any] = {
        "sellers": list(Seller.objects.all()),
        "rates": [(rate, rate == current, rate.starts_on > day) for rate in rates],
        "form": form,
    }
    return render(request, "billing/platform/settings.html", context, status=status)


def _tell(form: forms.ModelForm[Any], error: ValidationError) -> None:
    for field, texts in getattr(error, "message_dict", {"__all__": error.messages}).items():
        form.add_error(field if field in form.fields else None, texts)

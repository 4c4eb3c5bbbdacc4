"""The company's papers, who may see its money, and the limits it sets itself: one form, by an admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.access import payer
from billing.models import Account, LimitMode
from billing.services.accounts import FIELDS, change_details
from billing.services.acts import who_is
from tenants.people.roles import Verb, demand

PERSON_INN = 12


class DetailsForm(forms.ModelForm[Account]):
    class Meta:
        model = Account
        fields = FIELDS
        widgets = {
            "inn": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            "kpp": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            "address": forms.Textarea(attrs={"rows": 2}),
            "call_limit": forms.NumberInput(attrs={"inputmode": "numeric"}),
            "profile_limit": forms.NumberInput(attrs={"inputmode": "numeric"}),
        }
        help_texts = {
            "kpp": gettext_lazy("Nine digits; an individual entrepreneur has none."),
            "supervisors_see": gettext_lazy(
                "They see what admins see here, and change nothing. Managers never see it."
            ),
            "limit_mode": gettext_lazy(
                "Counted are calls your managers handle at the same moment. “Warn only” writes a letter; “refuse” "
                "also keeps new calls from being started from the portal. A call that goes on is never cut, and "
                "customers who call in always get through."
            ),
            "profile_limit": gettext_lazy("Nobody can have more switched on at once. Empty: no limit."),
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        limited = data.get("limit_mode") not in (None, LimitMode.NONE)
        if limited and not data.get("call_limit") and "call_limit" not in self.errors:
            self.add_error("call_limit", _("Say how many calls at once."))
        if len(data.get("inn") or "") == PERSON_INN and data.get("kpp"):
            self.add_error("kpp", _("An individual entrepreneur has no KPP."))
        if data.get("inn") and not data.get("legal_name"):
            self.add_error("legal_name", _("Write the name that belongs to this INN."))
        return data


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    company, account = payer(request)
    demand(request, Verb.CHANGE_PLAN, account)
    # A form writes what was typed into its row before it is known to be right: it gets one of its own.
    form = DetailsForm(request.POST if request.method == "POST" else None, instance=account)
    if form.is_bound and form.is_valid():
        try:
            change_details(who=who_is(request.user), company=company, details=form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("billing:details")
    context = {"form": form, "section": "details"}
    return render(request, "billing/company/details.html", context, status=422 if form.errors else 200)

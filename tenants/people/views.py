"""Where a person lands, and what they do about their own account: sessions and tokens."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants.people import services, tokens
from tenants.people.models import Role, Scope, User
from tenants.people.roles import Verb, can, demand

# Addresses, not names: these pages belong to rooms above this one.
LANDINGS = {
    Role.STAFF: "/companies/",
    Role.ADMIN: "/manage/",
    Role.SUPERVISOR: "/live/",
    Role.MANAGER: "/me/",
}
LIFETIMES = [
    (30, gettext_lazy("30 days")),
    (90, gettext_lazy("90 days")),
    (365, gettext_lazy("a year")),
    (0, gettext_lazy("until revoked")),
]


class TokenForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("What is it for?"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(label=gettext_lazy("Valid"), choices=LIFETIMES, coerce=int, initial=90)


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Each role to its own first page."""
    return redirect(LANDINGS[Role(_person(request).role)])


@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "tenants/profile.html", {"may_make_tokens": can(request.user, Verb.MAKE_TOKEN)})


@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    services.sign_out_everywhere(user=_person(request))
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("account_login")


@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """The person's living tokens; a new one's text is part of the one answer that makes it."""
    demand(request, Verb.MAKE_TOKEN)
    user = _person(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    text = ""
    if form.is_bound and form.is_valid():
        try:
            _token, text = tokens.issue(
                user=user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                days=form.cleaned_data["days"] or None,
            )
            form = TokenForm()
        except ValidationError as error:
            form.add_error(None, error.messages)
    context = {"form": form, "text": text, "tokens": list(tokens.living(user=user))}
    return render(request, "tenants/tokens.html", context, status=422 if form.errors else 200)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    if not tokens.revoke(user=_person(request), token_id=token_id):
        raise Http404
    messages.success(request, _("The token is revoked."))
    return redirect("tokens")


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # SignInRequiredMiddleware lets nobody come here unknown
    return request.user

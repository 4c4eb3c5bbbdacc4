"""The company's rules on one page; a shorter time is saved only after its consequences were read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from monitoring.models.policy import Policy
from monitoring.models.retention import Cleaning, Kind, Progress
from monitoring.selectors.policy import policy as rules_of
from monitoring.services import policy as service
from monitoring.services import retention
from monitoring.views.manage.sections import SECTIONS
from tenants.people.models import User
from tenants.people.roles import Verb, can, demand

DAYS = [(number + 1, WEEKDAYS_ABBR[number]) for number in range(7)]
_NUMBERS = ("keep_calls", "keep_recordings", "keep_events", "callback_within")


class PolicyForm(forms.ModelForm[Policy]):
    work_days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("days of work"), coerce=int, choices=DAYS, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Policy
        fields = (
            "keep_calls", "keep_recordings", "keep_events", "record_calls", "managers_hear_own",
            "callback_within", "work_days", "work_from", "work_until", "region",
        )  # fmt: skip
        widgets = {
            **{name: forms.NumberInput(attrs={"class": "form-control", "min": 1}) for name in _NUMBERS},
            "work_from": forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M"),
            "work_until": forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M"),
            "region": forms.TextInput(attrs={"class": "form-control", "maxlength": 2, "size": 4}),
        }

    def clean_region(self) -> str:
        return str(self.cleaned_data["region"]).upper()

    def days_of(self, name: str) -> int | None:
        value = self.cleaned_data.get(name)
        return value if isinstance(value, int) else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.EDIT_POLICY)
    user, posted = _person(request), request.POST if request.method == "POST" else None
    form = PolicyForm(posted, instance=rules_of())
    losses: list[str] = []
    if posted is not None and form.is_valid():
        wanted = {name: days for name in service.KEPT if (days := form.days_of(name)) is not None}
        losses = [_loss(name, count, wanted[name]) for name, count in service.consequences(wanted).items()]
        if not losses or posted.get("confirmed") == "1":
            service.save(actor=user, form=form)
            messages.success(
                request, _("Saved. What is too old is being removed now.") if losses else _("Saved.")
            )
            return redirect("monitoring:policy")
    context = {
        "form": form, "losses": losses, "sections": SECTIONS.values(), "section": {"slug": "policy"},
        "runs": _runs(), "may_erase": can(user, Verb.DELETE_CUSTOMER),
    }  # fmt: skip
    return render(request, "monitoring/policy/page.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def policy_runs(request: HttpRequest) -> HttpResponse:
    """How far removals are, for the page that waits for them."""
    demand(request, Verb.EDIT_POLICY)
    return render(request, "monitoring/policy/runs.html", {"runs": _runs()})


def _runs() -> list[dict[str, Any]]:
    """Each kind: kept since when, and the last removal."""
    found = []
    for kind, before in retention.limits().items():
        last = Cleaning.objects.filter(kind=kind).first()
        found.append(
            {
                "title": kind.label,
                "since": before,
                "last": last,
                "running": bool(last and last.state == Progress.RUNNING),
            }
        )
    return found


def _loss(name: str, count: int, days: int) -> str:
    """What saving would remove, in words."""
    words = {
        Kind.CALLS: ngettext(
            "%(count)s call older than %(days)s days, with its recordings and notes",
            "%(count)s calls older than %(days)s days, with their recordings and notes",
            count,
        ),
        Kind.RECORDINGS: ngettext(
            "%(count)s recording older than %(days)s days",
            "%(count)s recordings older than %(days)s days",
            count,
        ),
        Kind.EVENTS: ngettext(
            "%(count)s event of the audit older than %(days)s days",
            "%(count)s events of the audit older than %(days)s days",
            count,
        ),
    }
    return words[service.KEPT[name]] % {
        "count": f"{count:,}".replace(",", "\N{NO-BREAK SPACE}"),
        "days": days,
    }


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user

"""Pages of the admin: the list with a form for a new webhook, and one webhook with its messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from monitoring.models.webhooks import Delivery, DeliveryState, Happening, Webhook
from monitoring.services import delivery, webhooks
from monitoring.views.manage.sections import SECTIONS
from tenants.people.models import User
from tenants.people.roles import Verb, demand

PAGE = 50


class WebhookForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("What it is for"), max_length=80)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=400,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://crm.example.com/calls"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Tell when"), choices=Happening.choices, widget=forms.CheckboxSelectMultiple
    )


@never_cache
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """All webhooks; a new one's secret is part of the one answer that makes it."""
    demand(request, Verb.EDIT_WEBHOOKS)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    secret = ""
    if form.is_bound and form.is_valid():
        try:
            _made, secret = webhooks.make(actor=_person(request), **form.cleaned_data)
            form = WebhookForm()
        except ValidationError as error:
            _tell(form, error)
    context = {"form": form, "secret": secret, "webhooks": list(Webhook.objects.live())}
    return _page(request, "monitoring/webhooks/list.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook: what it hears, and its messages, newest first."""
    demand(request, Verb.EDIT_WEBHOOKS)
    webhook = _webhook(pk)
    known = {"title": webhook.title, "url": webhook.url, "events": webhook.events}
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=known)
    if form.is_bound and form.is_valid():
        try:
            webhooks.change(actor=_person(request), webhook=webhook, **form.cleaned_data)
        except ValidationError as error:
            _tell(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("monitoring:webhook", pk)
    return _one(request, webhook, form, secret="", status=422 if form.errors else 200)


@never_cache
@require_POST
def new_secret(request: HttpRequest, pk: int) -> HttpResponse:
    demand(request, Verb.EDIT_WEBHOOKS)
    webhook = _webhook(pk)
    secret = webhooks.new_secret(actor=_person(request), webhook=webhook)
    known = {"title": webhook.title, "url": webhook.url, "events": webhook.events}
    return _one(request, webhook, WebhookForm(initial=known), secret=secret)


@require_POST
def act(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Pause, resume, try out or remove."""
    demand(request, Verb.EDIT_WEBHOOKS)
    webhook = _webhook(pk)
    acts: dict[str, tuple[Callable[..., Any], str]] = {
        "pause": (webhooks.pause, _("Paused: nothing is sent or kept for it.")),
        "resume": (webhooks.resume, _("It goes on.")),
        "try": (webhooks.try_out, _("A test message is on its way. Reload in a moment to see the answer.")),
        "remove": (webhooks.remove, _("The webhook is removed.")),
    }
    if what not in acts:
        raise Http404
    do, done = acts[what]
    do(actor=_person(request), webhook=webhook)
    if what in ("try", "resume"):
        delivery.wake()
    messages.success(request, done)
    return redirect("monitoring:webhooks") if what == "remove" else redirect("monitoring:webhook", pk)


@require_POST
def again(request: HttpRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """Send a message that was given up once more."""
    demand(request, Verb.EDIT_WEBHOOKS)
    row = get_object_or_404(Delivery.objects.select_related("webhook"), pk=delivery_pk, webhook=_webhook(pk))
    webhooks.send_again(actor=_person(request), delivery=row)
    delivery.wake()
    return redirect("monitoring:webhook", pk)


def _one(
    request: HttpRequest, webhook: Webhook, form: WebhookForm, *, secret: str, status: int = 200
) -> HttpResponse:
    state = request.GET.get("state", "")
    rows = webhook.deliveries.all()
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    counts = {value: webhook.deliveries.filter(state=value).count() for value in DeliveryState.values}
    context = {
        "webhook": webhook,
        "form": form,
        "secret": secret,
        "state": state,
        "states": [(value, label, counts[value]) for value, label in DeliveryState.choices],
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
    }
    return _page(request, "monitoring/webhooks/one.html", context, status=status)


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int) -> HttpResponse:
    about = {"sections": SECTIONS.values(), "section": {"slug": "webhooks"}}
    return render(request, template, {**context, **about}, status=status)


def _webhook(pk: int) -> Webhook:
    found: Webhook = get_object_or_404(Webhook.objects.live(), pk=pk)
    return found


def _tell(form: forms.Form, error: ValidationError) -> None:
    for field, texts in getattr(error, "message_dict", {"__all__": error.messages}).items():
        form.add_error(field if field in form.fields else None, texts)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # demand lets nobody else come here
    return request.user

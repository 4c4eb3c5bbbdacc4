"""Monitoring profiles as pages: the list with its switches, the form, copy, archive with undo, norms of one.

A profile somebody may not open is not there for them (404); one that is only shared is read, copied, not changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring.models.norms import NormScope
from monitoring.models.profiles import Profile
from monitoring.selectors.norms import norm_book
from monitoring.selectors.profiles import archived_of, choices_for, openable, with_switch
from monitoring.services import profiles as service
from monitoring.services.errors import ServiceError
from monitoring.services.further_profiles import AdminMustAgree, MustAgree, NoMoreProfiles
from monitoring.views.manage.norms import page as norms_page
from monitoring.views.profiles.forms import ProfileForm
from tenants.people.models import User
from tenants.people.roles import Verb, can, demand


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Profiles one may open (``?archived=1``: those one may bring back)."""
    person = _person(request, Verb.SEE_PROFILE)
    archived = request.GET.get("archived") == "1"
    found = archived_of(person) if archived else openable(person)
    context = {
        "rows": _rows(person, list(found)),
        "archived": archived,
        "archived_count": archived_of(person).count(),
        "may_make": can(person, Verb.EDIT_PROFILE),
    }
    return render(request, "monitoring/profiles/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new profile, or one changed. Shared with this person only: what it holds, without the form."""
    person = _person(request, Verb.EDIT_PROFILE if pk is None else Verb.SEE_PROFILE)
    profile = None if pk is None else _openable(person, pk)
    if profile is not None and request.method == "POST":
        demand(request, Verb.EDIT_PROFILE, profile.to_change)
    if profile is not None and not can(person, Verb.EDIT_PROFILE, profile.to_change):
        return render(request, "monitoring/profiles/shared.html", {"row": _rows(person, [profile])[0]})
    form = ProfileForm(request.POST if request.method == "POST" else None, editor=person, profile=profile)
    question, may_save_off = None, False
    if request.method == "POST":
        try:
            kept = _save(request, person, profile, form)
        except MustAgree as asked:
            kept, question = None, asked.question
        except (AdminMustAgree, NoMoreProfiles) as refusal:
            kept, may_save_off = None, True
            form.add_error(None, str(refusal.message))
        if kept is not None:
            messages.success(request, _("Saved: %(what)s") % {"what": kept})
            return redirect("monitoring:profiles")
    context = {
        "form": form,
        "question": question,
        "may_save_off": may_save_off or question is not None,
        "profile": profile,
        "row": _rows(person, [profile])[0] if profile else None,
        "pickers": [
            ("tiles", _("Figures at the top"), form.options("tiles")),
            ("columns", _("Columns of the table of queues"), form.options("columns")),
        ],
    }
    status = 409 if question else 422 if form.errors else 200
    return render(request, "monitoring/profiles/edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def norms(request: HttpRequest, pk: int) -> HttpResponse:
    """The profile's own norms, by whoever may change the profile."""
    person = _person(request, Verb.SEE_PROFILE)
    profile = _openable(person, pk)
    demand(request, Verb.EDIT_PROFILE, profile.to_change)
    again = reverse("monitoring:profile_norms", args=[pk])
    frame = {"profile": profile}
    return norms_page(request, NormScope.PROFILE, pk, again, "monitoring/profiles/norms.html", frame)


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """``on=1`` or ``on=0``. ``agreed``: the answer to the question of its price, when it was asked."""
    on = request.POST.get("on") == "1"

    def act(person: User, profile: Profile) -> None:
        service.switch(actor=person, profile=profile, on=on, agreed=_agreed(request))

    return _do(request, pk, act)


@require_POST
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, lambda person, profile: service.archive(actor=person, profile=profile))


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Out of the archive; ``on=1`` as the undo of an archiving that switched it off."""
    person = _person(request, Verb.SEE_PROFILE)
    profile = archived_of(person).filter(pk=pk).first()
    if profile is None:
        raise Http404
    on = request.POST.get("on") == "1"

    def act() -> None:
        service.restore(actor=person, profile=profile, on=on, agreed=_agreed(request))

    return _answer(request, person, profile, act, was_on=False)


@require_POST
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """A copy of one's own, opened at once: it wants a title."""
    person = _person(request, Verb.EDIT_PROFILE)
    made = service.copy(actor=person, profile=_openable(person, pk))
    messages.success(request, _("Copied. Give it a title, then switch it on."))
    return redirect("monitoring:profile", pk=made.pk)


def _do(request: HttpRequest, pk: int, act: Callable[[User, Profile], object]) -> HttpResponse:
    person = _person(request, Verb.SEE_PROFILE)
    profile = _openable(person, pk)
    demand(request, Verb.EDIT_PROFILE, profile.to_change)
    return _answer(request, person, profile, lambda: act(person, profile), was_on=profile.is_on)


def _answer(
    request: HttpRequest, person: User, profile: Any, act: Callable[[], object], *, was_on: bool
) -> HttpResponse:
    """The row as it is now for htmx, the list for everybody else."""
    error = ""
    try:
        act()
    except MustAgree as asked:
        return _ask(request, profile, asked)
    except ServiceError as refusal:
        error = str(refusal.message)
    if request.headers.get("HX-Request") == "true":
        fresh = with_switch(Profile.objects.select_related("maker")).get(pk=profile.pk)
        context = {"row": _rows(person, [fresh])[0], "error": error, "undo": was_on and not error}
        return render(request, "monitoring/profiles/row.html", context)
    if error:
        messages.error(request, error)
    return redirect("monitoring:profiles")


def _ask(request: HttpRequest, profile: Profile, asked: MustAgree) -> HttpResponse:
    """What it would cost, in place of its row or on a page: the same address switches it when told so again."""
    context = {
        "profile": profile,
        "question": asked.question,
        "action": request.path,
        "on": request.POST.get("on", ""),
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "monitoring/profiles/further_row.html", context)
    return render(request, "monitoring/profiles/further.html", context, status=409)


def _agreed(request: HttpRequest) -> str:
    return str(request.POST.get("agreed", ""))


def _save(request: HttpRequest, person: User, profile: Profile | None, form: ProfileForm) -> Profile | None:
    """The stored profile; None when the form says what is wrong with it. ``off=1``: a new one stays off.

    Raises further_profiles' errors.
    """
    if not form.is_valid():
        return None
    try:
        if profile is None:
            on = request.POST.get("off") != "1"
            return service.make(actor=person, view=form.view(), on=on, agreed=_agreed(request))
        return service.change(actor=person, profile=profile, view=form.view())
    except (MustAgree, AdminMustAgree, NoMoreProfiles):
        raise
    except ServiceError as refusal:
        form.add_error(None, str(refusal.message))
        return None


def _rows(person: User, profiles: list[Any]) -> list[dict[str, Any]]:
    """What the list says of each: names only of what this person sees."""
    reach = choices_for(person)
    titles = {
        name: dict(getattr(reach, name).values_list("pk", "title"))
        for name in ("groups", "queues", "lines", "managers")
    }
    book = norm_book()
    return [
        {
            "profile": profile,
            "own": can(person, Verb.EDIT_PROFILE, profile.to_change),
            "mine": profile.maker_id == person.pk,
            "norms": len(book.own(NormScope.PROFILE, profile.pk)),
            **_narrowed(profile, titles),
        }
        for profile in profiles
    ]


def _narrowed(profile: Profile, titles: dict[str, dict[int, str]]) -> dict[str, Any]:
    parts, hidden = [], False
    for name, known in titles.items():
        chosen = [row.pk for row in getattr(profile, name).all()]
        parts += [known[pk] for pk in chosen if pk in known]
        hidden = hidden or any(pk not in known for pk in chosen)
    return {"parts": parts, "hidden": hidden}


def _openable(person: User, pk: int) -> Any:
    profile = openable(person).filter(pk=pk).first()
    if profile is None:
        raise Http404
    return profile


def _person(request: HttpRequest, verb: Verb) -> User:
    demand(request, verb)
    if not isinstance(request.user, User):
        raise Http404  # nobody comes here without having signed in
    return request.user

"""Scorecards the company defines: a list, and one editor for sections, questions and their weights."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring.domain import scoring
from monitoring.models.reviews import Scorecard
from monitoring.selectors.reviews import newest, sections_of
from monitoring.services import reviews
from monitoring.services.errors import ServiceError
from monitoring.views.manage.sections import SECTIONS
from monitoring.views.recordings.player import person
from tenants.people.roles import Verb, demand

WHY = {
    "empty": gettext_lazy("Write at least one question."),
    "too_many": gettext_lazy("At most 20 sections and 60 questions: nobody answers more."),
    "title": gettext_lazy("Every section needs a title."),
    "text": gettext_lazy("Every question needs its words."),
    "kind": gettext_lazy("A question is answered by yes or no, or from 0 to 5."),
    "weight": gettext_lazy("A weight is a whole number from 0 to 100."),
    "nothing_counts": gettext_lazy("At least one question needs a weight above zero."),
}
MORE_ROWS = 2  # empty rows at the end of each section, and one empty section: adding needs no script
_FIELD = re.compile(r"s(\d{1,2})q(\d{1,2})text")


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    demand(request, Verb.EDIT_SCORECARDS)
    rows = []
    for card in Scorecard.objects.order_by("archived_at", "title", "pk"):
        version = newest(card)
        count = sum(len(s.questions) for s in sections_of(version)) if version is not None else 0
        rows.append({"card": card, "version": version, "questions": count})
    return render(request, "monitoring/recordings/scorecards.html", {"rows": rows, **_frame()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new one, or the next version of one. What was typed is kept when it is refused."""
    demand(request, Verb.EDIT_SCORECARDS)
    card = None if pk is None else Scorecard.objects.filter(pk=pk).first()
    if pk is not None and card is None:
        raise Http404
    error = ""
    version = newest(card) if card is not None else None
    content: list[dict[str, Any]] = version.content if version is not None else []
    title = card.title if card is not None else ""
    if request.method == "POST":
        title, content = request.POST.get("title", "")[:200], _typed(request)
        try:
            sections = scoring.card(content)
            reviews.save_card(actor=person(request), scorecard=card, title=title, sections=sections)
        except scoring.BadCard as bad:
            error = str(WHY[bad.code])
        except ServiceError as refusal:
            error = str(refusal.message)
        else:
            if "more" in request.POST:
                return redirect("monitoring:scorecard", pk=pk) if pk else redirect("monitoring:scorecards")
            messages.success(
                request, _("Saved. Reviews given before keep the questions they were answered by.")
            )
            return redirect("monitoring:scorecards")
    context = {"card": card, "title": title, "content": _with_room(content), "error": error, **_frame()}
    return render(request, "monitoring/recordings/scorecard.html", context, status=422 if error else 200)


@require_POST
def put(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``archived``: 1 takes the scorecard out of use, 0 brings it back."""
    demand(request, Verb.EDIT_SCORECARDS)
    card = Scorecard.objects.filter(pk=pk).first()
    if card is None:
        raise Http404
    try:
        reviews.put_card(actor=person(request), scorecard=card, archived=request.POST.get("archived") == "1")
    except ServiceError as refusal:
        messages.error(request, str(refusal.message))
    return redirect("monitoring:scorecards")


def _typed(request: HttpRequest) -> list[dict[str, Any]]:
    """The form's rows as a card's content; rows without words are not there, nor sections without anything."""
    places = sorted(
        (int(found[1]), int(found[2])) for key in request.POST if (found := _FIELD.fullmatch(key)) is not None
    )
    sections: dict[int, dict[str, Any]] = {}
    for s, q in places:
        section = sections.setdefault(
            s, {"title": " ".join(request.POST.get(f"s{s}title", "").split())[:120], "questions": []}
        )
        name = f"s{s}q{q}"
        text = " ".join(request.POST.get(f"{name}text", "").split())[:300]
        if text:
            section["questions"].append(
                {
                    # Its own name for ever: answers are kept by it.
                    "id": request.POST.get(f"{name}id", "")[:12] or f"q{s}x{q}",
                    "text": text,
                    "kind": request.POST.get(f"{name}kind", "yes_no"),
                    "weight": request.POST.get(f"{name}weight", "") or "0",
                    "critical": f"{name}critical" in request.POST,
                }
            )
    kept = [section for section in sections.values() if section["questions"]]
    return _named_apart(kept)


def _named_apart(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two questions never share an id, whatever the form says."""
    taken: set[str] = set()
    for section in sections:
        for question in section["questions"]:
            number = len(taken) + 1
            while question["id"] in taken:
                question["id"], number = f"q{number}", number + 1
            taken.add(question["id"])
    return sections


def _with_room(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    empty = {"id": "", "text": "", "kind": "yes_no", "weight": 5, "critical": False}
    rows = [{**s, "questions": [*s["questions"], *[empty] * MORE_ROWS]} for s in content]
    rows.append({"title": "", "questions": [empty] * (MORE_ROWS + 1)})
    return [
        {
            **s,
            "name": f"s{i}",
            "questions": [{**q, "name": f"s{i}q{j}"} for j, q in enumerate(s["questions"])],
        }
        for i, s in enumerate(rows)
    ]


def _frame() -> dict[str, Any]:
    return {"sections": SECTIONS.values(), "section": {"slug": "scorecards"}}

"""A review's life: draft → given → appealed → answered. Each step is checked, done once, and written down.

Raises services.errors.Refused (written down) without the right, NotThere when another was faster or the step is not
to be taken now, Incomplete when something is missing; nothing has changed then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.domain import scoring
from monitoring.models.audit import Outcome
from monitoring.models.calls import Call
from monitoring.models.people import Manager
from monitoring.models.recordings import State
from monitoring.models.reviews import Review, ReviewComment, ReviewState, Scorecard, ScorecardVersion
from monitoring.models.text import visible
from monitoring.selectors.reviews import newest, sections_of, talkers
from monitoring.services import audit
from monitoring.services.errors import NotThere, Refused, ServiceError
from tenants.people.models import Role, User
from tenants.people.roles import Verb, can

LONGEST_TEXT, LONGEST_REMARK, MOST_REMARKS = 2000, 1000, 100


class Incomplete(ServiceError):
    """What is missing, in words."""


def begin(*, actor: User, call: Call, manager: Manager, version: ScorecardVersion) -> Review:
    """The draft of this manager's part in the call; one that exists already is answered instead of a second one."""
    if manager.pk not in {talker.pk for talker in talkers(call)}:
        raise NotThere(_("This person did not talk in this call."))
    groups = sorted({g for leg in call.legs.filter(manager=manager) for g in leg.groups})
    recording = call.recordings.filter(state=State.STORED).order_by("started").first()
    made = Review(
        call=call, manager=manager, version=version, recording=recording, groups=groups, author=actor,
        author_name=visible(str(actor), 120),
    )  # fmt: skip
    _check(actor, Verb.REVIEW, made)
    if manager.is_own_of(actor):
        raise NotThere(_("Nobody reviews their own calls."))
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        there = Review.objects.get(call=call, manager=manager)
        if there.state == ReviewState.DRAFT and there.author_id != actor.pk:
            raise NotThere(
                _("%(who)s is reviewing this call already.") % {"who": there.author_name}
            ) from None
        return there
    return made


def answer(*, actor: User, review: Review, answers: Mapping[str, object], summary: str) -> scoring.Score:
    """Keep the draft as it is now; what is no answer to a question of its card is left out."""
    _check_author(actor, review)
    clean, result = _scored(review.version, answers)
    kept = Review.objects.filter(pk=review.pk, state=ReviewState.DRAFT).update(
        answers=clean, percent=result.percent, failed=result.failed, summary=_text(summary)
    )
    if not kept:
        raise NotThere(_("This review has been given already."))
    return result


def give(*, actor: User, review: Review) -> None:
    """From now on the manager sees it, and it counts."""
    _check_author(actor, review)
    _clean, result = _scored(review.version, review.answers)
    if result.open:
        raise Incomplete(_("Answer every question first, or say that it does not apply."))
    if result.percent is None:
        raise Incomplete(_("Not every question can be left out."))
    _step(review, ReviewState.DRAFT, state=ReviewState.GIVEN, given_at=timezone.now())
    _note(actor, Verb.REVIEW, review, {"given": round(result.percent, 1)})


def discard(*, actor: User, review: Review) -> None:
    """Throw a draft away; a review that was given stays."""
    _check_author(actor, review)
    if not Review.objects.filter(pk=review.pk, state=ReviewState.DRAFT).delete()[0]:
        raise NotThere(_("This review has been given already."))


def remark(*, actor: User, review: Review, second: object, text: str) -> ReviewComment:
    """A comment at a second of the recording, while the review is a draft."""
    _check_author(actor, review)
    try:
        at = float(str(second).replace(",", "."))
    except ValueError:
        at = math.nan
    longest = review.recording.seconds if review.recording is not None else 0.0
    words = _text(text)[:LONGEST_REMARK]
    if not words:
        raise Incomplete(_("Write the comment first."))
    if not 0 <= at <= longest:
        raise Incomplete(_("There is no such second in the recording."))
    if review.state != ReviewState.DRAFT or review.comments.count() >= MOST_REMARKS:
        raise NotThere(_("No more comments can be added here."))
    return ReviewComment.objects.create(review=review, second=at, text=words)


def take_back(*, actor: User, review: Review, remark_id: int) -> None:
    _check_author(actor, review)
    if review.state != ReviewState.DRAFT or not review.comments.filter(pk=remark_id).delete()[0]:
        raise NotThere(_("There is no such comment in this draft."))


def seen(*, user: User, review: Review) -> None:
    """The reviewed person has opened it; the first time is what counts."""
    if review.is_own_of(user):
        Review.objects.filter(pk=review.pk, seen_at=None).update(seen_at=timezone.now())


def appeal(*, actor: User, review: Review, text: str) -> None:
    """Once, by the reviewed person, in words."""
    _check(actor, Verb.APPEAL, review)
    words = _text(text)
    if not words:
        raise Incomplete(_("Say what you do not agree with."))
    _step(review, ReviewState.GIVEN, state=ReviewState.APPEALED, appeal=words, appealed_at=timezone.now())
    _note(actor, Verb.APPEAL, review, {"appeal": True})


def decide(*, actor: User, review: Review, reason: str, answers: Mapping[str, object] | None) -> None:
    """Answer an appeal, with a reason: ``answers`` None upholds the review, otherwise they replace the old ones."""
    _check(actor, Verb.REVIEW, review)
    words = _text(reason)
    if not words:
        raise Incomplete(_("Give the reason: the manager reads it."))
    changed: dict[str, Any] = {}
    if answers is not None:
        clean, result = _scored(review.version, answers)
        if result.open or result.percent is None:
            raise Incomplete(_("Answer every question first, or say that it does not apply."))
        changed = {
            "answers": clean, "percent": result.percent, "failed": result.failed, "first_percent": review.percent,
        }  # fmt: skip
    _step(
        review, ReviewState.APPEALED, state=ReviewState.ANSWERED, verdict=words, verdict_at=timezone.now(),
        verdict_by=visible(str(actor), 120), **changed,
    )  # fmt: skip
    _note(actor, Verb.REVIEW, review, {"upheld": answers is None})


def save_card(
    *, actor: User, scorecard: Scorecard | None, title: str, sections: tuple[scoring.Section, ...]
) -> Scorecard:
    """A new scorecard, or the next version of one. Raises domain.scoring.BadCard, or Incomplete for its title."""
    if not can(actor, Verb.EDIT_SCORECARDS):
        _refuse(actor, Verb.EDIT_SCORECARDS, scorecard or title)
    content = scoring.content(scoring.checked(sections))
    name = visible(title.strip(), 80)
    if not name:
        raise Incomplete(_("Give the scorecard a title."))
    try:
        with transaction.atomic():
            row = scorecard or Scorecard()
            row.title = name
            row.save()
            Scorecard.objects.select_for_update().get(pk=row.pk)  # two savings at once get two numbers
            last = newest(row)
            if last is None or last.content != content:
                number = last.number + 1 if last is not None else 1
                ScorecardVersion.objects.create(scorecard=row, number=number, content=content, made_by=actor)
    except IntegrityError:
        raise Incomplete(_("There is a scorecard with this title already.")) from None
    audit.record(actor=actor, verb=Verb.EDIT_SCORECARDS, kind="scorecard", what=row)
    return row


def put_card(*, actor: User, scorecard: Scorecard, archived: bool) -> None:
    """Out of use or back; reviews by it stay what they are."""
    if not can(actor, Verb.EDIT_SCORECARDS):
        _refuse(actor, Verb.EDIT_SCORECARDS, scorecard)
    try:
        with transaction.atomic():
            Scorecard.objects.filter(pk=scorecard.pk).update(archived_at=timezone.now() if archived else None)
    except IntegrityError:
        raise Incomplete(_("There is a scorecard with this title already.")) from None
    audit.record(
        actor=actor,
        verb=Verb.EDIT_SCORECARDS,
        kind="scorecard",
        what=scorecard,
        details={"archived": archived},
    )


def _scored(
    version: ScorecardVersion, answers: Mapping[str, object]
) -> tuple[dict[str, int | str], scoring.Score]:
    sections = sections_of(version)
    clean = {
        question.id: value
        for section in sections
        for question in section.questions
        if (value := scoring.valid(question, answers.get(question.id))) is not None
    }
    return clean, scoring.score(sections, clean)


def _step(review: Review, before: ReviewState, **changes: Any) -> None:
    # Two people, or one person's double click: the state is part of the question.
    if not Review.objects.filter(pk=review.pk, state=before).update(**changes):
        raise NotThere(_("This has been done already, or is not to be done now. Reload the page."))


def _check_author(actor: User, review: Review) -> None:
    _check(actor, Verb.REVIEW, review)
    if review.author_id != actor.pk and actor.role != Role.ADMIN:
        _refuse(actor, Verb.REVIEW, review)


def _check(actor: User, verb: Verb, review: Review) -> None:
    if not can(actor, verb, review):
        _refuse(actor, verb, review)


def _refuse(actor: User, verb: Verb, what: object) -> None:
    kind = type(what).__name__.lower() if not isinstance(what, str) else "scorecard"
    audit.record(actor=actor, verb=verb, kind=kind, what=what, outcome=Outcome.REFUSED)
    raise Refused(_("You may not do this."))


def _note(actor: User, verb: Verb, review: Review, details: Mapping[str, object]) -> None:
    audit.record(
        actor=actor, verb=verb, kind="review", what=review.manager, details={"review": review.pk, **details}
    )


def _text(text: str) -> str:
    """Several lines, each of visible characters."""
    lines = [visible(line, LONGEST_TEXT) for line in text[: 2 * LONGEST_TEXT].splitlines()]
    return "\n".join(lines).strip()[:LONGEST_TEXT]

"""What a scorecard asks, and what its answers come to. Pure: the same answers give the same percent for ever.

A card is kept as JSON: ``[{"title", "questions": [{"id", "text", "kind", "weight", "critical"}]}]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["yes_no", "scale"]
BEST: Mapping[Kind, int] = {"yes_no": 1, "scale": 5}
MOST_SECTIONS, MOST_QUESTIONS, MOST_WEIGHT = 20, 60, 100
NOT_APPLICABLE = "n/a"


class BadCard(ValueError):
    """The card cannot be used; ``code`` says why: empty, too_many, title, text, kind, weight, nothing_counts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Question:
    """``weight``: its share among the questions answered. ``critical``: "no" or 0 here makes the whole 0."""

    id: str
    text: str
    kind: Kind
    weight: int
    critical: bool = False

    @property
    def best(self) -> int:
        return BEST[self.kind]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """``percent``: 0 to 100, None while nothing that counts is answered. ``open``: questions without an answer."""

    percent: float | None
    failed: bool
    open: int


def card(content: Iterable[Mapping[str, Any]]) -> tuple[Section, ...]:
    """The sections of a stored card. Raises BadCard for what no editor of ours has written."""
    try:
        made = tuple(Section(str(s["title"]), tuple(_question(q) for q in s["questions"])) for s in content)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadCard):
            raise
        raise BadCard("text") from error
    return made


def checked(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The same, or BadCard when reviews by it would be impossible."""
    questions = [question for section in sections for question in section.questions]
    if not questions:
        raise BadCard("empty")
    if len(sections) > MOST_SECTIONS or len(questions) > MOST_QUESTIONS:
        raise BadCard("too_many")
    if any(not section.title.strip() for section in sections):
        raise BadCard("title")
    if any(not question.text.strip() for question in questions):
        raise BadCard("text")
    if len({question.id for question in questions}) != len(questions):
        raise BadCard("text")
    if not any(question.weight for question in questions):
        raise BadCard("nothing_counts")
    return sections


def content(sections: tuple[Section, ...]) -> list[dict[str, Any]]:
    """As JSON gives it back: lists, no tuples, so that two contents can be compared."""
    return [
        {"title": section.title, "questions": [asdict(question) for question in section.questions]}
        for section in sections
    ]


def score(sections: tuple[Section, ...], answers: Mapping[str, object]) -> Score:
    """percent = Σ weight × answer / best ÷ Σ weight over the questions answered; "does not apply" is left out."""
    got = out_of = 0.0
    failed, left = False, 0
    for section in sections:
        for question in section.questions:
            answer = valid(question, answers.get(question.id))
            if answer is None:
                left += 1
            elif answer != NOT_APPLICABLE:
                value = int(answer)
                failed = failed or (question.critical and value == 0)
                got += question.weight * value / question.best
                out_of += question.weight
    percent = 100.0 * got / out_of if out_of else None
    return Score(0.0 if failed else percent, failed, left)


def valid(question: Question, answer: object) -> int | str | None:
    """The answer as it counts: a number up to the question's best, NOT_APPLICABLE, None for anything else."""
    if answer == NOT_APPLICABLE:
        return NOT_APPLICABLE
    try:
        value = int(str(answer))
    except ValueError:
        return None
    return value if 0 <= value <= question.best else None


def _question(row: Mapping[str, Any]) -> Question:
    kind = row["kind"]
    if kind not in BEST:
        raise BadCard("kind")
    try:
        weight = int(row["weight"])
    except ValueError:
        raise BadCard("weight") from None
    if not 0 <= weight <= MOST_WEIGHT:
        raise BadCard("weight")
    return Question(str(row["id"]), str(row["text"]), kind, weight, bool(row.get("critical", False)))

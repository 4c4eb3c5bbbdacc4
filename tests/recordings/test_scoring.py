"""What answers come to, and which scorecards cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.domain.scoring import BadCard, Question, Section, card, checked, content, score, valid

YES = Question("a", "Поздоровался", "yes_no", 10)
SCALE = Question("b", "Слушал", "scale", 30)
CRITICAL = Question("c", "Не грубил", "yes_no", 0, critical=True)
CARD = (Section("Разговор", (YES, SCALE)), Section("Недопустимое", (CRITICAL,)))


@pytest.mark.parametrize(
    ("answers", "percent", "failed", "left"),
    [
        ({}, None, False, 3),
        ({"a": 1, "b": 5, "c": 1}, 100.0, False, 0),
        ({"a": "1", "b": "0", "c": "1"}, 25.0, False, 0),
        ({"a": 0, "b": 3, "c": 1}, 45.0, False, 0),
        ({"a": "n/a", "b": 4, "c": 1}, 80.0, False, 0),
        ({"a": 1, "b": 5, "c": 0}, 0.0, True, 0),
        ({"a": "n/a", "b": "n/a", "c": 1}, None, False, 0),
        ({"a": 2, "b": 6, "c": "да"}, None, False, 3),
        ({"a": None, "b": [], "x": 1}, None, False, 3),
    ],
)
def test_a_score_is_the_weighted_share_of_what_was_answered(
    answers: dict[str, object], percent: float | None, failed: bool, left: int
) -> None:
    made = score(CARD, answers)
    assert (made.percent, made.failed, made.open) == (percent, failed, left)


def test_a_card_survives_being_stored() -> None:
    assert checked(card(content(CARD))) == CARD


def question(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "text": "Вопрос", "kind": "yes_no", "weight": 5, "critical": False, **changes}


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ([], "empty"),
        ([{"title": "Раздел", "questions": []}], "empty"),
        ([{"title": " ", "questions": [question()]}], "title"),
        ([{"title": "Р", "questions": [question(text="  ")]}], "text"),
        ([{"title": "Р", "questions": [question(), question()]}], "text"),
        ([{"title": "Р", "questions": [question(kind="stars")]}], "kind"),
        ([{"title": "Р", "questions": [question(weight=101)]}], "weight"),
        ([{"title": "Р", "questions": [question(weight="много")]}], "weight"),
        ([{"title": "Р", "questions": [question(weight=0)]}], "nothing_counts"),
        ([{"title": "Р", "questions": [question(id=str(n)) for n in range(61)]}], "too_many"),
        ([{"questions": [question()]}], "text"),
    ],
)
def test_a_card_nobody_could_answer_says_why(stored: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(BadCard) as refused:
        checked(card(stored))
    assert refused.value.code == code


def test_only_answers_of_the_question_count() -> None:
    assert [valid(SCALE, value) for value in (0, "5", 6, -1, "n/a", "", None, True)] == [
        0, 5, None, None, "n/a", None, None, None,
    ]  # fmt: skip

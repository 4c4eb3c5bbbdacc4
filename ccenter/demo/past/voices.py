"""Something to hear of the demo's past: the latest talks get recordings, some of them reviews.

Recordings are left where a PBX leaves them and come into the storage by the same code.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import imageio_ffmpeg
from django.conf import settings

from ccenter.demo.past.day import MADE_UP
from ccenter.lab import speech
from monitoring.domain import scoring
from monitoring.models import Call, Manager, Review, Supervisor
from monitoring.models.recordings import Recording
from monitoring.selectors.reviews import sections_of, talkers, usable_cards
from monitoring.services import recording_inbox, reviews
from tenants.scope import company_scope

SUMMARIES = (
    "Вежливо и по делу, клиент получил ответ с первого раза.",
    "Не представилась в начале разговора, в остальном хорошо.",
    "Долго искал ответ, клиенту пришлось ждать молча. Ставьте на удержание.",
    "Отлично: уточнила детали и договорилась о следующем шаге.",
    "Клиент дважды повторил номер заказа. Слушайте внимательнее.",
)
REMARKS = (
    "Здесь стоило представиться.",
    "Хорошо уточнил вопрос клиента.",
    "Перебивает клиента.",
    "Итог назван чётко.",
)
APPEAL = "В этот момент не открывалась карточка клиента, поэтому искал ответ дольше обычного."
VERDICT = "Проверили: система правда не отвечала. Этот вопрос исключён из оценки."


def leave(slug: str, *, voices: Sequence[Path], amount: int) -> int:
    """Record the ``amount`` latest made-up talks with ``voices`` (A-law files), tones if there are none.

    Returns how many recordings were made; 0 when there are some already. Call it outside every scope.
    """
    with company_scope(slug):
        if Recording.objects.exists():
            return 0
        calls = Call.objects.filter(
            key__contains=MADE_UP,
            direction="in",
            disposition="answered",
            talk_seconds__gt=30,
            talk_seconds__lt=150,
        )
        for place, call in enumerate(calls.order_by("-started")[:amount]):
            _record(slug, call, voices, place)
        return recording_inbox.collect().stored


def judge(slug: str, *, amount: int) -> int:
    """Let the company's supervisors review ``amount`` of the recorded talks; returns how many were."""
    luck = random.Random(f"reviews {slug}")
    with company_scope(slug):
        cards = usable_cards()
        heads = list(Supervisor.objects.select_related("user").prefetch_related("groups").order_by("pk"))
        if Review.objects.exists() or not cards:
            return 0
        done = 0
        for recording in (
            Recording.objects.filter(call__isnull=False).select_related("call").order_by("-started")
        ):
            assert recording.call is not None
            for manager in talkers(recording.call):
                able = [
                    head for head in heads if {g.pk for g in head.groups.all()} & set(recording.call.groups)
                ]
                if able and done < amount:
                    head = next((one for one in able if manager.is_headed_by(one.user)), None)
                    if head is not None:
                        _review(head, recording, manager, luck, appealed=done % 5 == 1)
                        done += 1
        return done


def _review(
    head: Supervisor, recording: Recording, manager: Manager, luck: random.Random, *, appealed: bool
) -> None:
    assert recording.call is not None
    version = usable_cards()[0]
    row = reviews.begin(actor=head.user, call=recording.call, manager=manager, version=version)
    row.refresh_from_db()
    for _ in range(luck.randint(0, 2)):
        reviews.remark(
            actor=head.user,
            review=row,
            second=round(luck.uniform(0, recording.seconds), 1),
            text=luck.choice(REMARKS),
        )
    reviews.answer(
        actor=head.user,
        review=row,
        answers=_answers(sections_of(version), luck),
        summary=luck.choice(SUMMARIES),
    )
    row.refresh_from_db()
    reviews.give(actor=head.user, review=row)
    given = recording.started + timedelta(hours=luck.uniform(3, 40))
    Review.objects.filter(pk=row.pk).update(begun_at=given - timedelta(minutes=9), given_at=given)
    if appealed and manager.user is not None:
        row.refresh_from_db()
        reviews.appeal(actor=manager.user, review=row, text=APPEAL)
        if luck.random() < 0.5:
            row.refresh_from_db()
            reviews.decide(
                actor=head.user,
                review=row,
                reason=VERDICT,
                answers=_answers(sections_of(version), luck, best=True),
            )


def _answers(
    sections: Sequence[scoring.Section], luck: random.Random, *, best: bool = False
) -> dict[str, object]:
    """Mostly good, as reviews are."""
    return {
        question.id: question.best
        if best or question.critical
        else luck.choices(range(question.best + 1), [0.02 + n**2 for n in range(question.best + 1)])[0]
        for section in sections
        for question in section.questions
    }


def _record(slug: str, call: Call, voices: Sequence[Path], place: int) -> None:
    """Both sides of the talk as MixMonitor writes them: two channels of 8 kHz, no header, named by channel and time."""
    assert call.answered is not None
    assert call.ended is not None
    seconds = (call.ended - call.answered).total_seconds()
    folder = Path(settings.RECORDINGS_INBOX) / call.pbx / "monitor" / slug
    folder.mkdir(parents=True, exist_ok=True)
    own = call.key.partition(":")[2]
    target = folder / f"{own}-{own}-{int(call.answered.timestamp())}.raw"
    customer, manager = _sides(voices, place, folder)
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y",
            "-stream_loop", "-1", "-f", "alaw", "-ar", "8000", "-ac", "1", "-i", os.fspath(customer),
            "-stream_loop", "-1", "-f", "alaw", "-ar", "8000", "-ac", "1", "-i", os.fspath(manager),
            "-filter_complex", "[1:a]adelay=1500[b];[0:a][b]amerge=inputs=2", "-t", f"{seconds:.2f}",
            "-f", "s16le", "-ar", "8000", os.fspath(target),
        ],
        check=True, timeout=60,
    )  # fmt: skip
    os.utime(target, (call.ended.timestamp(), call.ended.timestamp()))


def _sides(voices: Sequence[Path], place: int, folder: Path) -> tuple[Path, Path]:
    if len(voices) >= 2:
        return voices[place % len(voices)], voices[(place + 1 + place // len(voices)) % len(voices)]
    home = folder.parent
    return speech.tone(home / ".customer.al", 440.0), speech.tone(home / ".manager.al", 330.0)

"""Tones by which a test knows who speaks, as MixMonitor's stereo file, and an ear that tells them apart."""

from __future__ import annotations

import math
import os
import subprocess
import time
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path

import imageio_ffmpeg

RATE = 8000


def stereo(path: Path, left: float, right: float, *, seconds: float = 3.0, loud: float = 0.4) -> Path:
    """Two channels of 8 kHz; a tone of 0 Hz is silence."""
    frames = array("h")
    for n in range(int(seconds * RATE)):
        for hertz in (left, right):
            frames.append(int(32767 * loud * math.sin(2 * math.pi * hertz * n / RATE)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(frames.tobytes())
    return path


def side(hertz: float, *, seconds: float = 3.0, loud: float = 0.4) -> bytes:
    """One side of a recording in the making: 16 kHz."""
    peak, turn = int(32767 * loud), 2 * math.pi * hertz / 16_000
    return array("h", (int(peak * math.sin(turn * n)) for n in range(int(seconds * 16_000)))).tobytes()


def left_at(path: Path, ended: float) -> Path:
    """The last sound in the file was written then (epoch seconds)."""
    os.utime(path, (ended, ended))
    return path


def decoded(file: Path, *, form: str = "mp3") -> tuple[array[int], array[int]]:
    """Both channels of a finished recording."""
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", form, "-i", str(file), "-f", "s16le", "-ar", str(RATE),
         "-ac", "2", "pipe:1"],
        capture_output=True, check=True,
    )  # fmt: skip
    both = array("h", done.stdout)
    return both[0::2], both[1::2]


def rms(samples: array[int]) -> float:
    return math.sqrt(sum(v * v for v in samples) / max(1, len(samples)))


def strength(samples: array[int], hertz: float) -> float:
    """Amplitude of one tone (Goertzel)."""
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for value in samples:
        before, last = last, value + factor * last - before
    return 2 * math.sqrt(max(0.0, last * last + before * before - factor * last * before)) / len(samples)


def heard(samples: array[int], voices: Mapping[str, float], *, step: float = 0.25) -> list[str]:
    """Who speaks, one after another: a voice that is clearly the loudest for two steps running."""
    width, said, earlier = int(step * RATE), [], ""
    for start in range(0, len(samples) - width, width):
        part = samples[start : start + width]
        levels = {name: strength(part, hertz) for name, hertz in voices.items()}
        loudest = max(levels, key=levels.__getitem__)
        now = loudest if levels[loudest] > 4000 else ""
        if now and now == earlier and (not said or said[-1] != now):
            said.append(now)
        earlier = now
    return said


def until_quiet(folders: Iterable[Path], *, seconds: float = 5.0) -> None:
    """Wait until no recording is being written there any more."""
    deadline = time.monotonic() + seconds
    while any(file.is_file() for folder in folders for file in folder.rglob("*")):
        assert time.monotonic() < deadline, "a recording was never finished"
        time.sleep(0.1)

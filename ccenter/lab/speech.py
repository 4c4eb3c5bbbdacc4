"""What callers and phones say: Asterisk's own prompts as conversations, or a tone by which a test knows who speaks.

SIPp sends these files as they are (A-law, 8000 samples a second), so playing costs next to nothing.
"""

from __future__ import annotations

import math
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from random import Random

import imageio_ffmpeg

from ccenter.lab.root import Runtime

RATE = 8000
PROMPTS = "usr/share/asterisk/sounds/*_*_*"
SHORTEST_PROMPT = 4_000  # bytes of GSM: two and a half seconds
VOICES = 4


def alaw(sample: int) -> int:
    """G.711 A-law of a signed 16-bit sample."""
    value = min(abs(sample) >> 3, 4095)
    sign = 0x80 if sample >= 0 else 0
    if value < 32:
        code = value >> 1
    else:
        exponent = value.bit_length() - 5
        code = (exponent << 4) | ((value >> exponent) & 0x0F)
    return (sign | code) ^ 0x55


def tone(path: Path, hertz: float, *, seconds: float = 2.0, loud: float = 0.4) -> Path:
    """A steady tone; whole periods, so that the file can be played in a loop without a click."""
    length = round(round(seconds * hertz) / hertz * RATE)
    path.write_bytes(
        bytes(alaw(int(32767 * loud * math.sin(2 * math.pi * hertz * n / RATE))) for n in range(length))
    )
    return path


def conversation(path: Path, prompts: Iterable[Path], *, pause: float) -> Path:
    """GSM prompts one after another, each followed by ``pause`` seconds in which the other side speaks."""
    parts: list[bytes] = []
    silence = bytes([alaw(0)]) * int(pause * RATE)
    for prompt in prompts:
        done = subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-f", "gsm", "-i", str(prompt),
             "-f", "s16le", "-ar", str(RATE), "-ac", "1", "pipe:1"],
            capture_output=True, check=True, timeout=20,
        )  # fmt: skip
        samples = struct.iter_unpack("<h", done.stdout)
        parts += [bytes(alaw(sample) for (sample,) in samples), silence]
    path.write_bytes(b"".join(parts))
    return path


def voices(runtime: Runtime, folder: Path) -> tuple[Path, ...]:
    """Conversations of the installed prompts, Russian and English; none when no prompts are installed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = sorted(folder.glob("voice-*.al"))
    if made:
        return tuple(made)
    dice = Random(8)
    languages = [
        sorted(f for f in home.glob("*.gsm") if SHORTEST_PROMPT < f.stat().st_size < 10 * SHORTEST_PROMPT)
        for home in sorted(runtime.top.glob(PROMPTS))
    ]
    # Russian speaks more often than English, as the demo's customers do.
    sources = [s for s in reversed(languages) if s]
    return tuple(
        conversation(
            folder / f"voice-{n}.al",
            dice.sample(sources[0 if n % 4 else -1], 6),
            pause=1.0 + n % 3,
        )
        for n in range(VOICES if sources else 0)
    )

"""Sound as a PBX leaves it → what every browser plays: MP3, two channels if there were two, and its waveform.

MP3 because Safari plays it at any age (WebM and Ogg it does not), and at a constant rate any second is found by
arithmetic, so seeking needs no index. ffmpeg is told the format: it never guesses at a stranger's file.
"""

from __future__ import annotations

import hashlib
import math
import subprocess
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

KIND, SUFFIX = "audio/mpeg", ".mp3"
BITRATE = 32_000  # bits a second for both channels: speech of telephone width, 14 MB an hour
LONGEST = 12 * 3600.0
SHORTEST = 0.2
MOST_PEAKS = 1000
_RATE, _SAMPLE = 8000, 2
_WINDOW = 400  # samples: a twentieth of a second
_CHUNK = 1 << 16
_STEREO = (".raw", ".pair")  # without a header: the name alone says what they are


class BadSound(ValueError):
    """The file cannot become a recording; ``code``: unknown, empty, too_long, unreadable."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(f"{code}: {why}" if why else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sound:
    """``peaks``: per channel, 0 to 100, the same number of values each. ``sha256``: of the file made."""

    seconds: float
    channels: int
    peaks: list[list[int]]
    size: int
    sha256: str


def convert(source: Path, target: Path, *, timeout: float = 240.0) -> Sound:
    """Write ``target`` (MP3) from ``source`` and read it back.

    .wav; .raw: two channels of 8 kHz; .pair: two sounds of 16 kHz and one length, one behind the other.
    Raises BadSound; subprocess.TimeoutExpired when the machine is too slow now; OSError when there is no room.
    """
    shape = source.suffix.lower()
    if shape not in (*_STEREO, ".wav"):
        raise BadSound("unknown", source.suffix[:20])
    if source.stat().st_size < SHORTEST * _RATE * _SAMPLE:
        raise BadSound("empty")
    said = subprocess.run(  # noqa: S603 - our own program, no shell; the file's name is given as one argument
        [*_ffmpeg(), *_input(source.absolute(), shape), "-t", str(LONGEST + 1), "-ar", "16000",
         "-c:a", "libmp3lame", "-b:a", str(BITRATE), "-joint_stereo", "0", "-map_metadata", "-1",
         "-id3v2_version", "0", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "mp3", "-y",
         str(target.absolute())],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=timeout,
    )  # fmt: skip
    if said.returncode:
        raise BadSound("unreadable", said.stderr.decode(errors="replace")[-200:])
    return read(target, channels=2 if shape in _STEREO else _channels_of(source))


def _input(source: Path, shape: str) -> tuple[str, ...]:
    """What ffmpeg is to read: it is told the format and never guesses."""
    if shape == ".wav":
        return ("-f", "wav", "-i", str(source), "-map", "0:a:0")
    if shape == ".raw":
        return ("-f", "s16le", "-ar", "8000", "-ac", "2", "-i", str(source), "-map", "0:a:0")
    half = source.stat().st_size // 2 // _SAMPLE * _SAMPLE
    sides: tuple[str, ...] = ()
    for begin in (0, half):
        part = f"subfile,,start,{begin},end,{begin + half},,:{source}"
        sides += (
            "-protocol_whitelist",
            "file,subfile",
            "-f",
            "s16le",
            "-ar",
            "16000",
            "-ac",
            "1",
            "-i",
            part,
        )
    return (*sides, "-filter_complex", "[0:a][1:a]join=inputs=2:channel_layout=stereo")


def read(file: Path, *, channels: int) -> Sound:
    """What a finished MP3 really holds: decoded from beginning to end, so a damaged one is found here."""
    loudest: list[list[int]] = [[] for _ in range(channels)]
    samples = 0
    for block in _decoded(file, channels):
        samples += len(block) // channels
        for channel in range(channels):
            own = block[channel::channels]
            loudest[channel].append(max(max(own), -min(own)))
    seconds = samples / _RATE
    if seconds < SHORTEST:
        raise BadSound("empty")
    if seconds > LONGEST:
        raise BadSound("too_long")
    peaks = [[_shown(value) for value in fold(values)] for values in loudest]
    return Sound(round(seconds, 2), channels, peaks, file.stat().st_size, digest(file))


def fold(values: list[int]) -> list[int]:
    """At most MOST_PEAKS values, each the loudest of its equal share."""
    count = min(len(values), MOST_PEAKS)
    return [max(values[len(values) * n // count : len(values) * (n + 1) // count]) for n in range(count)]


def digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _shown(peak: int) -> int:
    # A square root: speech fills the height, as ears and not amplifiers hear it.
    return min(100, round(100 * math.sqrt(peak / 32768)))


def _decoded(file: Path, channels: int) -> Iterator[array[int]]:
    """Windows of samples, the channels interleaved. Memory does not grow with the file."""
    command = [*_ffmpeg(), "-f", "mp3", "-i", str(file.absolute()), "-f", "s16le", "-ar", str(_RATE),
               "-ac", str(channels), "pipe:1"]  # fmt: skip
    window = _WINDOW * channels * _SAMPLE
    with subprocess.Popen(  # noqa: S603 - our own program, no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=_CHUNK
    ) as decoder:
        assert decoder.stdout is not None
        while data := decoder.stdout.read(window):
            whole = len(data) - len(data) % (channels * _SAMPLE)
            if whole:
                yield array("h", data[:whole])
    if decoder.returncode:
        raise BadSound("unreadable")


def _channels_of(wav: Path) -> int:
    """1 or 2, from the header; more are nothing a call has, and are mixed to two."""
    with wav.open("rb") as opened:
        head = opened.read(64)
    at = head.find(b"fmt ")
    return 1 if at >= 0 and head[at + 10 : at + 12] == b"\x01\x00" else 2


def _ffmpeg() -> tuple[str, ...]:
    # Gently: live calls and pages come before old ones. Files only: a playlist must fetch nothing.
    return ("nice", "-n", "10", imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-threads", "1",
            "-protocol_whitelist", "file,pipe")  # fmt: skip

"""What is unusual, judged so that the unusual itself does not move the yardstick: median and MAD, never mean and σ.

Modified z-score after Iglewicz and Hoaglin (1993); 3.5 is their limit for an outlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median
from typing import Final

OUTLIER: Final = 3.5
OUTLIER_OF_MANY: Final = 5.0
"""Where hundreds of values are judged at once, chance alone takes some of them over the other limit."""
_SIGMA: Final = 1.4826  # MAD of a normal distribution times this is its standard deviation


@dataclass(frozen=True, slots=True)
class Usual:
    """What a sample says is usual: its ``middle``, and how far around it is still nothing (``scale`` > 0)."""

    middle: float
    scale: float

    def z(self, value: float) -> float:
        """By how many scales ``value`` lies above (or, negative, below) the middle."""
        return (value - self.middle) / self.scale


def mad(sample: Sequence[float]) -> float:
    """Median absolute deviation from the median. The sample is not empty."""
    middle = median(sample)
    return float(median(abs(value - middle) for value in sample))


def usual(sample: Sequence[float], *, floor: float, share_of: float | None = None) -> Usual:
    """The yardstick of a sample that is not empty.

    ``floor`` > 0: below it a difference means nothing, also when the sample is all alike. ``share_of``: the value to be
    judged is a share of so many; chance alone then moves it by a binomial's σ.
    """
    middle = float(median(sample))
    scale = max(_SIGMA * mad(sample), floor)
    if share_of is not None and share_of > 0:
        # Of small numbers most shares are 0 and so is their median, but the next one need not be.
        kept = min(max(middle, fmean(sample), 0.03), 0.97)
        scale = max(scale, sqrt(kept * (1 - kept) / share_of))
    return Usual(middle, scale)

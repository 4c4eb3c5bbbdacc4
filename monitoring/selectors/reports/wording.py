"""How values of reports are written: durations, shares, counts, dates, in the language in force."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from monitoring.domain.metric import Metric, Unit
from monitoring.domain.statistics import Bucket

NOTHING = "—"
_THIN = "\N{NARROW NO-BREAK SPACE}"


def title_of(metric: Metric) -> str:
    """A metric's title. A company's own status has its own words and is no word of the portal."""
    return metric.title if metric.key.startswith("status:") else pgettext("metric", metric.title)


def meaning_of(metric: Metric) -> str:
    return _(metric.meaning)


def shown(value: float | None, unit: Unit) -> str:
    """A value in its unit; "—" for none. ``unit`` seconds: 0:07, 12:34, 1:02:03."""
    if value is None:
        return NOTHING
    if unit == "seconds":
        return duration(value)
    if unit == "share":
        return percent(value)
    return number(value) if unit == "count" else decimal(value)


def duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{number(minutes // 60)}:{minutes % 60:02d}:{rest:02d}"


def percent(value: float) -> str:
    """Whole percents, tenths near the ends, where they matter; what is not all is never 100 %."""
    part = value * 100
    rounded = round(part, 1) if part < 10 or part > 97 else round(part)
    if rounded >= 100 > part:
        rounded = 99.9
    text = decimal(rounded) if rounded != round(rounded) else str(round(rounded))
    return f"{text}{_THIN}%"


def number(value: float) -> str:
    return f"{round(value):,}".replace(",", _THIN if get_language() == "ru" else ",")


def decimal(value: float) -> str:
    text = f"{value:.1f}"
    return text.replace(".", ",") if get_language() == "ru" else text


def day(when: date, *, year: bool = False) -> str:
    return date_format(when, "j E Y" if year else "j b") if get_language() == "ru" else date_format(
        when, "j F Y" if year else "j M"
    )  # fmt: skip


def period(first: date, last: date) -> str:
    """A period as people say it."""
    if first == last:
        return day(first, year=True)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last, year=True)}"
    return f"{day(first, year=first.year != last.year)} – {day(last, year=True)}"


def bucket_label(at: float, bucket: Bucket, zone: str) -> str:
    """What stands under a column of a chart."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    if bucket in ("quarter", "half_hour", "hour"):
        return f"{local:%d.%m %H:%M}"
    return date_format(local.date(), "F Y") if bucket == "month" else f"{local:%d.%m}"


def weekday(iso: int) -> str:
    """Monday = 1, short."""
    names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return names[iso - 1]


def moment(at: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(zone)):%d.%m.%Y %H:%M}"

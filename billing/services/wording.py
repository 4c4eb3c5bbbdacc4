"""What an invoice's lines say, in Russian and in English: for papers, pages and described cases alike.

Written when a line is made and kept with it: an old invoice reads the same whatever the catalogues say later.
"""

from __future__ import annotations

from datetime import date

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.domain.metering import Measure
from billing.domain.periods import DAY, Period, month_of
from billing.domain.pricing import Charge, ChargeKind
from billing.domain.rating import Line

LANGUAGES = ("ru", "en")


def title(line: Line, language: str) -> str:
    """One line's text, plain: what for, how many of what, which days. ``language``: "ru" or "en"."""
    with translation.override(language):
        return f"{_what(line)} {_days(line.part)}"


def correction_title(*, number: str, month: Period, was: int, now: int, language: str) -> str:
    """Of a line that makes up for what an issued invoice of ``month`` did not know yet."""
    with translation.override(language):
        return _("Correction to invoice No. %(number)s for %(month)s: %(now)d instead of %(was)d") % {
            "number": number, "month": _month(month.start), "now": now, "was": was,
        }  # fmt: skip


def credit_reason(*, number: str, month: Period, was: int, now: int, language: str) -> str:
    """Why money is given back after the facts of ``month`` have changed."""
    with translation.override(language):
        return _("Recalculation of %(month)s (invoice No. %(number)s): %(now)d instead of %(was)d") % {
            "number": number, "month": _month(month.start), "now": now, "was": was,
        }  # fmt: skip


def _what(line: Line) -> str:
    charge = line.charge
    match charge.kind:
        case ChargeKind.BASE if not charge.prorated:
            return _("Connection of the plan by monitoring profiles,")
        case ChargeKind.BASE:
            return _("Monthly fee of the plan by monitoring profiles")
        case ChargeKind.FURTHER if line.measured.measure is Measure.PROFILE_DAYS:
            return _("Further monitoring profiles, profile days: %(count)d,") % {"count": charge.quantity}
        case ChargeKind.FURTHER:
            return _("Further monitoring profiles: %(count)d,") % {"count": charge.quantity}
        case _:
            return _tier(charge, line.measured.measure)


def _tier(charge: Charge, measure: Measure) -> str:
    assert charge.bounds is not None
    low, high = charge.bounds
    words = {"low": low, "high": high or 0, "above": low - 1, "count": charge.quantity}
    managers = measure is Measure.MANAGERS
    if high is None:
        if charge.kind is ChargeKind.UNAGREED:
            text = (
                _("Managers who take calls: over %(above)d (%(count)d), the price is to be agreed,")
                if managers
                else _("Calls handled at once: over %(above)d (peak %(count)d), the price is to be agreed,")
            )
        else:
            text = (
                _("Managers who take calls: over %(above)d (%(count)d), at the agreed price")
                if managers
                else _("Calls handled at once: over %(above)d (peak %(count)d), at the agreed price")
            )
    elif low == 0:
        text = (
            _("Managers who take calls: up to %(high)d (%(count)d)")
            if managers
            else _("Calls handled at once: up to %(high)d (peak %(count)d)")
        )
    else:
        text = (
            _("Managers who take calls: %(low)d to %(high)d (%(count)d)")
            if managers
            else _("Calls handled at once: %(low)d to %(high)d (peak %(count)d)")
        )
    return text % words


def _days(part: Period) -> str:
    if part == month_of(part.start, part.zone):
        return _("for %(month)s") % {"month": _month(part.start)}
    first, last = _day(part.start), _day(part.end - DAY)
    if first == last:
        return pgettext("one day of a service", "on %(day)s") % {"day": first}
    return pgettext("days of a service, both inclusive", "from %(first)s to %(last)s") % {
        "first": first, "last": last,
    }  # fmt: skip


def _month(day: date) -> str:
    """«июнь 2026 г.»; Django's names of Russian months begin with a capital, sentences within do not."""
    name = date_format(day, "F")
    name = name.lower() if translation.get_language() == "ru" else name
    return _("%(month)s %(year)d") % {"month": name, "year": day.year}


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"

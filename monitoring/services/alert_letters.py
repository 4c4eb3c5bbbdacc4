"""Letters about alerts: to whoever wants them and may see the alert, once for each level, not in quiet hours.

What is due to one person at one moment goes in one letter: a bad minute must not become forty messages.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from monitoring.domain.limits import RANK
from monitoring.domain.metrics import METRICS
from monitoring.models.alerts import Alert, AlertLetter, AlertRule
from monitoring.selectors import alerts as selector
from monitoring.selectors.alerts import figure
from tenants.models import Company
from tenants.people.models import User
from tenants.scope import current_company

logger = logging.getLogger(__name__)
LEAST = {AlertRule.Letters.WARN: "warn", AlertRule.Letters.ALARM: "alarm"}


def write(now: datetime | None = None) -> int:
    """Send what is due in the company in scope; returns how many letters. A letter that cannot go waits for the
    next look."""
    moment = now or timezone.now()
    company = Company.objects.get(schema_name=current_company())
    rules = AlertRule.objects.exclude(letters=AlertRule.Letters.NEVER).select_related("user")
    sent = 0
    for rule in rules:
        if _is_quiet(rule, moment.astimezone(ZoneInfo(company.time_zone)).time()):
            continue
        due = _claim(rule.user, _due(rule), moment)
        if due:
            sent += _send(company, rule.user, due)
    return sent


def _due(rule: AlertRule) -> list[Alert]:
    """Open alerts this person may see now, at a level that is wanted and was not written about yet."""
    least = RANK[LEAST[AlertRule.Letters(rule.letters)]]
    written = set(AlertLetter.objects.filter(user=rule.user).values_list("alert_id", "level"))
    found = selector.seen_by(rule.user).filter(ended__isnull=True)
    return [
        alert
        for alert in found
        if RANK[alert.worst_level] >= least and (alert.pk, alert.worst_level) not in written
    ]


def _claim(user: User, due: Iterable[Alert], now: datetime) -> list[tuple[Alert, AlertLetter]]:
    """Written down before it goes: of two workers at once only one gets the row, and only that one writes."""
    claimed = []
    for alert in due:
        letter, made = AlertLetter.objects.get_or_create(
            alert=alert, level=alert.worst_level, user=user, defaults={"at": now}
        )
        if made:
            claimed.append((alert, letter))
    return claimed


def _send(company: Company, user: User, due: list[tuple[Alert, AlertLetter]]) -> int:
    known = dict(settings.LANGUAGES)
    language = next(
        (wish for wish in (user.language, company.language) if wish in known), settings.LANGUAGE_CODE
    )
    with translation.override(language):
        lines = [_line(alert) for alert, _letter in due]
        if len(lines) == 1:
            subject = "{level}: {metric} — {scope}".format(**lines[0])
        else:
            subject = ngettext("%(n)s alert", "%(n)s alerts", len(lines)) % {"n": len(lines)}
        body = render_to_string(
            "monitoring/profiles/alert_letter.txt",
            {"lines": lines, "company": company.name, "address": _address(company)},
        )
    try:
        send_mail(" ".join(subject.split()), body, None, [user.email])
    except OSError as error:
        logger.warning("No letter about alerts of %s could be sent: %s", company.schema_name, error)
        AlertLetter.objects.filter(pk__in=[letter.pk for _alert, letter in due]).delete()
        return 0
    return 1


def _line(alert: Alert) -> dict[str, Any]:
    metric = METRICS.get(alert.metric)
    unit = metric.unit if metric else "count"
    return {
        "level": _("Alarm") if alert.worst_level == "alarm" else _("Warning"),
        "metric": pgettext("metric", metric.title) if metric else alert.metric,
        "scope": alert.scope_title,
        "worst": figure(unit, alert.worst),
        "limit": figure(unit, alert.limit),
        "began": alert.began,
    }


def _address(company: Company) -> str:
    """Where the company's people find their alerts."""
    host = company.get_primary_domain().domain
    port = f":{settings.PUBLIC_PORT}" if settings.PUBLIC_PORT else ""
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return f"{scheme}://{host}{port}{reverse('monitoring:alerts', urlconf=settings.COMPANY_URLCONF)}"


def _is_quiet(rule: AlertRule, at: time) -> bool:
    begin, end = rule.quiet_from, rule.quiet_until
    if begin is None or end is None:
        return False
    return begin <= at < end if begin < end else at >= begin or at < end

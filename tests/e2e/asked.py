"""``python -m tests.e2e.asked COMPANY``: what the portal's reports would say of a company's last two days, as JSON.

Three times: as asked now, from raw rows alone, and from the kept sums once this half-hour is over. A process of its
own, because the tests' process must not speak to the stack's database by the ORM.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import django
from django.db import transaction
from django.utils import timezone


def main(company: str) -> dict[str, Any]:
    django.setup()
    from monitoring.domain.intervals import local_day
    from monitoring.domain.statistics import Answer, Question, Scope
    from monitoring.selectors import statistics
    from monitoring.services import rollups
    from tenants.models import Company
    from tenants.scope import company_scope

    def told(answer: Answer) -> dict[str, Any]:
        return {
            "source": answer.source,
            "total": answer.total,
            "rows": {r.key: r.counts for r in answer.rows},
        }

    with company_scope(company):
        zone = Company.objects.get(schema_name=company).time_zone
        now = timezone.now().timestamp()
        today = local_day(now, zone)
        whole = Question(Scope(), today - timedelta(days=1), today, zone)
        found: dict[str, Any] = {}
        for split in ("queue", "manager"):
            question = replace(whole, split=split)
            found[split] = {
                "now": told(statistics.answer(question, now=now)),
                "rows": told(statistics.answer_from_rows(question, now=now)),
            }
            # The half-hour of now is over in this transaction only: what the stack's own worker builds stays as it is.
            with transaction.atomic():
                rollups.build(now=now + 1800)
                found[split]["sums"] = told(statistics.answer(question, now=now + 1800))
                transaction.set_rollback(True)
        return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))

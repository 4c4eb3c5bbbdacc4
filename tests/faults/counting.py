"""Today's counts on the boards beside the rows: nothing is counted twice, nothing forgotten."""

from __future__ import annotations

from ccenter.demo.past.day import MADE_UP
from tests.e2e.stack import COMPANIES, Stack


def counted_twice(stack: Stack) -> list[str]:
    """Queues whose counts of today are not those of the rows; a made-up past is none of the PBX's."""
    wrong = []
    for company in COMPANIES:
        rows = dict(
            stack.rows(
                company,
                "SELECT queue_name, count(*) FROM monitoring_queuevisit"
                " WHERE outcome IN ('answered', 'abandoned', 'flow-out') AND position(%s in call_key) = 0"
                " GROUP BY 1",
                MADE_UP,
            )
        )
        for key, queue in stack.board(company)["queue"].items():
            if queue["today"]["offered"] != rows.get(key, 0):
                wrong.append(f"{key}: {queue['today']['offered']} on the board, {rows.get(key, 0)} stored")
    return wrong

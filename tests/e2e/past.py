"""``python -m tests.e2e.past DAYS``: the seeded companies' days before today, filled as the demo fills them.

A process of its own, because the tests' process must not speak to the stack's database by the ORM.
"""

from __future__ import annotations

import sys

import django


def main(days: int) -> None:
    django.setup()
    from ccenter.demo.past.write import write
    from ccenter.demo.seed import COMPANIES

    for company in COMPANIES:
        write(company.slug, days=days)


if __name__ == "__main__":
    main(int(sys.argv[1]))

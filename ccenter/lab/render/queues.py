"""Queues and who serves them. A member's name is the manager's key, so that queue_log and events name people alike.

``ringinuse = no``: a manager in two queues is offered one call at a time.
"""

from __future__ import annotations

from ccenter.lab.plan import CompanyPlan, PbxPlan, QueuePlan

GENERAL = """[general]
persistentmembers = no
autofill = yes
shared_lastcall = yes
log_membername_as_agent = yes
"""


def member(company: CompanyPlan, queue: QueuePlan, name: str) -> str:
    device = f"PJSIP/{company.endpoint(name)}"
    extension = next(m.extension for m in company.managers if m.name == name)
    rings = f"Local/{extension}@{company.slug}-members/n" if queue.via_local else device
    return f"member => {rings},0,{company.endpoint(name)},{device}\n"


def queue(company: CompanyPlan, plan: QueuePlan) -> str:
    exits = f"context = {company.slug}-exit-{plan.name}\n" if plan.exit_key else ""
    settings = f"""[{company.queue_key(plan.name)}]
strategy = {plan.strategy}
timeout = {plan.ring_timeout}
retry = {plan.retry}
ringinuse = no
wrapuptime = {plan.wrap_up}
joinempty = yes
leavewhenempty = no
timeoutpriority = conf
announce-frequency = 0
announce-position = no
musicclass = default
{exits}"""
    return settings + "".join(member(company, plan, name) for name in plan.members)


def render(plan: PbxPlan) -> str:
    return GENERAL + "".join(queue(c, q) for c in plan.companies for q in c.queues)

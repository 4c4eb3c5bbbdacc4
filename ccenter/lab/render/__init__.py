"""From a plan to the text of Asterisk's configuration files, one instance at a time.

Pure: nothing here touches the disk or a process, so that tests can read what Asterisk would.
"""

from __future__ import annotations

from ccenter.lab.plan import PbxPlan
from ccenter.lab.ports import Ports
from ccenter.lab.render import dialplan, pjsip, queues, system


def configuration(plan: PbxPlan, *, ports: Ports, base: str, modules: str) -> dict[str, str]:
    """File name → text. ``base``: the instance's directory and ``modules`` Asterisk's, as Asterisk sees them."""
    return {
        "asterisk.conf": system.asterisk(base, modules),
        "manager.conf": system.manager(plan, ports.ami),
        "http.conf": system.http(ports.http),
        "rtp.conf": system.rtp(ports.rtp_first, ports.rtp_last),
        "logger.conf": system.LOGGER,
        "modules.conf": system.modules(cel=plan.cel is not None),
        "cdr.conf": system.CDR,
        "cel.conf": system.CEL,
        "cel_custom.conf": system.CEL_CUSTOM,
        "cel_pgsql.conf": system.cel_pgsql(plan.cel),
        "features.conf": system.FEATURES,
        "indications.conf": system.INDICATIONS,
        "musiconhold.conf": system.music(base),
        "res_parking.conf": system.parking(plan),
        "pjsip.conf": pjsip.render(plan, ports),
        "queues.conf": queues.render(plan),
        "extensions.conf": dialplan.render(plan, base),
        dialplan.RECORDED: dialplan.recorded(base),
        **dict.fromkeys(system.EMPTY, ""),
    }

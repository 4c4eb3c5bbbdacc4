"""SIP: the trunk, known by its own loopback address, and one endpoint for every manager.

Every endpoint carries ``tenantid``: it comes back in each AMI event of its channels and routes it to its company.
"""

from __future__ import annotations

from ccenter.lab.plan import CompanyPlan, ManagerPlan, PbxPlan, spoken
from ccenter.lab.ports import CITY_HOST, PBX_HOST, Ports

TRUNK = "trunk"


# An endpoint with a caller ID of its own ignores the From header; the dialplan then reads it and lets pass what
# a number may hold. See PbxPlan.guarded.
GUARD = "callerid = <unknown>\n"


def transports(ports: Ports, *, guarded: bool) -> str:
    return f"""[global]
type = global
endpoint_identifier_order = ip,username
unidentified_request_count = 1000
taskprocessor_overload_trigger = pjsip_only
[transport-udp]
type = transport
protocol = udp
bind = {PBX_HOST}:{ports.sip}
[transport-ws]
type = transport
protocol = ws
bind = {PBX_HOST}
[{TRUNK}]
type = endpoint
transport = transport-udp
context = from-trunk
disallow = all
allow = alaw,ulaw
direct_media = no
dtmf_mode = auto_info
language = ru
aors = {TRUNK}
{GUARD if guarded else ""}[{TRUNK}]
type = aor
contact = sip:{CITY_HOST}:{ports.city}
[{TRUNK}]
type = identify
endpoint = {TRUNK}
match = {CITY_HOST}
"""


def phone(company: CompanyPlan, manager: ManagerPlan) -> str:
    name = company.endpoint(manager.name)
    browser = (
        "webrtc = yes\ndtls_auto_generate_cert = yes\n" if manager.webrtc else "transport = transport-udp\n"
    )
    codecs = "opus,alaw,ulaw" if manager.webrtc else "alaw,ulaw"
    contact = f"contact = {manager.contact}\n" if manager.contact else ""
    return f"""[{name}]
type = endpoint
context = {company.slug}
tenantid = {company.slug}
accountcode = {company.slug}
{browser}disallow = all
allow = {codecs}
direct_media = no
dtmf_mode = auto_info
language = ru
callerid = "{spoken(manager.title)}" <{manager.extension}>
named_call_group = {company.slug}
named_pickup_group = {company.slug}
set_var = CHANNEL(parkinglot)={company.slug}-park
auth = {name}
aors = {name}
[{name}]
type = auth
auth_type = userpass
username = {name}
password = {manager.secret}
[{name}]
type = aor
max_contacts = 1
remove_existing = yes
{contact}"""


def render(plan: PbxPlan, ports: Ports) -> str:
    return transports(ports, guarded=plan.guarded) + "".join(
        phone(c, m) for c in plan.companies for m in c.managers
    )

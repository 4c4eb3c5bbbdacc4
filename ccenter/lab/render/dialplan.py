"""The dialplan: the way of every call, and the marks by which the portal follows it.

A call from the trunk belongs to nobody until the number is known: the company is stamped as the very first step.
The customer's channel is recorded, so the recording goes on through queues and transfers; a file is named by channel
and time and moved when it is complete, so that whoever collects meets no half ones.
``UserEvent(Route, …)`` says what no AMI event says: the line, the menu and its keys, why a queue was left.
A manager who is away gets no direct calls: the portal sets the global ``AWAY_<endpoint>`` to 1 for that time.
"""

from __future__ import annotations

from ccenter.lab.plan import CompanyPlan, IvrPlan, LinePlan, PbxPlan, QueuePlan
from ccenter.lab.render.pjsip import TRUNK

HEAD = """[general]
static = yes
writeprotect = yes
[globals]
"""

# The sides of a recording in the making, and the program that puts them together.
SAID, HEARD, RECORDED = ".said.sln16", ".heard.sln16", "recorded.sh"

RULES = """[portal-listen]
; The portal's own calls to a supervisor's phone end in ChanSpy by Originate; nothing is dialled here.
exten => s,1,Hangup()
[portal-tenant]
exten => s,1,Set(CHANNEL(tenantid)=${ARG1})
 same => n,Set(CHANNEL(accountcode)=${ARG1})
 same => n,Gosub(portal-record,s,1(${ARG1}))
 same => n,Return()
"""

# A customer who was passed on hears a breath of a silent tone: a phone that answers at once leaves no time for ringing.
BETWEEN = """[portal-between]
exten => s,1,GotoIf($["${CHANNEL(state)}" != "Up"]?done)
 same => n,Playtones(!0/1000)
 same => n,Wait(0.05)
 same => n,StopPlaytones()
 same => n(done),Return()
"""
BREATH = "Gosub(portal-between,s,1)"


def globals_of(plan: PbxPlan) -> str:
    """``RECORD_<company>``: 1 = record; the portal changes it on a running PBX when the company's policy changes."""
    switches = "".join(f"RECORD_{c.slug} = {int(c.records)}\n" for c in plan.companies)
    return f"TRUNK = {TRUNK}\n{switches}"


def recorder(base: str) -> str:
    """What the customer says and what the customer hears. Nothing a caller says is part of the name.

    Two files of 16 kHz, not one of 8: a translator that saw the first manager's packets takes those of the second for
    late ones and drops them (up to minutes of speech) as long as it lives. At the line's own rate it lives as long as
    the recording; at any other rate each ringing or music tone between two talks, which is of 8 kHz, replaces it.
    See ``BETWEEN`` and docs/adr/0015.
    """
    name = "${ARG1}/${CHANNEL(linkedid)}-${UNIQUEID}-${EPOCH}.pair"
    half = f"{base}/spool/writing/${{FILE}}"
    return (
        "[portal-record]\n"
        + steps(
            "s",
            'GotoIf($["${GLOBAL(RECORD_${ARG1})}" != "1"]?done)',
            f"Set(LOCAL(FILE)={name})",
            f"MixMonitor(,r({half}{SAID})t({half}{HEARD}),sh {base}/etc/{RECORDED} ${{FILE}})",
        )
        + " same => n(done),Return()\n"
    )


def recorded(base: str) -> str:
    """The program that ends a recording: both sides, one behind the other, are one file, of the last sound's time.

    Sides of different length are those of a full disk: the portal joins them as it does those of a PBX that died.
    """
    return f"""set -e
cd {base}/spool/writing
test "$(stat -c %s "$1{SAID}")" = "$(stat -c %s "$1{HEARD}")"
cat "$1{SAID}" "$1{HEARD}" > "$1"
touch -r "$1{HEARD}" "$1"
mv "$1" "../monitor/$1"
rm "$1{SAID}" "$1{HEARD}"
"""


def mark(kind: str, what: str) -> tuple[str, ...]:
    """Once for those who listen now, once for the call's own record."""
    return f"UserEvent(Route,Kind: {kind},What: {what})", f"CELGenUserEvent({kind},{what})"


def stamp(slug: str) -> tuple[str, ...]:
    """The company's name on the channel: AMI tells the tenant's id, the call records have only the account code."""
    return f"Set(CHANNEL(tenantid)={slug})", f"Set(CHANNEL(accountcode)={slug})"


def steps(extension: str, *actions: str | tuple[str, ...]) -> str:
    first, *rest = (one for action in actions for one in ((action,) if isinstance(action, str) else action))
    return f"exten => {extension},1,{first}\n" + "".join(f" same => n,{action}\n" for action in rest)


# The From header as it was written, its escapes untouched; what stands behind the last "<" is the address. Letters
# stay allowed in a number (anonymous, SIP names); of a name only quotes, backslashes and control bytes are dropped.
GUARD = (
    "Set(FROM=${CHANNEL(pjsip,remote_uri)})",
    "Set(ADDRESS=${POP(FROM,<)})",
    "Set(ADDRESS=${CUT(ADDRESS,>,1)})",
    "Set(CALLERID(num)=${FILTER(0-9A-Za-z+*#._-,${PJSIP_PARSE_URI_FROM(ADDRESS,user)}):0:40})",
    "Set(CALLERID(name)=${FILTER(\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff,${FROM}):0:80})",
)


def line(company: CompanyPlan, plan: LinePlan, *, guarded: bool) -> str:
    if plan.leads_to == "queue":
        goto = f"{company.slug}-queues,{plan.target},1"
    elif plan.leads_to == "ivr":
        goto = f"{company.slug}-menu-{plan.target},s,1"
    else:
        goto = f"{company.slug},{extension_of(company, plan.target)},1"
    guard = GUARD if guarded else ()
    record = f"Gosub(portal-record,s,1({company.slug}))"
    return steps(plan.number, stamp(company.slug), *guard, mark("line", plan.number), record, f"Goto({goto})")


def extension_of(company: CompanyPlan, manager: str) -> str:
    return next(m.extension for m in company.managers if m.name == manager)


def manager_extension(company: CompanyPlan, extension: str, endpoint: str) -> str:
    return (
        steps(
            extension,
            BREATH,
            f'GotoIf($["${{GLOBAL(AWAY_{endpoint})}}" = "1"]?away)',
            f"Dial(PJSIP/{endpoint},30,tTkK)",
            'Hangup(${IF($["${DIALSTATUS}" = "BUSY"]?17:19)})',
        )
        + " same => n(away),Hangup(17)\n"
    )


def phones(company: CompanyPlan) -> str:
    """What a company's phones may dial: colleagues, queues, parking and, through the trunk, the city."""
    city = company.lines[0].number if company.lines else ""
    out = (
        BREATH,
        f"Set(CALLERID(num)={city})",
        mark("line", city),
        f"Dial(PJSIP/${{EXTEN}}@${{TRUNK}},45,tTb(portal-tenant^s^1({company.slug})))",
        'Hangup(${IF($["${DIALSTATUS}" = "BUSY"]?17:19)})',
    )
    return (
        f"[{company.slug}]\n"
        + "".join(manager_extension(company, m.extension, company.endpoint(m.name)) for m in company.managers)
        + "".join(
            steps(q.extension, BREATH, f"Goto({company.slug}-queues,{q.name},1)") for q in company.queues
        )
        + steps("700", f"Park({company.slug}-park)")
        + steps("_7[012]X", f"ParkedCall({company.slug}-park,${{EXTEN}})")
        + steps("_[78]XXXXXXXXXX", *out)
        + f"[{company.slug}-members]\n"
        + "".join(steps(m.extension, f"Dial(PJSIP/{company.endpoint(m.name)},,tk)") for m in company.managers)
    )


def queue(company: CompanyPlan, plan: QueuePlan) -> str:
    return steps(
        plan.name,
        "Answer()",
        f"Queue({company.queue_key(plan.name)},tk,,,{plan.max_wait})",
        mark("queue_exit", "${QUEUESTATUS}"),
        f"Goto({company.slug}-voicemail,s,1)",
    )


def exits(company: CompanyPlan, plan: QueuePlan) -> str:
    if not plan.exit_key:
        return ""
    return f"[{company.slug}-exit-{plan.name}]\n" + steps(
        plan.exit_key, mark("queue_exit", "KEY"), f"Goto({company.slug}-voicemail,s,1)"
    )


def menu(company: CompanyPlan, plan: IvrPlan) -> str:
    otherwise = f"Goto({company.slug}-queues,{plan.otherwise},1)"
    keys = "".join(
        steps(key, mark("ivr", key), f"Goto({company.slug}-queues,{target},1)") for key, target in plan.keys
    )
    return (
        f"[{company.slug}-menu-{plan.name}]\n"
        + steps("s", "Answer()", mark("ivr", plan.name), "Background(vm-intro)", f"WaitExten({plan.wait})")
        + keys
        + steps("t", otherwise)
        + steps("i", otherwise)
    )


def company_dialplan(company: CompanyPlan) -> str:
    return (
        phones(company)
        + f"[{company.slug}-queues]\n"
        + "".join(queue(company, q) for q in company.queues)
        + "".join(exits(company, q) for q in company.queues)
        + "".join(menu(company, ivr) for ivr in company.ivrs)
        + f"[{company.slug}-voicemail]\n"
        + steps("s", mark("voicemail", company.slug), "Playback(vm-intro)", "Hangup()")
    )


def render(plan: PbxPlan, base: str) -> str:
    """Numbers that are nobody's have no extension at all: a catch-all would let a caller choose what AMI tells."""
    head = HEAD + globals_of(plan) + RULES + recorder(base) + BETWEEN
    numbers = "".join(line(c, entry, guarded=plan.guarded) for c in plan.companies for entry in c.lines)
    return head + "[from-trunk]\n" + numbers + "".join(company_dialplan(c) for c in plan.companies)

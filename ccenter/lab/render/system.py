"""The parts of the configuration that hardly depend on the companies: who may connect, what is logged, what loads.

Everything listens on loopback: the lab is never a phone system for the network it runs in.
"""

from __future__ import annotations

from ccenter.lab.plan import AmiAccount, CelDatabase, PbxPlan
from ccenter.lab.ports import PBX_HOST

# Files Asterisk looks for and complains about when they are absent; empty is what we mean.
EMPTY = (
    "acl.conf", "ccss.conf", "codecs.conf", "cli.conf", "cli_permissions.conf", "dnsmgr.conf", "dsp.conf",
    "pjproject.conf", "sorcery.conf", "stasis.conf", "udptl.conf", "extconfig.conf",
    "cli_aliases.conf", "queuerules.conf", "pjsip_notify.conf", "cdr_manager.conf",
)  # fmt: skip

UNUSED_MODULES = (
    "app_agent_pool", "app_alarmreceiver", "app_festival", "app_jack", "app_minivm", "app_voicemail",
    "app_voicemail_odbc", "cdr_adaptive_odbc", "cdr_csv", "cdr_custom", "cdr_manager", "cdr_odbc", "cdr_pgsql",
    "cdr_radius", "cdr_sqlite3_custom", "cdr_tds", "cel_manager", "cel_odbc", "cel_radius",
    "cel_sqlite3_custom", "cel_tds", "chan_console", "chan_iax2", "chan_motif", "chan_unistim", "func_odbc",
    "pbx_ael", "pbx_dundi", "pbx_lua", "pbx_realtime", "pbx_spool", "res_ael_share", "res_adsi", "app_adsiprog",
    "app_getcpeid", "res_calendar", "res_calendar_caldav", "res_calendar_ews", "res_calendar_exchange",
    "res_calendar_icalendar", "res_config_curl", "res_config_ldap", "res_config_odbc", "res_config_pgsql",
    "res_config_sqlite3", "res_fax", "res_fax_spandsp", "res_hep", "res_hep_pjsip", "res_hep_rtcp", "res_odbc",
    "res_odbc_transaction", "res_phoneprov", "res_pjsip_phoneprov_provider", "res_prometheus", "res_smdi",
    "res_snmp", "res_speech_aeap", "res_aeap", "res_statsd", "res_stir_shaken", "res_pjsip_stir_shaken",
    "res_xmpp", "res_geolocation", "res_pjsip_geolocation", "res_http_media_cache", "res_resolver_unbound",
    "res_ari", "res_ari_applications", "res_ari_asterisk", "res_ari_bridges", "res_ari_channels",
    "res_ari_device_states", "res_ari_endpoints", "res_ari_events", "res_ari_model", "res_ari_playbacks",
    "res_ari_recordings", "res_ari_sounds", "app_stasis", "app_stasis_broadcast", "res_stasis_broadcast",
    "res_pjsip_config_wizard", "chan_websocket", "res_websocket_client", "app_confbridge", "app_page", "app_amd",
    "app_followme", "res_stun_monitor", "res_crypto", "func_aes", "app_audiosocket",
    "chan_audiosocket", "res_audiosocket",
)  # fmt: skip

LOGGER = """[general]
queue_log = yes
queue_log_to_file = yes
dateformat = %F %T.%3q
[logfiles]
messages => notice,warning,error
"""


def modules(*, cel: bool) -> str:
    """``cel``: the call records go to PostgreSQL too."""
    unused = UNUSED_MODULES if cel else (*UNUSED_MODULES, "cel_pgsql")
    return "[modules]\nautoload = yes\n" + "".join(f"noload = {name}.so\n" for name in unused)


def cel_pgsql(database: CelDatabase | None) -> str:
    """``show_user_defined``: our own marks then have one type, whatever they are called."""
    if database is None:
        return ""
    return f"""[global]
show_user_defined = yes
hostname = {database.host}
port = {database.port}
dbname = {database.name}
user = {database.user}
password = {database.password}
schema = asterisk
table = cel
appname = asterisk
"""


CDR = "[general]\nenable = no\n"
# Asterisk's own account of every call, written neither through AMI nor by our reducer: the second witness of a run, and
# what the portal reads of the time in which it heard nothing. Keys pressed (DTMF) are left out on purpose: callers type
# card numbers. Music that starts in a conversation (STREAM_*) is how a hold is told here.
CEL_EVENTS = (
    "CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "BRIDGE_ENTER", "BRIDGE_EXIT", "APP_START", "APP_END", "PARK_START",
    "PARK_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "LINKEDID_END", "USER_DEFINED", "STREAM_BEGIN",
    "STREAM_END",
)  # fmt: skip
CEL = (
    "[general]\nenable = yes\napps = dial,queue,park,parkedcall,chanspy\n"
    f"events = {','.join(CEL_EVENTS)}\ndateformat = %s.%6q\n"
)
WITNESS = (
    "eventtype", "eventtime", "CHANNEL(channame)", "CHANNEL(uniqueid)", "CHANNEL(linkedid)", "CALLERID(num)",
    "CHANNEL(exten)", "CHANNEL(appname)", "eventextra", "CALLERID(name)", "CHANNEL(context)", "CHANNEL(appdata)",
    "CHANNEL(accountcode)", "userdeftype", "BRIDGEPEER",
)  # fmt: skip
CEL_CUSTOM = (
    "[mappings]\nwitness.csv => " + ",".join(f"${{CSV_QUOTE(${{{name}}})}}" for name in WITNESS) + "\n"
)

INDICATIONS = """[general]
country = ru
[ru]
description = Russia
ringcadence = 1000,4000
dial = 425
busy = 425/350,0/350
ring = 425/1000,0/4000
congestion = 425/175,0/175
"""

FEATURES = """[general]
pickupexten = *8
transferdigittimeout = 3
featuredigittimeout = 1500
atxfernoanswertimeout = 15
[featuremap]
blindxfer => ##
atxfer => *2
parkcall => #72
"""


def asterisk(base: str, modules: str) -> str:
    return f"""[directories]
astetcdir => {base}/etc
astmoddir => {modules}
astvarlibdir => {base}/lib
astdbdir => {base}/lib
astkeydir => {base}/lib
astdatadir => /usr/share/asterisk
astagidir => {base}/lib
astspooldir => {base}/spool
astrundir => {base}/run
astlogdir => {base}/log
[options]
live_dangerously = no
execincludes = no
defaultlanguage = ru
"""


def account(user: AmiAccount) -> str:
    lines = [
        f"[{user.name}]",
        f"secret = {user.secret}",
        "deny = 0.0.0.0/0.0.0.0",
        f"permit = {PBX_HOST}/255.255.255.255",
        f"read = {','.join(user.read)}",
        f"write = {','.join(user.write)}",
        "writetimeout = 1000",
        *(f"eventfilter(action(include),name({event})) =" for event in user.events),
    ]
    return "\n".join(lines) + "\n"


def manager(plan: PbxPlan, port: int) -> str:
    """``timestampevents``: the portal's durations come from the PBX's clock, never from the time of receipt."""
    general = f"""[general]
enabled = yes
webenabled = no
bindaddr = {PBX_HOST}
port = {port}
timestampevents = yes
displayconnects = no
allowmultiplelogin = yes
"""
    return general + "".join(account(user) for user in plan.accounts)


def http(port: int) -> str:
    return f"[general]\nservername = Asterisk\nenabled = yes\nbindaddr = {PBX_HOST}\nbindport = {port}\n"


def rtp(first: int, last: int) -> str:
    return f"[general]\nrtpstart = {first}\nrtpend = {last}\nicesupport = yes\n"


def music(base: str) -> str:
    return f"[general]\n[default]\nmode = files\ndirectory = {base}/moh\n"


def parking(plan: PbxPlan) -> str:
    lots = "".join(
        f"[{c.slug}-park]\nparkpos = 701-720\ncontext = {c.slug}-parked\nparkingtime = 60\n"
        "comebacktoorigin = yes\nfindslot = next\n"
        for c in plan.companies
    )
    return "[general]\nparkeddynamic = no\n[default]\nparkpos = 901-902\ncontext = nowhere-parked\n" + lots

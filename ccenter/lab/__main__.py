"""``python -m ccenter.lab``: the laboratory from a terminal, for colleagues and for the demo.

Each verb is one function; what it prints is meant to be read by a person and, with --json, by a program.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from ccenter.lab import sample
from ccenter.lab.asterisk import AsteriskError, Instance
from ccenter.lab.plan import PbxPlan, PlanError
from ccenter.lab.ports import PBX_HOST, Ports, choose
from ccenter.lab.record import mixed_stream, record
from ccenter.lab.root import NoAsteriskError, runtime
from ccenter.lab.scenarios import ALL
from ccenter.lab.simulator.crowd import crowd
from ccenter.lab.simulator.server import Simulator
from ccenter.lab.simulator.server import run_until_terminated as serve_simulated
from ccenter.lab.simulator.steps import Habits
from ccenter.lab.traffic import Traffic, run_until_terminated
from ccenter.settings.base import BASE_DIR, STATE_DIR


def instance(arguments: argparse.Namespace, *, attach: bool = True) -> Instance:
    home = runtime(STATE_DIR, say=lambda text: print(text, file=sys.stderr))
    return Instance(home, arguments.instance, attach=attach)


def build(_: argparse.Namespace) -> None:
    print(runtime(STATE_DIR).lab)


def start(arguments: argparse.Namespace) -> None:
    pbx = instance(arguments, attach=False)
    if not pbx.pid() and (arguments.ami or arguments.sip or arguments.http):
        wish: Ports = choose(ami=arguments.ami, sip=arguments.sip, http=arguments.http, taken=pbx.others())
        pbx = Instance(pbx.runtime, arguments.instance, ports=wish)
    plan = sample.plan(phones_port=pbx.ports.phones)
    pbx.start(plan)
    facts: dict[str, object] = {
        "host": PBX_HOST,
        **pbx.ports.as_dict(),
        "pid": pbx.pid(),
        "home": str(pbx.home),
    }
    facts |= {f"account {account.name}": account.secret for account in plan.accounts}
    if arguments.json:
        print(json.dumps(facts))
        return
    for key, value in facts.items():
        print(f"{key:16} {value}")


def stop(arguments: argparse.Namespace) -> None:
    instance(arguments).stop()


def kill(arguments: argparse.Namespace) -> None:
    instance(arguments).kill()


def console(arguments: argparse.Namespace) -> None:
    print(instance(arguments).command(" ".join(arguments.words)))


def record_streams(arguments: argparse.Namespace) -> None:
    if arguments.names == ["mixed"]:
        mixed_stream(runtime(STATE_DIR), arguments.folder)
        return
    failed = record(runtime(STATE_DIR), arguments.names, arguments.folder, cel=arguments.cel)
    if failed:
        raise AsteriskError(f"not recorded: {', '.join(failed)}")


def traffic(arguments: argparse.Namespace) -> None:
    pbx = instance(arguments)
    run_until_terminated(
        Traffic(
            pbx,
            pbx.plan(),
            every=arguments.every,
            most=arguments.most,
            pace=arguments.pace,
            seed=arguments.seed,
        )
    )


def simulate(arguments: argparse.Namespace) -> None:
    """The plan of ``--plan`` (JSON), else a crowd of ``--managers``, else the built-in companies."""
    if arguments.plan:
        plan = PbxPlan.from_json(arguments.plan.read_text(encoding="utf-8"))
    elif arguments.managers:
        plan = crowd(managers=arguments.managers, companies=arguments.companies)
    else:
        plan = sample.plan(phones_port=5060)
    habits = Habits(talk=arguments.talk)
    simulator = Simulator(plan, live=arguments.live, habits=habits, seed=arguments.seed, port=arguments.port)
    serve_simulated(simulator, warm=4 * arguments.talk, say=lambda text: print(text, flush=True))


def add_simulator(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("simulate", help="an AMI server with calls of its own, without Asterisk")
    verb.add_argument("--port", type=int, default=0, help="AMI port (default: a free one, printed)")
    verb.add_argument("--plan", type=Path, help="JSON file as PbxPlan.to_json writes it")
    verb.add_argument("--live", type=float, default=12, help="calls alive on average")
    verb.add_argument("--talk", type=float, default=60, help="mean seconds of a talk")
    verb.add_argument("--managers", type=int, default=0, help="a crowd instead of the built-in plan")
    verb.add_argument("--companies", type=int, default=2, help="companies of the crowd")
    verb.add_argument("--seed", type=int, default=1)
    verb.set_defaults(run=simulate)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m ccenter.lab", description="The laboratory.")
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="build the Asterisk root").set_defaults(run=build)
    tape = verbs.add_parser("record", help="record AMI streams of call shapes")
    tape.add_argument("names", nargs="*", choices=[*ALL, "mixed", []], metavar="NAME", help="default: all")
    tape.add_argument("--folder", type=Path, default=BASE_DIR / "tests/ami")
    tape.add_argument("--cel", action="store_true", help="the portal's stream and the call event log")
    tape.set_defaults(run=record_streams)
    add_simulator(verbs)
    for name, run, text in (
        ("start", start, "start an Asterisk from the built-in plan"),
        ("stop", stop, "stop it"),
        ("kill", kill, "kill -9"),
        ("console", console, "ask its console"),
        ("traffic", traffic, "call it all the time, until SIGTERM"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--instance", default="lab", help="name; instances live side by side")
        verb.set_defaults(run=run)
        if name == "start":
            for port in ("ami", "sip", "http"):
                verb.add_argument(f"--{port}", type=int, default=0, help="port (default: a free one)")
            verb.add_argument("--json", action="store_true")
        if name == "traffic":
            verb.add_argument("--every", type=float, default=4.0, help="mean seconds between calls")
            verb.add_argument("--most", type=int, default=18, help="calls alive at once")
            verb.add_argument("--pace", type=float, default=1.0, help="below 1: shorter talks")
            verb.add_argument("--seed", type=int, help="the same seed gives the same calls")
        if name == "console":
            verb.add_argument("words", nargs="+")
    return top


def main() -> int:
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what we started is ended on the way out
    try:
        arguments.run(arguments)
    except (NoAsteriskError, AsteriskError, PlanError, OSError) as trouble:
        print(f"{trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

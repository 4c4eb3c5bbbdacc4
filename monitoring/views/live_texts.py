"""Every word the live panel's script says, by key, in the language in force.

The script holds no sentence of its own; plural forms are made here by gettext and picked there by Intl.PluralRules.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from monitoring.views.history.route_texts import route_texts

Forms = dict[str, str]


def catalogue() -> dict[str, str | Forms]:
    told = {**_places(), **_states(), **_route(), **_bands(), **_controls(), **_figures(), **_counted()}
    return {**route_texts(), **told}


def _plural(form: Callable[[int], str]) -> Forms:
    """CLDR categories from numbers that stand for them in Russian and English alike; fractions read as few."""
    return {"one": form(1), "few": form(2), "many": form(5), "other": form(5)}


def _places() -> dict[str, str | Forms]:
    return {
        "pane.waiting": _("Waiting callers"),
        "pane.calls": _("Calls in progress"),
        "pane.people": _("Managers"),
        "tab.waiting": pgettext("metric", "Waiting"),
        "tab.calls": pgettext("tab", "Calls"),
        "tab.people": _("Managers"),
        "group.none": _("Without a group"),
        "groups.collapse": _("Collapse all groups"),
        "groups.expand": _("Expand all groups"),
        "empty.waiting": _("Nobody waits"),
        "empty.waiting_hint": _("A caller appears here the moment they join a queue."),
        "empty.calls": _("No calls now"),
        "empty.calls_hint": _("Calls being rung, talked or held appear here."),
        "empty.filtered": _("Nothing matches the filters"),
        "empty.filtered_hint": _("Nothing that matches the filters."),
        "empty.filtered_people": _("Managers are hidden by the search or the filters."),
        "empty.groups": _("No groups yet"),
        "empty.groups_hint": _("You head no group. An admin of your company can give you one."),
        "empty.people": _("No managers in your groups"),
        "empty.people_hint": _("Managers appear here as soon as an admin adds them to a group."),
        "number.hidden": _("Number withheld"),
        "close": _("Close"),
    }


def _states() -> dict[str, str | Forms]:
    return {
        "state.ivr": _("In the menu"),
        "state.waiting": pgettext("call", "Waiting"),
        "state.ringing": _("Ringing"),
        "state.talking": pgettext("call", "Talking"),
        "state.held": _("On hold"),
        "state.parked": _("Parked"),
        "state.ended": _("Ended"),
        "direction.in": _("Incoming"),
        "direction.out": _("Outgoing"),
        "direction.internal": _("Internal"),
        "listen.listen": _("Listened to"),
        "listen.whisper": _("Whispered to"),
        "listen.join": _("Joined"),
        "tone.talking": pgettext("manager", "Talking"),
        "tone.ringing": pgettext("manager", "Phone rings"),
        "tone.held": pgettext("manager", "Holds a call"),
        "tone.wrap_up": pgettext("manager", "Wrap-up"),
        "tone.free": pgettext("manager", "Free"),
        "tone.break": pgettext("manager", "On break"),
        "tone.away": pgettext("manager", "Away"),
        "tone.unregistered": pgettext("manager", "Phone not registered"),
        "tone.unknown": pgettext("manager", "Phone state unknown"),
        "status.none": _("No status, takes calls"),
        "status.paused": _("Paused on the phone"),
        "person.since": _("In this state for"),
        "person.left": _("Wrap-up ends in"),
        "person.calls": _plural(lambda n: ngettext("{n} call at once", "{n} calls at once", n)),
        "flag.missing_calls": _plural(lambda n: ngettext("{n} missed in a row", "{n} missed in a row", n)),
        "flag.missing_calls.why": _("Available, yet calls ring unanswered"),
        "flag.unregistered": _("Phone not registered"),
        "flag.unregistered.why": _("Takes calls by status, but the phone cannot be rung"),
        "flag.pause_differs": _("Pause differs"),
        "flag.pause_differs.why": _("The PBX and the declared status disagree about taking calls"),
        "tally.total": _plural(lambda n: ngettext("{n} person", "{n} people", n)),
        "wait.time": _("Waits for"),
        "wait.position": _("no. {n} in the queue"),
        "wait.warn": _("Waits longer than the norm"),
        "wait.alarm": _("Waits far too long"),
        "call.time": _("In this state for"),
        "ghost.answered": _("Answered: {who}"),
        "ghost.moved": _("Left the queue"),
        "ghost.gone": _("The call has ended"),
    }


def _route() -> dict[str, str | Forms]:
    return {
        "route": _("Way of the call so far"),
        "step.line": pgettext("step", "Line"),
        "step.ivr": pgettext("step", "Menu"),
        "step.queue": pgettext("step", "Queue"),
        "step.ring": pgettext("step", "Rings"),
        "step.talk": pgettext("step", "Talks"),
        "step.hold": pgettext("step", "On hold"),
        "step.transfer": pgettext("step", "Transfer"),
        "step.pickup": pgettext("step", "Picked up"),
        "step.park": pgettext("step", "Parked"),
        "step.dial": pgettext("step", "Dialled"),
        "step.voicemail": pgettext("step", "Voicemail"),
    }


def _bands() -> dict[str, str | Forms]:
    return {
        "band.connecting": _("Connecting…"),
        "band.lost": _("No connection to the server."),
        "band.lost_since": _("No connection to the server since {time}: you see how things stood then."),
        "band.retrying": _("Reconnecting by itself."),
        "band.retry": _("Try now"),
        "band.denied": _("You are signed out, or may no longer see this panel."),
        "band.signin": _("Sign in"),
        "band.too_many": _("You have too many live panels open: close some of the other tabs."),
        "band.no_pbx": _("No PBX is connected yet: there is nothing to show calls from."),
        "band.pbx": _("PBX"),
        "band.pbx_named": _("PBX {pbx}"),
        "band.pbx_connecting": _("{pbx}: connecting since {time}."),
        "band.pbx_stale": _("{pbx} has not answered since {time}: the picture may be old."),
        "band.pbx_down": _("{pbx}: no connection since {time}: you see how things stood then."),
        "band.pbx_refused": _("{pbx} refuses our sign-in since {time}."),
        "band.pbx_orphaned": _(
            "{pbx}: nobody has been collecting its events since {time}. A collector is being found."
        ),
        "band.pbx_never": _("{pbx}: nobody collects its events yet."),
        "band.reason": _("Reason: {reason}."),
        "band.next_try": _("Next try at {time}."),
        "band.lag": _plural(
            lambda n: ngettext(
                "{pbx}: events arrive {n} second late.", "{pbx}: events arrive {n} seconds late.", n
            )
        ),
        "band.incomplete": _("{windows}: no connection to the {pbx}."),
        "band.incomplete_note": _("Today's figures are incomplete."),
        "band.filled": _("{windows}: no connection to the {pbx}, filled since from its own records."),
        "band.filled_note": _("Reports are complete; today's figures here still lack that time."),
        "band.until_now": _("now"),
        "band.simulated": _("Simulated: these calls come from a simulator, not from a real PBX."),
    }


def _controls() -> dict[str, str | Forms]:
    return {
        "filters": _("Filters"),
        "filters.clear": _("Clear filters"),
        "filter.group": pgettext("filter", "Group"),
        "filter.queue": pgettext("filter", "Queue"),
        "filter.line": pgettext("filter", "Line"),
        "filter.state": pgettext("filter", "State"),
        "filter.nothing": _("Nothing to choose from"),
        "search": _("Search"),
        "search.hint": _("Name, number, extension"),
        "sound": _("Alarm sound"),
        "sound.on": _("The alarm sound is on"),
        "sound.off": _("The alarm sound is off"),
        "sound.touch": _("The sound will work after your first click on the page"),
        "keys": _("Keyboard"),
        "keys.search": _("search"),
        "keys.move": _("next, previous row"),
        "keys.open": _("the whole way of the call"),
        "keys.past": _("today's figures of the person"),
        "keys.pane": _("waiting callers, calls, managers"),
        "keys.sound": _("alarm sound on and off"),
        "keys.density": _("dense or roomy rows"),
        "keys.escape": _("clear the search, leave a row"),
        "keys.help": _("this help"),
        "title.waiting": _plural(lambda n: ngettext("{n} waits", "{n} wait", n)),
        "profile.open": _("Open the panel as a monitoring profile"),
        "profile.none": _("Whole panel"),
        "profile.print": _("Print view"),
        "profile.manage": _("Monitoring profiles"),
        "wall": _("For a screen on the wall"),
        "queues.none": _("No queue is in this view."),
        "say.waiting": _plural(
            lambda n: ngettext(
                "{n} caller waits, the longest for {time}", "{n} callers wait, the longest for {time}", n
            )
        ),
        "say.nobody": _("Nobody waits"),
    }


def _figures() -> dict[str, str | Forms]:
    return {
        "strip": _("Figures of the moment and of the day"),
        "figure.explain": _("How was this counted?"),
        "grade.good": _("Within the norm"),
        "grade.warn": _("Outside the norm"),
        "grade.alarm": _("Far outside the norm"),
        "explain.formula": _("How it was counted"),
        "explain.norm": _("Norm"),
        "explain.norm_above": _("Warning from {warn}, alarm from {alarm}."),
        "explain.norm_below": _("Warning below {warn}, alarm below {alarm}."),
        "explain.queues": _("By queue"),
        "explain.past": _("In the statistics, call by call"),
        "past": _("Today's figures"),
        "explain.empty": _("There is nothing to divide by yet, so there is no value."),
        "explain.unfiltered": _("Counted over all groups you head, since midnight of your company."),
        "explain.filtered": _(
            "The group and queue filters narrow this figure; search, line and state filters do not."
        ),
    }


def _counted() -> dict[str, str | Forms]:
    return {
        "count.now.waiting": _("waiting now"),
        "count.now.longest_wait": _("the longest wait now"),
        "count.now.talking": _("talking now"),
        "count.now.free": _("free now"),
        "count.now.on_break": _("on break now"),
        "count.now.away": _("away now"),
        "count.now.unregistered": _("take calls, phone not registered"),
        "count.offered": _("offered"),
        "count.answered": _("answered"),
        "count.answered_within": _("answered within the threshold"),
        "count.abandoned": _("abandoned"),
        "count.short_abandoned": _("short abandons"),
        "count.flow_out": _("left for elsewhere"),
        "count.wait_answered": _("waiting time of the answered"),
    }

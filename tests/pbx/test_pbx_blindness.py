"""Every stretch in which a PBX was not heard is told to each of its companies, once it begins and once it is over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from monitoring.domain.facts import BlindFact
from tests.pbx.rig import TIMINGS, Rig
from tests.pbx.scripted import ScriptedPbx, event, until


def told(rig: Rig, company: str) -> list[BlindFact]:
    return [fact for owner, fact in rig.portal.facts if owner == company and isinstance(fact, BlindFact)]


async def test_a_cut_connection_is_told_when_it_begins_and_when_it_is_over(
    pbx: ScriptedPbx, rig: Rig
) -> None:
    await rig.start()
    assert told(rig, "alpha") == []
    cut = time.time()
    pbx.cut()
    await until(lambda: len(told(rig, "alpha")) == 2, 5.0)
    began, over = told(rig, "alpha")
    assert (began.ended, began.cause, over.began) == (None, "lost", began.began)
    assert cut - 5.0 < over.began <= cut + 0.5
    assert over.ended is not None
    assert cut <= over.ended <= time.time()
    assert abs(over.skew) < 5.0
    assert told(rig, "beta") == told(rig, "alpha")


async def test_who_leaves_says_that_nobody_watches_from_now_on(pbx: ScriptedPbx, rig: Rig) -> None:
    await rig.start()
    await rig.stop()
    (left,) = told(rig, "alpha")
    assert (left.cause, left.ended) == ("unwatched", None)
    assert time.time() - left.began < 5.0


async def test_a_flood_hides_all_since_the_last_event_worked_through(pbx: ScriptedPbx, rig: Rig) -> None:
    collector = await rig.start(capacity=100)
    before = time.time()
    await asyncio.sleep(0.3)
    collector._inbox.put([event("Hangup")] * 101, 0.0)
    collector._inbox.put([event("Hangup")], 0.0)
    await until(lambda: any(fact.ended for fact in told(rig, "alpha")), 5.0)
    over = told(rig, "alpha")[-1]
    assert (over.cause, over.ended is not None) == ("overflow", True)
    assert over.began <= before + 0.5
    assert collector.link.blind_since is None


async def test_a_pbx_that_is_heard_leaves_word_of_it_for_who_comes_after(pbx: ScriptedPbx, rig: Rig) -> None:
    await rig.start()
    await until(lambda: rig.portal.heard_at is not None, 7.0)
    assert rig.portal.heard_at is not None
    assert time.time() - rig.portal.heard_at < 7.0


async def test_a_window_filled_from_the_pbxs_own_records_is_shown_as_filled(pbx: ScriptedPbx, rig: Rig) -> None:
    collector = await rig.start(timings=replace(TIMINGS, refresh=0.2))
    pbx.cut()
    await until(lambda: len(collector.link.blind) == 1, 5.0)
    await asyncio.sleep(0.5)
    assert len(collector.link.blind[0]) == 2
    rig.portal.all_filled = True
    await rig.see("alpha", lambda board: len(board.entities["link", "1"]["blind"][0]) == 3)
    assert collector.link.unfilled() == []

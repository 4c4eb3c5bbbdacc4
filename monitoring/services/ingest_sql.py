"""The upserts of ``ingest``, as SQL: what may replace what is decided here, inside PostgreSQL, in one place.

Rows are locked in key order, so that two collectors writing the same calls wait for each other and never
deadlock. Groups are kept as first told: rows that are there already never lose theirs, and take no new ones for
people or queues they knew.
"""

from __future__ import annotations

# Later tells more. Within one moment of the PBX's clock an ended call tells more than an open one.
# A merged call is nobody's any more: its survivor has its people, its waiting and its talk.
UPSERT_CALLS = """
WITH told AS (
  INSERT INTO monitoring_call AS c (key, pbx, direction, number, name, line, started, answered, ended,
                                    disposition, hung_up_by, merged_into, revision, reconciled, customer,
                                    groups, wait_seconds, talk_seconds, recorded)
  SELECT key, pbx, direction, number, name, line, to_timestamp(started), to_timestamp(answered),
         to_timestamp(ended), disposition, hung_up_by, merged_into, revision, reconciled, customer,
         groups, 0, talk_seconds, false
    FROM incoming_call_3 ORDER BY key
  ON CONFLICT (key) DO UPDATE
     SET (pbx, direction, number, name, line, started, answered, ended, disposition, hung_up_by, merged_into,
          revision, reconciled, customer, talk_seconds, wait_seconds, groups)
       = (EXCLUDED.pbx, EXCLUDED.direction, EXCLUDED.number, EXCLUDED.name, EXCLUDED.line, EXCLUDED.started,
          EXCLUDED.answered, EXCLUDED.ended, EXCLUDED.disposition, EXCLUDED.hung_up_by, EXCLUDED.merged_into,
          EXCLUDED.revision, EXCLUDED.reconciled, EXCLUDED.customer, EXCLUDED.talk_seconds,
          CASE WHEN EXCLUDED.merged_into = '' THEN c.wait_seconds ELSE 0 END,
          CASE WHEN EXCLUDED.merged_into = '' THEN c.groups ELSE '{}' END)
   WHERE (c.revision, c.ended IS NOT NULL) <= (EXCLUDED.revision, EXCLUDED.ended IS NOT NULL)
  RETURNING c.id, c.key, (c.xmax = 0) AS fresh,
            -- Seen as it was before this statement.
            CASE WHEN c.xmax <> 0 THEN (SELECT o.ended FROM monitoring_call o WHERE o.id = c.id) END AS was_ended
), kept AS (
  INSERT INTO told_call_1 (id, key, fresh) SELECT id, key, fresh FROM told
)
SELECT id, key, fresh, extract(epoch FROM was_ended)::float8 FROM told
"""

# One writer of a company's facts of one PBX at a time: a visit and its call, told by two at once, would not see
# each other, and each would miss what it has from the other.
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' facts ' || %s, 0))"

MAKE_TOLD = """
CREATE TEMPORARY TABLE IF NOT EXISTS told_call_1 (id int8, key text, fresh bool) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS was_leg_1 (call_id int8, manager_name text, manager_id int8, groups int4[],
                                                booked timestamptz) ON COMMIT DELETE ROWS;
DELETE FROM told_call_1;
DELETE FROM was_leg_1
"""

# Legs and steps have no key of their own: those of a call told anew make room, and leave behind whose they were.
DROP_LEGS = """
WITH was AS (
  DELETE FROM monitoring_leg l USING told_call_1 t WHERE l.call_id = t.id AND NOT t.fresh
  RETURNING l.call_id, l.manager_name, l.manager_id, l.groups, l.booked
)
INSERT INTO was_leg_1 SELECT * FROM was RETURNING extract(epoch FROM booked)::float8
"""
DROP_STEPS = "DELETE FROM monitoring_step s USING told_call_1 t WHERE s.call_id = t.id AND NOT t.fresh"

# The person behind a name is looked up once a call: an archived person's name may be another's by now.
INSERT_LEGS = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_id, manager_name, queue_name, rang, answered, ended,
                            outcome, available, origin, talk, hold, talk_seconds, hold_seconds, groups,
                            wrap_up_seconds, booked)
SELECT t.id, l.uniqueid, l.manager_id, l.manager_name, l.queue_name, to_timestamp(l.rang),
       to_timestamp(l.answered), to_timestamp(l.ended), l.outcome, l.available, l.origin, l.talk, l.hold,
       l.talk_seconds, l.hold_seconds, l.groups,
       coalesce(extract(epoch FROM w.ended - w.started), 0), coalesce(w.ended, to_timestamp(l.ended))
  FROM incoming_leg_2 l
  JOIN told_call_1 t ON t.key = l.key
  LEFT JOIN LATERAL (
    SELECT a.started, a.ended FROM monitoring_autointerval a
     WHERE l.queue_name <> '' AND l.answered IS NOT NULL AND l.ended IS NOT NULL
       AND a.manager_id = l.manager_id AND a.kind = 'wrap_up' AND a.ended IS NOT NULL
       AND a.started BETWEEN to_timestamp(l.ended - 1) AND to_timestamp(l.ended + 1)
     ORDER BY abs(extract(epoch FROM a.started) - l.ended) LIMIT 1
  ) w ON true
"""
KEEP_PEOPLE = """
UPDATE incoming_leg_2 l SET manager_id = w.manager_id, groups = w.groups
  FROM told_call_1 t JOIN was_leg_1 w ON w.call_id = t.id
 WHERE t.key = l.key AND w.manager_name = l.manager_name AND w.manager_id IS NOT NULL
"""

INSERT_STEPS = """
INSERT INTO monitoring_step (call_id, position, kind, what, at, until, note)
SELECT t.id, s.position, s.kind, s.what, to_timestamp(s.at), to_timestamp(s.until), s.note
  FROM incoming_step_1 s JOIN told_call_1 t ON t.key = s.key
"""

# Who came to a call that was there already is added to its groups; who was there keeps the groups of then.
ADD_GROUPS_OF_LEGS = """
WITH come AS (
  SELECT l.call_id, array_agg(DISTINCT g) AS groups
    FROM told_call_1 t JOIN monitoring_leg l ON l.call_id = t.id CROSS JOIN unnest(l.groups) g
   WHERE NOT t.fresh GROUP BY l.call_id
)
UPDATE monitoring_call c SET groups = array(SELECT DISTINCT unnest(c.groups || come.groups) ORDER BY 1)
  FROM come WHERE c.id = come.call_id AND NOT c.groups @> come.groups
"""
# An earlier telling of a call may name people whom the later one no longer has: theirs it was, too.
ADD_GROUPS_OF_EARLIER = """
WITH come AS (
  SELECT c.id, array_agg(DISTINCT g) AS groups
    FROM incoming_leg_2 l JOIN monitoring_call c ON c.key = l.key AND c.merged_into = ''
         CROSS JOIN unnest(l.groups) g
   WHERE NOT EXISTS (SELECT FROM told_call_1 t WHERE t.key = l.key)
     AND NOT EXISTS (SELECT FROM monitoring_leg o WHERE o.call_id = c.id AND o.manager_name = l.manager_name)
   GROUP BY c.id
)
UPDATE monitoring_call c SET groups = array(SELECT DISTINCT unnest(c.groups || come.groups) ORDER BY 1)
  FROM come WHERE c.id = come.id AND NOT c.groups @> come.groups
"""

# A settled visit is never reopened; what the call really did beats "interrupted".
UPSERT_VISITS = """
INSERT INTO monitoring_queuevisit AS v (pbx, uniqueid, call_key, queue_id, queue_name, joined, "left", outcome,
                                        reason, manager_name, wait, position, answer_within, short_abandon,
                                        line, groups)
SELECT i.pbx, i.uniqueid, i.call_key, i.queue_id, i.queue_name, to_timestamp(i.joined), to_timestamp(i.left_at),
       i.outcome, i.reason, i.manager_name, i.wait, i.position, i.answer_within, i.short_abandon, '', i.groups
  FROM incoming_visit_2 i
 ORDER BY i.pbx, i.uniqueid, i.queue_name, i.joined
ON CONFLICT (pbx, uniqueid, queue_name, joined) DO UPDATE
   SET (call_key, queue_id, "left", outcome, reason, manager_name, wait, position, answer_within,
        short_abandon, groups)
     = (EXCLUDED.call_key, coalesce(v.queue_id, EXCLUDED.queue_id), EXCLUDED."left", EXCLUDED.outcome,
        EXCLUDED.reason, EXCLUDED.manager_name, EXCLUDED.wait, EXCLUDED.position, EXCLUDED.answer_within,
        EXCLUDED.short_abandon, CASE WHEN v.queue_id IS NULL THEN EXCLUDED.groups ELSE v.groups END)
 WHERE (CASE v.outcome WHEN 'open' THEN 0 WHEN 'interrupted' THEN 1 ELSE 2 END,
        coalesce(v."left", '-infinity'::timestamptz))
    <= (CASE EXCLUDED.outcome WHEN 'open' THEN 0 WHEN 'interrupted' THEN 1 ELSE 2 END,
        coalesce(EXCLUDED."left", '-infinity'::timestamptz))
"""

# A call that was absorbed hands its visits to the one that absorbed it, and that one perhaps to a third.
HAND_OVER = """
UPDATE monitoring_queuevisit v SET call_key = c.merged_into
  FROM monitoring_call c
 WHERE c.key = v.call_key AND c.merged_into <> '' AND v.call_key = ANY(%(keys)s)
RETURNING c.merged_into
"""
# What a call has of its visits and they of it, whichever came first. Calls in key order: see above.
SETTLE_CALLS = """
WITH seen AS (
  SELECT v.call_key, coalesce(sum(v.wait) FILTER (WHERE v.outcome <> 'open'), 0) AS wait,
         array(SELECT DISTINCT unnest(o.groups) FROM monitoring_queuevisit o
                WHERE o.call_key = v.call_key ORDER BY 1) AS groups
    FROM monitoring_queuevisit v WHERE v.call_key = ANY(%(keys)s) GROUP BY v.call_key
), mine AS (
  SELECT c.id, seen.wait, seen.groups FROM monitoring_call c JOIN seen ON seen.call_key = c.key
   WHERE c.merged_into = '' AND (c.wait_seconds <> seen.wait OR NOT c.groups @> seen.groups)
   ORDER BY c.key FOR NO KEY UPDATE OF c
)
UPDATE monitoring_call c
   SET wait_seconds = mine.wait,
       groups = array(SELECT DISTINCT unnest(c.groups || mine.groups) ORDER BY 1)
  FROM mine WHERE c.id = mine.id
"""
SETTLE_VISITS = """
UPDATE monitoring_queuevisit v SET line = c.line
  FROM monitoring_call c WHERE c.key = v.call_key AND v.call_key = ANY(%(keys)s) AND v.line <> c.line
"""

# An automatic status ends once; two collectors that differ are both heard, the earlier end is the nearer one.
UPSERT_AUTOS = """
INSERT INTO monitoring_autointerval AS a (manager_id, kind, started, ended, call_key, groups)
SELECT manager_id, kind, to_timestamp(started), to_timestamp(ended), call_key, groups
  FROM incoming_auto_1 ORDER BY manager_id, kind, started
ON CONFLICT (manager_id, kind, started) DO UPDATE SET ended = least(a.ended, EXCLUDED.ended)
 WHERE a.ended IS DISTINCT FROM least(a.ended, EXCLUDED.ended)
"""
# One that nobody ended (its collector died unheard) lasted until the next of its kind at the most.
END_FORGOTTEN_AUTOS = """
UPDATE monitoring_autointerval a
   SET ended = (SELECT min(n.started) FROM monitoring_autointerval n
                 WHERE n.manager_id = a.manager_id AND n.kind = a.kind AND n.started > a.started)
 WHERE a.ended IS NULL AND a.manager_id IN (SELECT manager_id FROM incoming_auto_1)
   AND EXISTS (SELECT FROM monitoring_autointerval n
                WHERE n.manager_id = a.manager_id AND n.kind = a.kind AND n.started > a.started)
"""
# The leg a wrap-up follows ended when the wrap-up began; the PBX's own records may say it a little differently.
BOOK_WRAP_UPS = """
UPDATE monitoring_leg l SET wrap_up_seconds = i.ended - i.started, booked = to_timestamp(i.ended)
  FROM incoming_auto_1 i
 WHERE i.kind = 'wrap_up' AND i.ended IS NOT NULL AND l.manager_id = i.manager_id AND l.queue_name <> ''
   AND l.answered IS NOT NULL
   AND l.booked BETWEEN to_timestamp(i.started - 1) AND to_timestamp(i.started + 1)
   AND l.ended BETWEEN to_timestamp(i.started - 1) AND to_timestamp(i.started + 1)
"""

# What the PBX no longer has, ended unseen: at the moment it was surely gone, told as interrupted.
CLOSE_CALLS = """
WITH gone AS (
  UPDATE monitoring_call SET ended = greatest(started, to_timestamp(%(before)s)), disposition = 'interrupted',
         reconciled = true
   WHERE pbx = %(pbx)s AND ended IS NULL AND started < to_timestamp(%(before)s) AND NOT key = ANY(%(alive)s)
  RETURNING id, ended
), legs AS (
  UPDATE monitoring_leg l SET ended = greatest(l.rang, gone.ended), booked = greatest(l.rang, gone.ended),
         outcome = 'interrupted'
    FROM gone WHERE l.call_id = gone.id AND l.ended IS NULL
)
SELECT id, extract(epoch FROM ended)::float8 FROM gone
"""
CLOSE_VISITS = """
UPDATE monitoring_queuevisit SET "left" = greatest(joined, to_timestamp(%(before)s)), outcome = 'interrupted',
       wait = extract(epoch FROM greatest(joined, to_timestamp(%(before)s)) - joined)
 WHERE pbx = %(pbx)s AND outcome = 'open' AND joined < to_timestamp(%(before)s)
   AND NOT call_key = ANY(%(alive)s)
RETURNING extract(epoch FROM "left")::float8, call_key
"""

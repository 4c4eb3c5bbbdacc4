"""The upserts of ``ingest``, as SQL: what may replace what is decided here, inside PostgreSQL, in one place.

Rows are locked in key order, so that two collectors writing the same calls wait for each other and never
deadlock.
"""

from __future__ import annotations

# Later tells more. Within one moment of the PBX's clock an ended call tells more than an open one.
UPSERT_CALLS = """
WITH told AS (
  INSERT INTO monitoring_call AS c (key, pbx, direction, number, name, line, started, answered, ended,
                                    disposition, hung_up_by, merged_into, revision, reconciled, customer,
                                    groups, wait_seconds, talk_seconds, recorded)
  SELECT key, pbx, direction, number, name, line, to_timestamp(started), to_timestamp(answered),
         to_timestamp(ended), disposition, hung_up_by, merged_into, revision, reconciled, customer,
         '{}', 0, 0, false
    FROM incoming_call_2 ORDER BY key
  ON CONFLICT (key) DO UPDATE
     SET (pbx, direction, number, name, line, started, answered, ended, disposition, hung_up_by, merged_into,
          revision, reconciled, customer)
       = (EXCLUDED.pbx, EXCLUDED.direction, EXCLUDED.number, EXCLUDED.name, EXCLUDED.line, EXCLUDED.started,
          EXCLUDED.answered, EXCLUDED.ended, EXCLUDED.disposition, EXCLUDED.hung_up_by, EXCLUDED.merged_into,
          EXCLUDED.revision, EXCLUDED.reconciled, EXCLUDED.customer)
   WHERE (c.revision, c.ended IS NOT NULL) <= (EXCLUDED.revision, EXCLUDED.ended IS NOT NULL)
  RETURNING c.id, c.key, (c.xmax = 0) AS fresh
)
INSERT INTO told_call_1 (id, key, fresh) SELECT id, key, fresh FROM told
"""

MAKE_TOLD = """
CREATE TEMPORARY TABLE IF NOT EXISTS told_call_1 (id int8, key text, fresh bool) ON COMMIT DELETE ROWS;
DELETE FROM told_call_1
"""
TOLD_IDS = "SELECT id FROM told_call_1"
DROP_PARTS = """
DELETE FROM monitoring_leg l USING told_call_1 t WHERE l.call_id = t.id AND NOT t.fresh;
DELETE FROM monitoring_step s USING told_call_1 t WHERE s.call_id = t.id AND NOT t.fresh
"""

INSERT_LEGS = """
INSERT INTO monitoring_leg (call_id, uniqueid, manager_id, manager_name, queue_name, rang, answered, ended,
                            outcome, available, origin, talk, hold, talk_seconds, hold_seconds, groups)
SELECT t.id, l.uniqueid, m.id, l.manager_name, l.queue_name, to_timestamp(l.rang), to_timestamp(l.answered),
       to_timestamp(l.ended), l.outcome, l.available, l.origin, l.talk, l.hold, l.talk_seconds, l.hold_seconds,
       array(SELECT g.group_id FROM monitoring_manager_groups g WHERE g.manager_id = m.id ORDER BY 1)
  FROM incoming_leg_1 l
  JOIN told_call_1 t ON t.key = l.key
  LEFT JOIN monitoring_manager m ON m.pbx_name = l.manager_name AND m.archived_at IS NULL
"""

INSERT_STEPS = """
INSERT INTO monitoring_step (call_id, position, kind, what, at, until, note)
SELECT t.id, s.position, s.kind, s.what, to_timestamp(s.at), to_timestamp(s.until), s.note
  FROM incoming_step_1 s JOIN told_call_1 t ON t.key = s.key
"""

# A settled visit is never reopened; what the call really did beats "interrupted".
UPSERT_VISITS = """
INSERT INTO monitoring_queuevisit AS v (pbx, uniqueid, call_key, queue_id, queue_name, joined, "left",
outcome,
                                        reason, manager_name, wait, position, answer_within, short_abandon,
                                        line, groups)
SELECT i.pbx, i.uniqueid, i.call_key, q.id, i.queue_name, to_timestamp(i.joined), to_timestamp(i.left_at),
       i.outcome, i.reason, i.manager_name, i.wait, i.position, i.answer_within, i.short_abandon,
       '', array(SELECT g.group_id FROM monitoring_queue_groups g WHERE g.queue_id = q.id ORDER BY 1)
  FROM incoming_visit_1 i
  LEFT JOIN monitoring_queue q ON q.pbx_name = i.queue_name AND q.archived_at IS NULL
 ORDER BY i.pbx, i.uniqueid, i.queue_name, i.joined
ON CONFLICT (pbx, uniqueid, queue_name, joined) DO UPDATE
   SET (call_key, queue_id, "left", outcome, reason, manager_name, wait, position, answer_within,
   short_abandon)
     = (EXCLUDED.call_key, coalesce(v.queue_id, EXCLUDED.queue_id), EXCLUDED."left", EXCLUDED.outcome,
        EXCLUDED.reason, EXCLUDED.manager_name, EXCLUDED.wait, EXCLUDED.position, EXCLUDED.answer_within,
        EXCLUDED.short_abandon)
 WHERE (CASE v.outcome WHEN 'open' THEN 0 WHEN 'interrupted' THEN 1 ELSE 2 END,
        coalesce(v."left", '-infinity'::timestamptz))
    <= (CASE EXCLUDED.outcome WHEN 'open' THEN 0 WHEN 'interrupted' THEN 1 ELSE 2 END,
        coalesce(EXCLUDED."left", '-infinity'::timestamptz))
"""

# What the PBX no longer has, ended unseen: at the moment it was surely gone, told as interrupted.
CLOSE_CALLS = """
WITH gone AS (
  UPDATE monitoring_call SET ended = greatest(started, to_timestamp(%(before)s)), disposition = 'interrupted',
         reconciled = true
   WHERE pbx = %(pbx)s AND ended IS NULL AND started < to_timestamp(%(before)s) AND NOT key = ANY(%(alive)s)
  RETURNING id, ended
), legs AS (
  UPDATE monitoring_leg l SET ended = greatest(l.rang, gone.ended), outcome = 'interrupted'
    FROM gone WHERE l.call_id = gone.id AND l.ended IS NULL
)
SELECT id, extract(epoch FROM ended)::float8 FROM gone
"""
CLOSE_VISITS = """
UPDATE monitoring_queuevisit SET "left" = greatest(joined, to_timestamp(%(before)s)), outcome = 'interrupted',
       wait = extract(epoch FROM greatest(joined, to_timestamp(%(before)s)) - joined)
 WHERE pbx = %(pbx)s AND outcome = 'open' AND joined < to_timestamp(%(before)s)
   AND NOT call_key = ANY(%(alive)s)
RETURNING extract(epoch FROM "left")::float8
"""

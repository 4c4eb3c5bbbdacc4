"""The rules of ``lost`` as SQL over sets of calls: which are lost, which calls belong together, what ended them.

Every statement leaves the same rows however often it is run, and touches only rows that change.
"""

from __future__ import annotations

# Revision of a call whose customer's data was removed on request: nothing the PBX may still tell is later.
ERASED = 1e15
# Without a queue there is no limit of its own: who hangs up that fast has not waited for anybody.
SHORT_WITHOUT_QUEUE = 5

_LOST = (
    "c.direction = 'in' AND c.ended IS NOT NULL AND c.answered IS NULL AND c.merged_into = '' "
    "AND c.disposition <> 'merged'"
)
_SPOKEN = (
    "c.direction IN ('in', 'out') AND c.answered IS NOT NULL AND c.merged_into = '' AND c.customer <> '' "
    "AND (c.ended IS NULL OR c.talk_seconds > 0)"
)

# What of these calls can matter here: lost ones, those in which a customer was spoken with, those that were one.
TOUCHED = f"""
WITH touched AS (
  SELECT c.id FROM monitoring_call c WHERE c.id = ANY(%(ids)s)
   UNION
  SELECT c.id FROM monitoring_call c WHERE c.key = ANY(%(keys)s)
)
SELECT c.id, c.customer, extract(epoch FROM c.started)::float8, {_LOST},
       l.id IS NOT NULL OR EXISTS (SELECT 1 FROM monitoring_lostcall o WHERE o.closing_call_id = c.id)
  FROM touched JOIN monitoring_call c USING (id) LEFT JOIN monitoring_lostcall l ON l.call_id = c.id
 WHERE ({_LOST}) OR ({_SPOKEN}) OR l.id IS NOT NULL
    OR EXISTS (SELECT 1 FROM monitoring_lostcall o WHERE o.closing_call_id = c.id)
"""  # noqa: S608 - put together from this file's own constants

# Two batches about one customer wait for each other, else neither would see what the other one stores.
LOCK = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.lost'), b) FROM unnest(%(buckets)s::int4[]) b"

FORMER_CUSTOMERS = """
SELECT DISTINCT customer FROM monitoring_lostcall
 WHERE (call_id = ANY(%(ids)s) OR closing_call_id = ANY(%(ids)s)) AND customer <> ''
"""

NO_LONGER = f"""
DELETE FROM monitoring_lostcall l USING monitoring_call c
 WHERE l.call_id = ANY(%(ids)s) AND c.id = l.call_id AND NOT ({_LOST})
RETURNING extract(epoch FROM l.lost_at)::float8
"""  # noqa: S608 - put together from this file's own constants

# Stretches of work as three arrays: begin, end, and how much work lies before each (epoch seconds, seconds).
_DEADLINE = """
CROSS JOIN LATERAL (SELECT extract(epoch FROM c.ended)::float8 AS at) e
CROSS JOIN LATERAL (SELECT greatest(width_bucket(e.at, %(begins)s::float8[]), 1) AS i) p
CROSS JOIN LATERAL (
  SELECT (%(before)s::float8[])[p.i] + %(within)s
         + greatest(0, least(e.at, (%(ends)s::float8[])[p.i]) - (%(begins)s::float8[])[p.i]) AS work) w
CROSS JOIN LATERAL (SELECT width_bucket(w.work, %(before)s::float8[]) AS n) q
CROSS JOIN LATERAL (
  SELECT CASE WHEN q.n > 1 AND w.work = (%(before)s::float8[])[q.n] THEN q.n - 1 ELSE q.n END AS j) r
CROSS JOIN LATERAL (
  SELECT to_timestamp((%(begins)s::float8[])[r.j] + w.work - (%(before)s::float8[])[r.j]) AS deadline) d
"""

WRITE = f"""
INSERT INTO monitoring_lostcall AS l (call_id, call_key, case_key, tries, customer, number, line, queue_id, groups,
                                      lost_at, deadline, excuse, owner_id, state, reason, note)
SELECT c.id, c.key, c.key, 1, c.customer, c.number, c.line, v.queue_id, c.groups, c.ended, d.deadline, x.excuse,
       rung.manager_id, CASE x.excuse WHEN '' THEN 'open' ELSE 'not_needed' END, '', ''
  FROM monitoring_call c
  {_DEADLINE}
  LEFT JOIN LATERAL (
    SELECT (array_agg(v.queue_id ORDER BY v.joined DESC, v.queue_name DESC))[1] AS queue_id, count(*) AS stays,
           bool_and(v.outcome = 'abandoned') AS gave_up, sum(v.wait) AS wait,
           (array_agg(v.short_abandon ORDER BY v.joined DESC, v.queue_name DESC))[1] AS short
      FROM monitoring_queuevisit v WHERE v.call_key = c.key) v ON true
  LEFT JOIN LATERAL (
    SELECT g.manager_id FROM monitoring_leg g JOIN monitoring_manager m ON m.id = g.manager_id
     WHERE g.call_id = c.id AND g.available AND NOT g.origin AND m.archived_at IS NULL
     ORDER BY g.rang DESC, g.uniqueid DESC, g.manager_name DESC LIMIT 1) rung ON true
  CROSS JOIN LATERAL (
    SELECT CASE WHEN c.customer = '' THEN 'withheld'
                WHEN c.disposition <> 'abandoned' THEN ''
                WHEN v.stays > 0 AND v.gave_up AND v.wait < v.short THEN 'short'
                WHEN v.stays = 0 AND c.ended - c.started < make_interval(secs => {SHORT_WITHOUT_QUEUE}) THEN 'short'
                ELSE '' END AS excuse) x
 WHERE c.id = ANY(%(ids)s) AND {_LOST} AND c.revision < {ERASED}
 ORDER BY c.id
ON CONFLICT (call_id) DO UPDATE
   SET (customer, number, line, queue_id, groups, lost_at, excuse)
     = (EXCLUDED.customer, EXCLUDED.number, EXCLUDED.line, EXCLUDED.queue_id, EXCLUDED.groups, EXCLUDED.lost_at,
        EXCLUDED.excuse),
       deadline = CASE WHEN l.lost_at = EXCLUDED.lost_at THEN l.deadline ELSE EXCLUDED.deadline END,
       owner_id = coalesce(l.owner_id, EXCLUDED.owner_id),
       case_key = CASE WHEN l.excuse = EXCLUDED.excuse THEN l.case_key ELSE l.call_key END,
       tries = CASE WHEN l.excuse = EXCLUDED.excuse THEN l.tries ELSE 1 END,
       state = CASE WHEN l.excuse = EXCLUDED.excuse THEN l.state ELSE EXCLUDED.state END,
       closed_at = CASE WHEN l.excuse = EXCLUDED.excuse THEN l.closed_at END,
       closing_call_id = CASE WHEN l.excuse = EXCLUDED.excuse THEN l.closing_call_id END,
       in_time = CASE WHEN l.excuse = EXCLUDED.excuse THEN l.in_time END
 WHERE (l.customer, l.number, l.line, l.queue_id, l.groups, l.lost_at, l.excuse)
       IS DISTINCT FROM (EXCLUDED.customer, EXCLUDED.number, EXCLUDED.line, EXCLUDED.queue_id, EXCLUDED.groups,
                         EXCLUDED.lost_at, EXCLUDED.excuse)
    OR (l.owner_id IS NULL AND EXCLUDED.owner_id IS NOT NULL)
RETURNING extract(epoch FROM l.lost_at)::float8
"""  # noqa: S608 - put together from this file's own constants

# A case is what lies between two breaks of one customer: a call in which somebody spoke with them, or a person's
# closing. ``since``: nothing that ended before it can have changed (epoch seconds).
SETTLE = f"""
WITH mine AS (
  SELECT l.id, l.call_key, l.customer, l.lost_at, l.deadline, l.owner_id, l.dismissed_at FROM monitoring_lostcall l
   WHERE l.customer = ANY(%(customers)s) AND l.customer <> '' AND l.excuse = ''
     AND (l.state = 'open' OR l.lost_at >= to_timestamp(%(since)s) OR l.closed_at >= to_timestamp(%(since)s))
), breaks AS (
  SELECT c.customer, c.answered AS at, c.key AS name, c.id AS call_id,
         CASE c.direction WHEN 'out' THEN 'called_back' ELSE 'answered_later' END AS state
    FROM (SELECT customer, min(lost_at) AS at FROM mine GROUP BY 1) s
    JOIN monitoring_call c ON c.customer = s.customer AND c.started > s.at - interval '1 day' AND c.answered >= s.at
   WHERE {_SPOKEN}
   UNION ALL
  SELECT DISTINCT customer, dismissed_at, '', NULL::int8, 'closed' FROM mine WHERE dismissed_at IS NOT NULL
), counted AS (
  SELECT e.*, count(*) FILTER (WHERE e.ends) OVER (PARTITION BY e.customer ORDER BY e.at, e.ends, e.name) AS n
    FROM (SELECT id, customer, lost_at AS at, call_key AS name, false AS ends FROM mine
           UNION ALL SELECT NULL, customer, at, name, true FROM breaks) e
), cases AS (
  SELECT m.id, m.customer, k.n, row_number() OVER w AS place, count(*) OVER u AS calls,
         first_value(m.call_key) OVER w AS case_key, first_value(m.deadline) OVER w AS deadline,
         (array_agg(m.owner_id) FILTER (WHERE m.owner_id IS NOT NULL) OVER u)[1] AS owner_id
    FROM mine m JOIN counted k ON k.id = m.id
  WINDOW w AS (PARTITION BY m.customer, k.n ORDER BY m.lost_at, m.call_key),
         u AS (PARTITION BY m.customer, k.n ORDER BY m.lost_at, m.call_key
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
), ended AS (
  SELECT c.*, CASE WHEN c.place = 1 THEN c.calls ELSE 0 END AS tries, coalesce(b.state, 'open') AS state,
         b.at AS closed_at, b.call_id, b.at <= c.deadline AS in_time
    FROM cases c
    LEFT JOIN counted k ON k.customer = c.customer AND k.ends AND k.n = c.n + 1
    LEFT JOIN breaks b ON b.customer = k.customer AND b.at = k.at AND b.name = k.name
)
UPDATE monitoring_lostcall l
   SET (case_key, tries, owner_id, state, closed_at, closing_call_id, in_time)
     = (e.case_key, e.tries, e.owner_id, e.state, e.closed_at, e.call_id, e.in_time)
  FROM ended e
 WHERE l.id = e.id
   AND (l.case_key, l.tries, l.owner_id, l.state, l.closed_at, l.closing_call_id, l.in_time)
       IS DISTINCT FROM (e.case_key, e.tries, e.owner_id, e.state, e.closed_at, e.call_id, e.in_time)
RETURNING extract(epoch FROM l.lost_at)::float8
"""  # noqa: S608 - put together from this file's own constants

# Cases of these customers that nobody has, with the groups whose people may be asked.
NOBODYS = """
SELECT l.case_key, array(
         SELECT DISTINCT g.id FROM monitoring_group g
          WHERE g.archived_at IS NULL
            AND CASE WHEN l.queue_id IS NULL THEN g.id = ANY(l.groups)
                     ELSE EXISTS (SELECT 1 FROM monitoring_queue_groups q
                                   WHERE q.queue_id = l.queue_id AND q.group_id = g.id) END
          ORDER BY 1)
  FROM monitoring_lostcall l
 WHERE l.customer = ANY(%(customers)s) AND l.state = 'open' AND l.tries > 0 AND l.owner_id IS NULL
 ORDER BY l.lost_at, l.call_key
"""

# Who may be asked: in these groups, not away by their own word; with how much they have open.
CANDIDATES = """
SELECT m.id, array_agg(DISTINCT mg.group_id),
       (SELECT count(*) FROM monitoring_lostcall o WHERE o.state = 'open' AND o.tries > 0 AND o.owner_id = m.id)
  FROM monitoring_manager m JOIN monitoring_manager_groups mg ON mg.manager_id = m.id
 WHERE m.archived_at IS NULL AND mg.group_id = ANY(%(groups)s)
   AND NOT EXISTS (SELECT 1 FROM monitoring_statusinterval i JOIN monitoring_status s ON s.id = i.status_id
                    WHERE i.manager_id = m.id AND i.ended IS NULL AND s.kind = 'away')
 GROUP BY m.id ORDER BY m.id
"""

GIVE = """
UPDATE monitoring_lostcall l SET owner_id = g.owner
  FROM unnest(%(cases)s::text[], %(owners)s::int8[]) AS g (case_key, owner)
 WHERE l.case_key = g.case_key AND l.state = 'open' AND l.owner_id IS NULL
"""

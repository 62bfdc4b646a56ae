-- What must hold at every commit and needs more than one row to see. A rule returns the keys that
-- break it; check_business() returns them all, and nothing when the business is whole.

CREATE OR REPLACE VIEW sim.never_bound AS
SELECT * FROM policy WHERE status IN ('QUOTED', 'DECLINED', 'NOT_TAKEN');
CREATE OR REPLACE VIEW sim.ever_bound AS
SELECT * FROM policy WHERE status IN ('BOUND', 'IN_FORCE', 'ACTIVE', 'CANCELLED', 'RENEWED', 'LAPSED', 'EXPIRED');

-- Status machines. `today` is the last closed day; a change booked later waits for tonight's batch.
CREATE OR REPLACE FUNCTION sim.check_status(today date) RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  SELECT 'policy status is one of the machine', policy_id::text FROM policy
   WHERE status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN', 'BOUND', 'IN_FORCE', 'ACTIVE', 'CANCELLED',
                        'RENEWED', 'LAPSED', 'EXPIRED')
  UNION ALL
  SELECT 'cover that runs is in force', policy_id::text FROM policy
   WHERE status = 'BOUND' AND start_date <= today AND sim.day_of(bound_at) <= today
  UNION ALL
  SELECT 'in force lies between start and end', policy_id::text FROM policy
   WHERE status = 'IN_FORCE' AND (start_date > greatest(today, sim.day_of(updated_at)) OR end_date <= today)
  UNION ALL
  SELECT 'a term is over when its outcome is known', policy_id::text FROM policy
   WHERE status IN ('RENEWED', 'LAPSED', 'EXPIRED') AND end_date > today + 1
  UNION ALL
  SELECT 'cancelled has a day inside the term', policy_id::text FROM policy
   WHERE (status = 'CANCELLED') <> (cancelled_on IS NOT NULL)
      OR cancelled_on < start_date OR cancelled_on >= end_date
  UNION ALL
  SELECT 'renewed has a next term', p.policy_id::text FROM policy p
   WHERE p.status = 'RENEWED' AND NOT EXISTS (
     SELECT FROM sim.ever_bound n WHERE n.policy_number = p.policy_number AND n.term_no = p.term_no + 1)
  UNION ALL
  SELECT 'terms follow each other without a gap', n.policy_id::text
    FROM policy n LEFT JOIN policy p ON p.policy_number = n.policy_number AND p.term_no = n.term_no - 1
   WHERE n.term_no > 1 AND (p.policy_id IS NULL OR p.end_date <> n.start_date)
  UNION ALL
  SELECT 'bound has a time, unbound has none', policy_id::text FROM policy
   WHERE (bound_at IS NULL) <> (status IN ('QUOTED', 'DECLINED', 'NOT_TAKEN'))
  UNION ALL
  SELECT 'an offer has no version, cover, money', n.policy_id::text FROM sim.never_bound n
   WHERE EXISTS (SELECT FROM policy_version v WHERE v.policy_id = n.policy_id)
      OR EXISTS (SELECT FROM coverage c WHERE c.policy_id = n.policy_id)
      OR EXISTS (SELECT FROM premium_transaction t WHERE t.policy_id = n.policy_id)
      OR EXISTS (SELECT FROM invoice i WHERE i.policy_id = n.policy_id)
  UNION ALL
  SELECT 'a survivor is not merged away', y.party_id::text
    FROM party y JOIN party s ON s.party_id = y.merged_into_party_id WHERE s.status = 'MERGED'
  UNION ALL
  SELECT 'erased holds nothing personal', y.party_id::text FROM party y
   WHERE y.status = 'ERASED' AND (y.name <> 'ERASED'
      OR num_nonnulls(y.birth_date, y.gender, y.national_id, y.email, y.phone) > 0
      OR EXISTS (SELECT FROM party_address a WHERE a.party_id = y.party_id))
  UNION ALL
  SELECT 'a prospect has bought nothing', y.party_id::text FROM party y
   WHERE y.status = 'PROSPECT' AND EXISTS (SELECT FROM sim.ever_bound p WHERE p.party_id = y.party_id)
$$;

-- Versions count from one, and the last one says what the policy is.
CREATE OR REPLACE FUNCTION sim.check_versions() RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  WITH history AS (
    SELECT v.*, p.term_no, p.status,
           row_number() OVER w AS nth, lag(v.txn_type) OVER w AS before, lead(v.txn_type) OVER w AS after,
           lag(v.booked_at) OVER w AS booked_before
      FROM policy_version v JOIN policy p USING (policy_id)
    WINDOW w AS (PARTITION BY v.policy_id ORDER BY v.version_no))
  SELECT 'versions count from one without a gap', policy_version_id::text FROM history WHERE version_no <> nth
  UNION ALL
  SELECT 'the first version opens the term', policy_version_id::text FROM history
   WHERE (nth = 1) <> (txn_type IN ('NEW', 'RENEWAL')) OR (nth = 1 AND (term_no = 1) <> (txn_type = 'NEW'))
  UNION ALL
  SELECT 'only reinstatement follows cancellation', policy_version_id::text FROM history
   WHERE coalesce(before = 'CANCELLATION', FALSE) <> (txn_type = 'REINSTATEMENT')
  UNION ALL
  SELECT 'the last version agrees with the status', policy_version_id::text FROM history
   WHERE after IS NULL AND (txn_type = 'CANCELLATION') <> (status = 'CANCELLED')
  UNION ALL
  SELECT 'versions are booked in order', policy_version_id::text FROM history
   WHERE sim.day_of(booked_at) < sim.day_of(booked_before)
  UNION ALL
  SELECT 'bound cover has a version', p.policy_id::text FROM sim.ever_bound p
   WHERE NOT EXISTS (SELECT FROM policy_version v WHERE v.policy_id = p.policy_id)
  UNION ALL
  SELECT 'the last version carries the premium of the open segments', p.policy_id::text
    FROM sim.ever_bound p
    JOIN LATERAL (SELECT annual_premium FROM policy_version v WHERE v.policy_id = p.policy_id
                   ORDER BY version_no DESC LIMIT 1) AS last ON TRUE
   WHERE p.status <> 'CANCELLED' AND last.annual_premium IS DISTINCT FROM
         (SELECT sum(c.annual_premium) FROM coverage c WHERE c.policy_id = p.policy_id AND c.effective_to = p.end_date)
$$;

-- Segments of one cover tile the term (or its part before the cancellation): no gap, no overlap.
CREATE OR REPLACE FUNCTION sim.check_segments() RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  WITH tiles AS (
    SELECT c.*, p.start_date, p.end_date, coalesce(p.cancelled_on, p.end_date) AS covered_to,
           lag(c.effective_to) OVER (PARTITION BY c.policy_id, c.coverage_code
                                     ORDER BY c.effective_from, c.effective_to, c.coverage_id) AS before
      FROM coverage c JOIN policy p USING (policy_id))
  SELECT 'a segment lies inside its term', coverage_id::text FROM tiles
   WHERE effective_from < start_date OR effective_to > end_date
  UNION ALL
  SELECT 'segments of a cover do not overlap', coverage_id::text FROM tiles
   WHERE effective_from < before AND effective_from < effective_to
  UNION ALL
  SELECT 'segments of a cover leave no gap', policy_id || ' ' || coverage_code FROM tiles
   GROUP BY policy_id, coverage_code, covered_to, start_date
  HAVING sum(effective_to - effective_from) <> covered_to - start_date
  UNION ALL
  SELECT 'the insured object belongs to the policy', c.coverage_id::text
    FROM coverage c JOIN risk_object r USING (risk_object_id) WHERE r.policy_id <> c.policy_id
  UNION ALL
  SELECT 'objects of a policy do not overlap', r.risk_object_id::text
    FROM risk_object r JOIN risk_object o ON o.policy_id = r.policy_id AND o.risk_object_id < r.risk_object_id
   WHERE coalesce(o.valid_to, 'infinity') > r.valid_from
$$;

-- Fraud indicators of the claims reported by v, with the default rules and points.

-- The last day, in the 30 before the loss, on which the claimed cover was added or its limit went up by a quarter.
CREATE OR REPLACE FUNCTION report.cover_increase(number text, cover text, loss date) RETURNS date
LANGUAGE sql STABLE AS $$
  WITH step AS (
    SELECT DISTINCT s.effective_from, g.limit_amount
      FROM report.segment s JOIN coverage g USING (coverage_id)
     WHERE s.policy_number = number AND s.coverage_code = cover
  )
  SELECT max(s.effective_from)
    FROM step s
    LEFT JOIN LATERAL (SELECT b.limit_amount, TRUE AS there FROM step b WHERE b.effective_from < s.effective_from
                        ORDER BY b.effective_from DESC, b.limit_amount DESC NULLS LAST LIMIT 1) AS before ON TRUE
   WHERE loss - s.effective_from BETWEEN 0 AND 30
     AND CASE WHEN before.there THEN s.limit_amount >= 1.25 * before.limit_amount
              ELSE s.effective_from > (SELECT min(a.effective_from) FROM report.segment a WHERE a.policy_number = number) END
$$;

-- Grain: claim_id, kind (bank, phone, address), of identifiers met with several owners, households and policies.
CREATE OR REPLACE FUNCTION report.claim_sharer(v date)
RETURNS TABLE (claim_id bigint, kind text, sharers bigint)
LANGUAGE sql STABLE AS $$
  WITH place AS (
    SELECT a.party_id, concat_ws('|', a.postal_code, a.line1) AS place, a.address_type, a.valid_from, a.address_id
      FROM party_address a WHERE a.valid_to IS NULL AND a.line1 <> ''
  ), home AS (
    SELECT DISTINCT ON (a.party_id) a.party_id, a.place FROM place a WHERE a.address_type = 'HOME'
     ORDER BY a.party_id, a.valid_from DESC, a.address_id DESC
  ), crowded AS (SELECT h.place FROM home h GROUP BY 1 HAVING count(*) > 12
  ), owner AS (
    SELECT p.claim_id, p.policy_number, coalesce(y.merged_into_party_id, y.party_id) AS owner_id, y.phone
      FROM report.claim_position(v) AS p LEFT JOIN policy t USING (policy_id) LEFT JOIN party y USING (party_id)
  ), placed AS (
    SELECT o.*, coalesce(h.place, 'party ' || o.owner_id, 'claim ' || o.claim_id) AS household
      FROM owner o LEFT JOIN home h ON h.party_id = o.owner_id AND h.place NOT IN (SELECT c.place FROM crowded c)
  ), met AS (
    SELECT i.claim_id, 'phone' AS kind, i.phone AS value FROM claim_party i
    UNION ALL SELECT i.claim_id, 'bank', i.bank_account_token FROM claim_party i
    UNION ALL SELECT l.claim_id, 'bank', l.bank_account_token FROM claim_transaction l
    UNION ALL SELECT o.claim_id, 'phone', o.phone FROM owner o
    UNION ALL SELECT o.claim_id, 'address', a.place FROM owner o JOIN place a ON a.party_id = o.owner_id
               WHERE a.place IS DISTINCT FROM (SELECT h.place FROM home h JOIN crowded USING (place) WHERE h.party_id = o.owner_id)
  ), shared AS (
    SELECT x.kind, x.value, array_agg(DISTINCT p.claim_id) AS claims,
           least(count(DISTINCT p.owner_id), count(DISTINCT p.household), count(DISTINCT p.policy_number)) AS sharers
      FROM met x JOIN placed p USING (claim_id) WHERE x.value <> '' GROUP BY 1, 2
  )
  SELECT c, s.kind, max(s.sharers) FROM shared s CROSS JOIN unnest(s.claims) AS c WHERE s.sharers > 1 GROUP BY 1, 2
$$;

-- Grain: claim_id, narrowness: 0 policy type, 1 and cause, 2 and severity.
CREATE OR REPLACE FUNCTION report.claim_peer(v date)
RETURNS TABLE (claim_id bigint, narrowness integer, n bigint, median float8, ratio float8, z float8, is_usable boolean)
LANGUAGE sql STABLE AS $$
  WITH member AS (
    SELECT p.claim_id, g.narrowness, g.peers, p.incurred::float8 AS incurred, ln(p.incurred::float8) AS ln
      FROM report.claim_position(v) AS p JOIN claim c USING (claim_id)
     CROSS JOIN LATERAL (VALUES (0, ARRAY[p.segment]), (1, ARRAY[p.segment, coalesce(p.cause_code, 'none')]),
       (2, ARRAY[p.segment, coalesce(p.cause_code, 'none'), coalesce(c.severity_code, 'none')])) AS g(narrowness, peers)
     WHERE p.incurred > 0
  ), middle AS (
    SELECT m.peers, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY m.incurred) AS median,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY m.ln) AS ln FROM member m GROUP BY 1
  ), spread AS (
    SELECT m.peers, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(m.ln - i.ln)) AS mad, avg(abs(m.ln - i.ln)) AS mean
      FROM member m JOIN middle i USING (peers) GROUP BY 1
  )
  SELECT m.claim_id, m.narrowness, i.n, i.median, m.incurred / i.median,
         CASE WHEN s.mad > 0 THEN 0.6745 * (m.ln - i.ln) / s.mad ELSE (m.ln - i.ln) / (1.253314 * nullif(s.mean, 0)) END,
         i.n >= 30 AND (s.mad > 0 OR (m.narrowness = 0 AND s.mean > 0))
    FROM member m JOIN middle i USING (peers) JOIN spread s USING (peers)
$$;

-- Grain: claim_id, rule.
CREATE OR REPLACE FUNCTION report.fraud_flag(v date)
RETURNS TABLE (claim_id bigint, rule text, points bigint, policy_id bigint, days_since_inception integer, peer_n bigint,
               peer_median float8, peer_ratio float8, robust_z float8, sharers bigint)
LANGUAGE sql STABLE AS $$
  WITH usual AS (
    SELECT p.cause_code, percentile_cont(0.95) WITHIN GROUP (ORDER BY p.report_lag_days) AS days
      FROM report.claim_position(v) AS p GROUP BY 1
  ), involved AS (
    SELECT p.claim_id, t.party_id, p.loss_date FROM report.claim_position(v) AS p JOIN policy t USING (policy_id)
    UNION SELECT i.claim_id, i.party_id, p.loss_date FROM claim_party i JOIN report.claim_position(v) AS p USING (claim_id)
           WHERE i.role <> 'WITNESS'
  ), repeated AS (
    SELECT i.claim_id, count(DISTINCT o.claim_id) AS claims
      FROM involved i JOIN involved o ON o.party_id = i.party_id AND i.loss_date - o.loss_date BETWEEN 0 AND 365
     GROUP BY i.claim_id, i.party_id HAVING count(DISTINCT o.claim_id) >= 3
  ), overdue AS (
    SELECT DISTINCT p.claim_id
      FROM report.claim_position(v) AS p JOIN invoice i USING (policy_id)
     WHERE i.status <> 'VOID' AND p.loss_date - i.due_date > 30
       AND i.amount > (SELECT coalesce(sum(y.amount), 0) FROM payment y
                        WHERE y.invoice_id = i.invoice_id AND y.status = 'SETTLED' AND sim.day_of(y.paid_at) <= p.loss_date)
  ), judged AS (
    SELECT p.*, c.police_report, t.cancelled_on,
           p.loss_date - (SELECT min(b.start_date) FROM policy b WHERE b.policy_number = p.policy_number
                             AND b.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN')) AS since,
           EXISTS (SELECT FROM report.segment s WHERE s.policy_number = p.policy_number
                      AND s.effective_from <= p.loss_date AND p.loss_date < s.on_risk_to) AS is_covered,
           greatest(30, u.days) AS usual_days
      FROM report.claim_position(v) AS p
      JOIN claim c USING (claim_id)
      LEFT JOIN policy t ON t.policy_id = p.policy_id
      LEFT JOIN usual u ON u.cause_code IS NOT DISTINCT FROM p.cause_code
  ), sharer AS MATERIALIZED (SELECT * FROM report.claim_sharer(v)
  ), peer AS MATERIALIZED (SELECT * FROM report.claim_peer(v)
  ), flag AS (
    SELECT j.claim_id, f.rule, f.points, j.policy_id, j.since, NULL::bigint AS n, NULL::float8 AS median,
           NULL::float8 AS ratio, NULL::float8 AS z, NULL::bigint AS sharers
      FROM judged j CROSS JOIN LATERAL (VALUES
        ('loss_before_inception', 40, j.since < 0),
        ('outside_cover', 40, j.since >= 0 AND NOT j.is_covered),
        ('early_claim', 20, j.since BETWEEN 0 AND 30),
        ('early_claim', 10, j.since BETWEEN 31 AND 60),
        ('cover_increase', 20, report.cover_increase(j.policy_number, j.coverage_code, j.loss_date) IS NOT NULL),
        ('late_report', 10, j.report_lag_days > j.usual_days),
        ('repeat_claims', 15, EXISTS (SELECT FROM repeated r WHERE r.claim_id = j.claim_id)),
        ('cancelled_then_claimed', 15, EXISTS (SELECT FROM overdue o WHERE o.claim_id = j.claim_id)
           OR (j.reported_on > j.cancelled_on AND j.cancelled_on - j.loss_date BETWEEN 0 AND 30)),
        ('round_amount', 5, j.incurred >= 1000 AND j.incurred % 1000 = 0),
        ('no_police_report', 5, j.cause_code IN ('THEFT', 'INJURY') AND coalesce(j.police_report, 'NO') <> 'YES')
      ) AS f(rule, points, holds)
     WHERE f.holds
    UNION ALL
    SELECT j.claim_id, 'shared_' || s.kind, CASE s.kind WHEN 'bank' THEN 30 WHEN 'phone' THEN 15 ELSE 10 END, j.policy_id,
           j.since, NULL, NULL, NULL, NULL, s.sharers
      FROM judged j JOIN sharer s USING (claim_id)
    UNION ALL
    SELECT j.claim_id, 'amount_vs_peers', 15, j.policy_id, j.since, p.n, p.median, p.ratio, NULL, NULL
      FROM judged j JOIN peer p USING (claim_id) WHERE p.narrowness = 2 AND p.n >= 30 AND p.ratio > 3
    UNION ALL
    SELECT j.claim_id, 'robust_outlier', 15, j.policy_id, j.since, p.n, p.median, p.ratio, p.z, NULL
      FROM judged j
      JOIN LATERAL (SELECT * FROM peer x WHERE x.claim_id = j.claim_id AND x.is_usable
                     ORDER BY x.narrowness DESC LIMIT 1) AS p ON abs(p.z) > 3.5
  )
  SELECT f.claim_id, f.rule, f.points, f.policy_id, f.since, f.n, f.median, f.ratio, f.z, f.sharers FROM flag f
$$;

-- Grain: claim_id.
CREATE OR REPLACE FUNCTION report.fraud_score(v date)
RETURNS TABLE (claim_id bigint, score bigint, band text, rules text[], siu_status text)
LANGUAGE sql STABLE AS $$
  WITH summed AS (
    SELECT f.claim_id, sum(f.points) AS points, array_agg(f.rule ORDER BY f.rule COLLATE "C") AS rules
      FROM report.fraud_flag(v) AS f GROUP BY 1
  )
  SELECT p.claim_id, s.score, CASE WHEN s.score >= 60 THEN 'HIGH' WHEN s.score >= 30 THEN 'MEDIUM' ELSE 'LOW' END,
         coalesce(m.rules, '{}'), c.siu_status
    FROM report.claim_position(v) AS p JOIN claim c USING (claim_id) LEFT JOIN summed m USING (claim_id)
   CROSS JOIN LATERAL (SELECT least(coalesce(m.points, 0), 100)::bigint AS score) AS s
$$;

-- The ledgers: premium, what is billed, what is paid, and claims.

CREATE OR REPLACE FUNCTION sim.check_premium() RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  SELECT 'premium earns inside its term', t.premium_txn_id::text
    FROM premium_transaction t JOIN policy p USING (policy_id)
   WHERE t.earn_from < p.start_date OR t.earn_to > p.end_date
  UNION ALL
  SELECT 'premium names cover and version of its own policy', t.premium_txn_id::text
    FROM premium_transaction t
    LEFT JOIN coverage c USING (coverage_id)
    LEFT JOIN policy_version v USING (policy_version_id)
   WHERE c.policy_id IS DISTINCT FROM t.policy_id OR v.policy_id IS DISTINCT FROM t.policy_id
      OR c.coverage_code <> t.coverage_code
  UNION ALL
  SELECT 'the sign of premium follows its type', t.premium_txn_id::text FROM premium_transaction t
   WHERE (t.txn_type IN ('NEW', 'RENEWAL', 'PENALTY') AND t.amount <= 0)
  UNION ALL
  SELECT 'a refund does not exceed what was written', p.policy_id::text
    FROM premium_transaction p GROUP BY p.policy_id HAVING sum(p.amount) < 0
  UNION ALL
  -- Each row rounds once, so a day's rest is at most a cent a row.
  SELECT 'nothing is unearned after a cancellation', p.policy_id::text
    FROM policy p JOIN premium_transaction t USING (policy_id)
   WHERE p.status = 'CANCELLED' AND t.txn_type <> 'PENALTY'
   GROUP BY p.policy_id
  HAVING abs(sum(t.amount * greatest(0, t.earn_to - greatest(t.earn_from, p.cancelled_on)) / (t.earn_to - t.earn_from)))
         > 0.01 * count(*)
$$;

CREATE OR REPLACE FUNCTION sim.check_collections() RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  WITH settled AS (
    SELECT i.invoice_id, i.policy_id, i.amount, i.status,
           coalesce(sum(y.amount) FILTER (WHERE y.status = 'SETTLED'), 0) AS paid
      FROM invoice i LEFT JOIN payment y USING (invoice_id)
     GROUP BY i.invoice_id)
  SELECT 'what is billed is what is written, tax included', b.policy_id::text
    FROM sim.ever_bound b
   WHERE (SELECT coalesce(sum(i.amount), 0) FROM invoice i WHERE i.policy_id = b.policy_id AND i.status <> 'VOID')
      <> (SELECT coalesce(sum(t.amount + t.tax_amount), 0) FROM premium_transaction t WHERE t.policy_id = b.policy_id)
  UNION ALL
  SELECT 'an invoice is paid when its payments say so', invoice_id::text FROM settled
   WHERE (status = 'PAID') <> (paid = amount) AND status NOT IN ('VOID')
  UNION ALL
  SELECT 'an open or void invoice has no settled payment', invoice_id::text FROM settled
   WHERE status IN ('OPEN', 'VOID') AND paid <> 0
  UNION ALL
  SELECT 'a part-paid invoice is paid in part', invoice_id::text FROM settled
   WHERE status = 'PART_PAID' AND NOT (paid > 0 AND paid < amount)
  UNION ALL
  SELECT 'nobody pays too much', invoice_id::text FROM settled WHERE abs(paid) > abs(amount)
  UNION ALL
  SELECT 'a payment names the policy of its invoice', y.payment_id::text
    FROM payment y JOIN invoice i USING (invoice_id) WHERE y.policy_id <> i.policy_id
  UNION ALL
  SELECT 'units are never negative', fund_unit_id::text FROM fund_unit WHERE units < 0
  UNION ALL
  SELECT 'a price is positive, bid below offer', fund_code || ' ' || price_date FROM fund_price
   WHERE bid_price <= 0 OR offer_price < bid_price
$$;

CREATE OR REPLACE FUNCTION sim.check_claims() RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  WITH balances AS (
    SELECT c.claim_id, c.status, c.loss_date, c.reported_at, c.closed_at, c.reopened_at,
           coalesce(sum(t.amount) FILTER (WHERE t.txn_type = 'RESERVE'), 0) AS reserve,
           coalesce(sum(t.amount) FILTER (WHERE t.txn_type = 'RECOVERY_RESERVE'), 0) AS recovery_reserve,
           coalesce(sum(t.amount) FILTER (WHERE t.txn_type = 'PAYMENT'), 0) AS paid,
           min(t.accounting_date) AS first_entry
      FROM claim c LEFT JOIN claim_transaction t USING (claim_id)
     GROUP BY c.claim_id
  ), running AS (
    SELECT claim_id, claim_txn_id, sum(amount) OVER (PARTITION BY claim_id, component ORDER BY claim_txn_id) AS reserve
      FROM claim_transaction WHERE txn_type = 'RESERVE')
  SELECT 'a claim ends with no reserve', claim_id::text FROM balances
   WHERE status IN ('CLOSED', 'REJECTED', 'WITHDRAWN') AND (reserve <> 0 OR recovery_reserve <> 0 OR closed_at IS NULL)
  UNION ALL
  SELECT 'a claim runs from loss to report to end', claim_id::text FROM balances
   WHERE sim.day_of(reported_at) < loss_date OR closed_at < reported_at
      OR (status = 'REOPENED' AND (closed_at IS NULL OR reopened_at <= closed_at))
      OR (status = 'OPEN' AND num_nonnulls(closed_at, reopened_at) > 0)
  UNION ALL
  SELECT 'a case reserve is never negative', claim_txn_id::text FROM running WHERE reserve < 0
  UNION ALL
  SELECT 'a claim has a reserve from its first day', claim_id::text FROM balances
   WHERE first_entry IS DISTINCT FROM sim.day_of(reported_at)
  UNION ALL
  SELECT 'no more comes back than was paid out', claim_id::text FROM balances WHERE paid < 0 OR recovery_reserve > 0
  UNION ALL
  SELECT 'a reversal takes back one entry of its claim, to the cent', t.claim_txn_id::text
    FROM claim_transaction t JOIN claim_transaction w ON w.claim_txn_id = t.reverses_txn_id
   WHERE (t.claim_id, t.txn_type, t.component, t.amount)
         IS DISTINCT FROM (w.claim_id, w.txn_type, w.component, -w.amount)
  UNION ALL
  SELECT 'only a reversal is a negative payment', claim_txn_id::text FROM claim_transaction
   WHERE txn_type IN ('PAYMENT', 'RECOVERY') AND (amount < 0) <> (reverses_txn_id IS NOT NULL)
  UNION ALL
  SELECT 'a claim names cover of its own policy', c.claim_id::text
    FROM claim c JOIN coverage k USING (coverage_id) WHERE k.policy_id <> c.policy_id
$$;

CREATE OR REPLACE FUNCTION check_business() RETURNS TABLE (rule text, key text)
LANGUAGE sql STABLE AS $$
  SELECT * FROM sim.check_status((SELECT closed_day FROM sim.book))
  UNION ALL SELECT * FROM sim.check_versions()
  UNION ALL SELECT * FROM sim.check_segments()
  UNION ALL SELECT * FROM sim.check_premium()
  UNION ALL SELECT * FROM sim.check_collections()
  UNION ALL SELECT * FROM sim.check_claims()
$$;

-- Posts what is due. Ledger rows are only ever added; a claim's status follows its own steps.

CREATE OR REPLACE PROCEDURE sim.post_claims(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  -- The key is drawn first: a reversal must be able to name the row it takes back.
  UPDATE sim.claim_step t SET claim_txn_id = n.id
    FROM (SELECT claim_id, seq, nextval(pg_get_serial_sequence('public.claim_transaction', 'claim_txn_id')) AS id
            FROM (SELECT claim_id, seq FROM sim.claim_step
                   WHERE NOT done AND due_on < d1 AND kind NOT IN ('STATUS', 'SIU')
                   ORDER BY due_on, claim_id, seq) AS due) AS n
   WHERE t.claim_id = n.claim_id AND t.seq = n.seq;

  INSERT INTO claim_transaction (claim_txn_id, claim_id, coverage_id, coverage_code, txn_type, component, recovery_type,
      amount, accounting_date, posted_at, payee_party_id, bank_account_token, reverses_txn_id)
  SELECT t.claim_txn_id, t.claim_id, c.coverage_id, l.coverage_code, t.kind, t.component,
         CASE t.kind WHEN 'RECOVERY' THEN t.outcome END, t.amount, t.due_on, sim.at(t.due_on, 0.2 + 0.7 * t.seq / 1000),
         CASE WHEN t.kind = 'PAYMENT' AND t.component = 'INDEMNITY' THEN insured.party_id END,
         CASE WHEN t.kind = 'PAYMENT' AND t.component = 'INDEMNITY' THEN insured.bank_account_token END,
         wrong.claim_txn_id
    FROM sim.claim_step t
    JOIN claim c USING (claim_id)
    JOIN sim.loss l USING (claim_id)
    LEFT JOIN LATERAL (SELECT party_id, bank_account_token FROM claim_party q
                        WHERE q.claim_id = t.claim_id AND q.role = 'INSURED' LIMIT 1) AS insured ON TRUE
    LEFT JOIN sim.claim_step wrong ON wrong.claim_id = t.claim_id AND wrong.seq = t.reverses_seq
   WHERE NOT t.done AND t.due_on < d1 AND t.kind NOT IN ('STATUS', 'SIU')
   ORDER BY t.claim_txn_id;

  -- Two changes of status never fall into one month: a claim rests eighty days before it is reopened.
  UPDATE claim c
     SET status = coalesce(d.status, c.status), siu_status = coalesce(d.siu, c.siu_status),
         closed_at = CASE WHEN d.status IN ('CLOSED', 'REJECTED', 'WITHDRAWN') THEN d.moment ELSE c.closed_at END,
         reopened_at = CASE WHEN d.status = 'REOPENED' THEN d.moment ELSE c.reopened_at END,
         updated_at = d.moment
    FROM (SELECT claim_id, max(outcome) FILTER (WHERE kind = 'STATUS') AS status,
                 (array_agg(outcome ORDER BY seq DESC) FILTER (WHERE kind = 'SIU'))[1] AS siu,
                 sim.at(coalesce(max(due_on) FILTER (WHERE kind = 'STATUS'), max(due_on)), 0.95) AS moment
            FROM sim.claim_step WHERE NOT done AND due_on < d1 AND kind IN ('STATUS', 'SIU') GROUP BY claim_id) AS d
   WHERE c.claim_id = d.claim_id;

  UPDATE sim.claim_step SET done = TRUE WHERE NOT done AND due_on < d1;
END $$;

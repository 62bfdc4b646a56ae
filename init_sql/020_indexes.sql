-- Access paths of the business day: the children of one policy, party, claim; and what is due. None
-- of them contains a status: a change of status then touches no index (a heap-only update), and there
-- are millions. The free space is where the new version of the row goes.
ALTER TABLE policy  SET (fillfactor = 70);
ALTER TABLE invoice SET (fillfactor = 85);
CREATE INDEX IF NOT EXISTS party_address_party   ON party_address (party_id);
CREATE INDEX IF NOT EXISTS policy_party          ON policy (party_id);
CREATE INDEX IF NOT EXISTS policy_quoted         ON policy (quoted_at);
CREATE INDEX IF NOT EXISTS policy_ends           ON policy (end_date);
CREATE INDEX IF NOT EXISTS policy_cancelled      ON policy (cancelled_on) WHERE cancelled_on IS NOT NULL;
CREATE INDEX IF NOT EXISTS risk_object_policy    ON risk_object (policy_id);
CREATE INDEX IF NOT EXISTS coverage_policy       ON coverage (policy_id);
CREATE INDEX IF NOT EXISTS coverage_runs_until   ON coverage (effective_to);
CREATE INDEX IF NOT EXISTS premium_txn_policy    ON premium_transaction (policy_id);
CREATE INDEX IF NOT EXISTS invoice_policy        ON invoice (policy_id);
CREATE INDEX IF NOT EXISTS invoice_due           ON invoice (due_date);
CREATE INDEX IF NOT EXISTS payment_invoice       ON payment (invoice_id);
CREATE INDEX IF NOT EXISTS payment_pending       ON payment (paid_at) WHERE status = 'PENDING';
CREATE INDEX IF NOT EXISTS claim_policy          ON claim (policy_id);
CREATE INDEX IF NOT EXISTS claim_party_claim     ON claim_party (claim_id);
CREATE INDEX IF NOT EXISTS claim_txn_claim       ON claim_transaction (claim_id);
CREATE INDEX IF NOT EXISTS fund_unit_policy      ON fund_unit (policy_id);

-- Rules the model states and a column can hold. What needs two rows to see is in check_business().
DO $$
DECLARE rule record;
BEGIN
  FOR rule IN SELECT * FROM (VALUES
    ('party_address', 'party_address_half_open', 'valid_to >= valid_from'),
    ('risk_object',   'risk_object_half_open',   'valid_to >= valid_from'),
    ('party',  'party_merge_names_survivor',
               '(status = ''MERGED'') = (merged_into_party_id IS NOT NULL)'),
    ('party',  'party_not_merged_into_itself', 'merged_into_party_id <> party_id'),
    ('claim',  'claim_closed_has_date', 'status <> ''CLOSED'' OR closed_at IS NOT NULL'),
    ('claim',  'claim_reopened_has_date', 'status <> ''REOPENED'' OR reopened_at IS NOT NULL'),
    ('policy', 'policy_terms_count_from_one', 'term_no >= 1'),
    ('coverage', 'coverage_counts_units', 'unit_count >= 1')) AS r(tab, name, condition)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_constraint c
                    WHERE c.conname = rule.name AND c.conrelid = ('public.' || rule.tab)::regclass) THEN
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I CHECK (%s)',
                     rule.tab, rule.name, rule.condition);
    END IF;
  END LOOP;
END $$;

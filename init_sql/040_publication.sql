-- What replication may see: exactly the sixteen tables. The simulation's own schema stays private.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'insurance') THEN
    CREATE PUBLICATION insurance FOR TABLE
      party, party_address, product, agent, policy, policy_version, risk_object, coverage,
      premium_transaction, invoice, payment, claim, claim_party, claim_transaction,
      fund_unit, fund_price;
  END IF;
END $$;

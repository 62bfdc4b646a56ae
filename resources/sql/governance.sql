-- Who may read what. Run every night, so that a table that was recreated is covered again.
-- Groups are account groups: insurance_readers, insurance_pii_readers, insurance_fraud, and
-- insurance_pipelines, whose member is the identity that runs the pipeline: masks and filters apply
-- to it too, and gold must not be computed from masked values.
USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);

-- Gold for everybody who reads reports; bronze and silver for nobody.
GRANT SELECT ON TABLE gold_actual_expected TO `insurance_readers`;
GRANT SELECT ON TABLE gold_agent_scorecard TO `insurance_readers`;
GRANT SELECT ON TABLE gold_anomaly_day TO `insurance_readers`;
GRANT SELECT ON TABLE gold_claim_kpi TO `insurance_readers`;
GRANT SELECT ON TABLE gold_claim_position TO `insurance_readers`;
GRANT SELECT ON TABLE gold_concentration TO `insurance_readers`;
GRANT SELECT ON TABLE gold_dq_metric TO `insurance_readers`;
GRANT SELECT ON TABLE gold_exposure_segment TO `insurance_readers`;
GRANT SELECT ON TABLE gold_inforce_month_end TO `insurance_readers`;
GRANT SELECT ON TABLE gold_inforce_movement TO `insurance_readers`;
GRANT SELECT ON TABLE gold_ldf TO `insurance_readers`;
GRANT SELECT ON TABLE gold_oneway TO `insurance_readers`;
GRANT SELECT ON TABLE gold_premium_month TO `insurance_readers`;
GRANT SELECT ON TABLE gold_reconciliation TO `insurance_readers`;
GRANT SELECT ON TABLE gold_reserve_movement TO `insurance_readers`;
GRANT SELECT ON TABLE gold_retention_cohort TO `insurance_readers`;
GRANT SELECT ON TABLE gold_surrender_year TO `insurance_readers`;
GRANT SELECT ON TABLE gold_triangle TO `insurance_readers`;
GRANT SELECT ON TABLE gold_ultimate TO `insurance_readers`;

-- One row a customer, household or insured object: for those who may see personal data.
GRANT SELECT ON TABLE gold_customer_360 TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_customer_segment TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_fund_valuation TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_glm_exposure TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_household TO `insurance_pii_readers`;

-- Suspicions about named claims stay with those who investigate them.
GRANT SELECT ON TABLE gold_fraud_flag TO `insurance_fraud`;
GRANT SELECT ON TABLE gold_fraud_score TO `insurance_fraud`;

-- Birth dates and postcodes identify a person together, so others see less of them.
CREATE OR REPLACE FUNCTION mask_birth_date(birth_date DATE)
RETURNS DATE
RETURN CASE
  WHEN is_account_group_member('insurance_pii_readers')
    OR is_account_group_member('insurance_pipelines')
  THEN birth_date
  ELSE date_trunc('YEAR', birth_date)
END;

CREATE OR REPLACE FUNCTION mask_postal_code(postal_code STRING)
RETURNS STRING
RETURN CASE
  WHEN is_account_group_member('insurance_pii_readers')
    OR is_account_group_member('insurance_pipelines')
  THEN postal_code
  ELSE left(postal_code, 2)
END;

-- A claims handler of one line of business sees the claims of that line.
CREATE OR REPLACE FUNCTION may_see_segment(segment STRING)
RETURNS BOOLEAN
RETURN is_account_group_member('insurance_pipelines')
  OR is_account_group_member('insurance_readers')
  OR is_account_group_member(concat('insurance_claims_', lower(segment)));

ALTER STREAMING TABLE silver_party ALTER COLUMN birth_date SET MASK mask_birth_date;
ALTER STREAMING TABLE silver_party_address ALTER COLUMN postal_code SET MASK mask_postal_code;
ALTER MATERIALIZED VIEW gold_claim_position SET ROW FILTER may_see_segment ON (segment);

-- Tags, by which an audit finds personal data.
ALTER TABLE silver_party SET TAGS ('personal_data' = 'direct');
ALTER TABLE silver_party_address SET TAGS ('personal_data' = 'indirect');
ALTER TABLE gold_customer_360 SET TAGS ('personal_data' = 'indirect');

-- Who may read what. Run every night, so that a table that was recreated is covered again.
-- Groups are account groups: insurance_readers, insurance_engineers (a member of insurance_readers),
-- insurance_pii_readers, insurance_fraud, and insurance_pipelines, whose member is the identity that
-- runs the pipeline: masks and filters apply to it too, and gold must not be computed from masked
-- values. Nobody has SELECT on the schema, because bronze holds names in clear.
USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);

-- Gold, and the settings it was computed with, for everybody who reads reports.
GRANT SELECT ON TABLE gold_actual_expected TO `insurance_readers`;
GRANT SELECT ON TABLE gold_agent_scorecard TO `insurance_readers`;
GRANT SELECT ON TABLE gold_anomaly_day TO `insurance_readers`;
GRANT SELECT ON TABLE gold_claim_kpi TO `insurance_readers`;
GRANT SELECT ON TABLE gold_claim_position TO `insurance_readers`;
GRANT SELECT ON TABLE gold_concentration TO `insurance_readers`;
GRANT SELECT ON TABLE gold_dq_metric TO `insurance_readers`;
GRANT SELECT ON TABLE gold_exposure_segment TO `insurance_readers`;
GRANT SELECT ON TABLE gold_identity TO `insurance_readers`;
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
GRANT SELECT ON TABLE ref_band TO `insurance_readers`;
GRANT SELECT ON TABLE ref_exchange_rate TO `insurance_readers`;
GRANT SELECT ON TABLE ref_rule TO `insurance_readers`;
GRANT SELECT ON TABLE ref_selected_ldf TO `insurance_readers`;
GRANT SELECT ON TABLE ref_valuation TO `insurance_readers`;

-- One row a customer, household or insured object: for those who may see personal data.
GRANT SELECT ON TABLE gold_customer_360 TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_customer_segment TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_fund_valuation TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_glm_exposure TO `insurance_pii_readers`;
GRANT SELECT ON TABLE gold_household TO `insurance_pii_readers`;

-- Suspicions about named claims stay with those who investigate them.
GRANT SELECT ON TABLE gold_fraud_flag TO `insurance_fraud`;
GRANT SELECT ON TABLE gold_fraud_score TO `insurance_fraud`;

-- Silver and what an update did, for those who operate the pipeline.
GRANT SELECT ON TABLE insurance_event_log TO `insurance_engineers`;
GRANT SELECT ON TABLE key_conflict TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_party TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_party_address TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_product TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_agent TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_policy TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_policy_version TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_risk_object TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_coverage TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_premium_transaction TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_invoice TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_payment TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_claim TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_claim_party TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_claim_transaction TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_fund_unit TO `insurance_engineers`;
GRANT SELECT ON TABLE silver_fund_price TO `insurance_engineers`;

-- Rows as they were delivered, with names in clear.
GRANT SELECT ON TABLE bronze_party TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_party_address TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_product TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_agent TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_policy TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_policy_version TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_risk_object TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_coverage TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_premium_transaction TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_invoice TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_payment TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_claim TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_claim_party TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_claim_transaction TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_fund_unit TO `insurance_pii_readers`;
GRANT SELECT ON TABLE bronze_fund_price TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_party TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_party_address TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_product TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_agent TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_policy TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_policy_version TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_risk_object TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_coverage TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_premium_transaction TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_invoice TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_payment TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_claim TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_claim_party TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_claim_transaction TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_fund_unit TO `insurance_pii_readers`;
GRANT SELECT ON TABLE quarantine_fund_price TO `insurance_pii_readers`;

-- Birth dates, postcodes and gender identify a person together, so others see less of them. The
-- functions return the type of their column, as a mask must.
CREATE OR REPLACE FUNCTION mask_date(value DATE)
RETURNS DATE
RETURN CASE
  WHEN is_account_group_member('insurance_pii_readers')
    OR is_account_group_member('insurance_pipelines')
  THEN value
  ELSE trunc(value, 'YEAR')
END;

CREATE OR REPLACE FUNCTION mask_postal_code(value STRING)
RETURNS STRING
RETURN CASE
  WHEN is_account_group_member('insurance_pii_readers')
    OR is_account_group_member('insurance_pipelines')
  THEN value
  ELSE left(value, 2)
END;

CREATE OR REPLACE FUNCTION mask_text(value STRING)
RETURNS STRING
RETURN CASE
  WHEN is_account_group_member('insurance_pii_readers')
    OR is_account_group_member('insurance_pipelines')
  THEN value
END;

-- Claims handlers see the claims of the lines of business whose groups they are in.
CREATE OR REPLACE FUNCTION may_see_segment(segment STRING)
RETURNS BOOLEAN
RETURN is_account_group_member('insurance_pipelines')
  OR is_account_group_member('insurance_claims_all')
  OR is_account_group_member(concat('insurance_claims_', lower(segment)));

ALTER STREAMING TABLE silver_party ALTER COLUMN birth_date SET MASK mask_date;
ALTER STREAMING TABLE silver_party ALTER COLUMN gender SET MASK mask_text;
ALTER STREAMING TABLE silver_party_address ALTER COLUMN postal_code SET MASK mask_postal_code;
ALTER STREAMING TABLE silver_risk_object ALTER COLUMN postal_code SET MASK mask_postal_code;
ALTER STREAMING TABLE silver_risk_object ALTER COLUMN driver_birth_date SET MASK mask_date;
ALTER STREAMING TABLE silver_risk_object ALTER COLUMN driver_licence_date SET MASK mask_date;
ALTER STREAMING TABLE silver_claim ALTER COLUMN loss_postal_code SET MASK mask_postal_code;
ALTER MATERIALIZED VIEW gold_claim_position SET ROW FILTER may_see_segment ON (segment);

-- Tags, by which an audit finds personal data; those of columns are in column_tags.sql.
ALTER STREAMING TABLE silver_party SET TAGS ('personal_data' = 'direct');
ALTER STREAMING TABLE silver_party_address SET TAGS ('personal_data' = 'indirect');
ALTER MATERIALIZED VIEW gold_customer_360 SET TAGS ('personal_data' = 'indirect');

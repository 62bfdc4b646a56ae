"""What the pictures show: one small query for each gold table."""

QUERIES = {
    "valuation": "SELECT max(valuation_date) AS day FROM ref_valuation",
    "premium": """
        SELECT year(month) AS year, policy_type AS line, sum(written_premium) AS written
        FROM gold_premium_month GROUP BY ALL ORDER BY line, year
    """,
    "claims": """
        SELECT accident_year AS year, segment AS line, earned_premium AS earned, incurred, reported,
               open, loss_ratio
        FROM gold_claim_kpi ORDER BY line, year
    """,
    "triangle": """
        SELECT origin_year AS year, dev_lag_months AS age, cumulative
        FROM gold_triangle WHERE segment = 'ALL' AND measure = 'incurred' ORDER BY year, age
    """,
    "factors": """
        SELECT from_lag_months AS age, ldf AS factor
        FROM gold_ldf WHERE segment = 'ALL' AND measure = 'incurred' AND selected ORDER BY age
    """,
    "ultimates": """
        SELECT origin_year AS year, ultimate, ibnr
        FROM gold_ultimate WHERE segment = 'ALL' AND measure = 'incurred' ORDER BY year
    """,
    "movement": """
        SELECT calendar_year AS year, sum(opening_in_force) AS opening, sum(new_business) AS new,
               sum(reinstated) AS reinstated, sum(cancelled) AS cancelled, sum(lapsed) AS lapsed,
               sum(surrendered) AS surrendered, sum(claims) AS claims,
               sum(closing_in_force) AS closing, sum(closing_premium) AS premium
        FROM gold_inforce_movement GROUP BY calendar_year ORDER BY year
    """,
    "retention": """
        SELECT expiry_month AS month, expiring, renewed, renewal_ratio, premium_retention
        FROM gold_retention_cohort WHERE factor = '(all)' AND mature AND expiring >= 10
        ORDER BY month
    """,
    "fraud": """
        SELECT score, band, count(*) AS claims
        FROM gold_fraud_score GROUP BY ALL ORDER BY score
    """,
    "quality": """
        SELECT table_name AS table, rule, action, sum(passed) AS passed, sum(failed) AS failed,
               sum(amount_at_stake) AS amount
        FROM gold_dq_metric GROUP BY ALL ORDER BY failed DESC, table, rule
    """,
}

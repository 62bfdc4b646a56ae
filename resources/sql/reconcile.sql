-- Sums that must agree between gold tables. One row a check that fails; any row fails the task.
USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);

SELECT
  CASE
    WHEN count(*) > 0
    THEN raise_error(concat('sums differ: ', array_join(collect_list(difference), '; ')))
    ELSE 'all sums agree'
  END AS result
FROM (
  SELECT concat('in force, ', policy_type, ' ', calendar_year) AS difference
  FROM gold_inforce_movement
  WHERE closing_in_force
    <> opening_in_force + new_business + reinstated - cancelled - lapsed - surrendered - claims
  UNION ALL
  SELECT concat('case reserve, ', segment, ' ', calendar_year)
  FROM gold_reserve_movement
  WHERE abs(closing_case_reserve - opening_case_reserve - reserve_change) > 0.01
  UNION ALL
  SELECT concat('incurred, claim ', claim_number, ' at ', valuation_date)
  FROM gold_claim_position
  WHERE abs(incurred - (paid - recovered + case_reserve + recovery_reserve)) > 0.01
  UNION ALL
  SELECT concat('unearned premium, ', policy_type, ' ', month)
  FROM gold_premium_month
  GROUP BY policy_type, month
  -- Every row of a month is rounded by itself, hence a cent a row.
  HAVING abs(sum(unearned_premium_start + written_premium - earned_premium - unearned_premium_end))
    > 0.01 * count(*)
) AS differences;

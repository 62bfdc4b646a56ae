-- Households and customer segments as at v.

CREATE OR REPLACE FUNCTION report.digest(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT encode(sha256(convert_to(value, 'UTF8')), 'hex') $$;

-- Grain: household_id, of customers at v. H and the digest of a shared home, or P and the party.
CREATE OR REPLACE FUNCTION report.household(v date, household_size int DEFAULT 12)
RETURNS TABLE (household_id text, members bigint, policies_in_force bigint, distinct_lines bigint,
               in_force_premium numeric, is_institution boolean)
LANGUAGE sql STABLE AS $$
  WITH newest AS (   -- the home of each party at v; a street is known by its digest
    SELECT DISTINCT ON (s.survivor_id) s.survivor_id AS party_id,
           report.digest(upper(regexp_replace(a.postal_code, '[^A-Za-z0-9]', '', 'g')) || '|'
                         || report.digest(nullif(a.line1, ''))) AS home
      FROM party_address a JOIN report.survivor s USING (party_id)
     WHERE a.address_type = 'HOME' AND a.valid_from <= v AND coalesce(v < a.valid_to, TRUE)
     ORDER BY s.survivor_id, a.valid_from DESC, a.address_id DESC
  ), home AS (
    SELECT n.party_id, n.home, count(*) OVER (PARTITION BY n.home) AS residents
      FROM newest n LEFT JOIN party p USING (party_id)
     WHERE n.home IS NOT NULL AND p.status IS DISTINCT FROM 'ERASED'
  )
  SELECT CASE WHEN h.residents <= household_size THEN 'H' || left(h.home, 16) ELSE 'P' || c.party_id END,
         max(CASE WHEN h.residents <= household_size THEN h.residents ELSE 1 END), sum(c.policies_in_force)::bigint,
         sum(c.distinct_lines)::bigint, sum(c.in_force_premium), coalesce(bool_or(h.residents > household_size), FALSE)
    FROM report.customer_360(v) AS c LEFT JOIN home h USING (party_id)
   GROUP BY 1
$$;

-- Grain: party_id. Margin is premium less losses, commission and expenses; a policy type renews as it did in the
-- mature months of the year before v.
CREATE OR REPLACE FUNCTION report.customer_segment(v date)
RETURNS TABLE (party_id bigint, recency_days integer, frequency bigint, monetary numeric, r integer, f integer,
               m integer, rfm text, clv numeric, clv_tier text)
LANGUAGE sql STABLE AS $$
  WITH ratio AS (
    SELECT c.level AS policy_type, sum(c.renewed) / nullif(sum(c.expiring), 0)::float8 / 1.05 AS q
      FROM report.retention_cohort(v) AS c
     WHERE c.factor = 'policy_type' AND c.mature AND c.expiry_month < report.month_of(v)
       AND c.expiry_month >= report.month_of(v) - INTERVAL '12 months'
     GROUP BY 1
  ), worth AS (
    SELECT t.party_id, sum(s.annual_premium * 0.13)::float8 AS margin,
           sum((s.annual_premium * 0.13)::float8 * CASE WHEN coalesce(x.q, 0) = 1 THEN 5
                 ELSE (1 - power(coalesce(x.q, 0), 5)) / (1 - coalesce(x.q, 0)) END) AS clv
      FROM report.segment s JOIN report.customer_term t USING (policy_id) LEFT JOIN ratio x USING (policy_type)
     WHERE s.effective_from <= v AND s.on_risk_to > v
     GROUP BY 1
  ), scored AS (
    SELECT c.party_id, v - c.last_bound_or_paid_on AS recency, c.policies_in_force + c.terms_36m AS frequency,
           c.in_force_premium AS monetary, round(coalesce(w.clv, 0)::numeric, 2) AS clv, coalesce(w.margin, 0) AS margin
      FROM report.customer_360(v) AS c LEFT JOIN worth w USING (party_id)
  ), ranked AS (
    SELECT s.*, 6 - ntile(5) OVER (ORDER BY s.recency, s.party_id) AS r, ntile(5) OVER (ORDER BY s.frequency, s.party_id) AS f,
           ntile(5) OVER (ORDER BY s.monetary, s.party_id) AS m,
           100 * (row_number() OVER (ORDER BY s.clv DESC, s.party_id) - 1) AS better, count(*) OVER () AS n
      FROM scored s
  )
  SELECT k.party_id, k.recency, k.frequency, k.monetary, k.r, k.f, k.m, concat(k.r, k.f, k.m), k.clv,
         CASE WHEN k.margin <= 0 THEN 'BRONZE' WHEN k.better < 10 * k.n THEN 'PLATINUM' WHEN k.better < 30 * k.n THEN 'GOLD'
              WHEN k.better < 70 * k.n THEN 'SILVER' ELSE 'BRONZE' END
    FROM ranked k
$$;

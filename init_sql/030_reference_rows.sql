-- Reference rows: what is sold and who sells it. policy_type is the segment of every report.
INSERT INTO product (product_id, product_code, name, line_of_business, policy_type, term_months,
                     sale_from, updated_at)
VALUES
  (1, 'MOT-TPL',  'Motor third party',      'MOTOR',  'MOTOR',       12, '2010-01-01', '2010-01-01 UTC'),
  (2, 'MOT-COMP', 'Motor comprehensive',    'MOTOR',  'MOTOR',       12, '2010-01-01', '2010-01-01 UTC'),
  (3, 'HOM-STD',  'Home',                   'HOME',   'HOME',        12, '2010-01-01', '2010-01-01 UTC'),
  (4, 'HOM-PLUS', 'Home plus',              'HOME',   'HOME',        12, '2012-01-01', '2012-01-01 UTC'),
  (5, 'TRV-TRIP', 'Travel, one trip',       'TRAVEL', 'TRAVEL',       1, '2010-01-01', '2010-01-01 UTC'),
  (6, 'TRV-YEAR', 'Travel, a year of trips','TRAVEL', 'TRAVEL',      12, '2010-01-01', '2010-01-01 UTC'),
  (7, 'LIF-TERM', 'Term life',              'LIFE',   'LIFE',        12, '2010-01-01', '2010-01-01 UTC'),
  (8, 'UL-SAVE',  'Unit-linked savings',    'LIFE',   'UNIT_LINKED', 12, '2011-01-01', '2011-01-01 UTC')
ON CONFLICT (product_id) DO NOTHING;

-- A hierarchy of three: head of channel, regional office, agent. An agent's channel never changes:
-- premium is reported by the channel at booking, and a move would be a new agent_id.
INSERT INTO agent (agent_id, agent_code, name, channel, region_code, parent_agent_id, appointed_on,
                   updated_at)
SELECT id, 'A' || lpad(id::text, 4, '0'), label, channel, region, parent, '2010-01-01', '2010-01-01 UTC'
  FROM (
    SELECT c AS id, channels[c] || ' head office' AS label, channels[c] AS channel,
           NULL AS region, NULL::bigint AS parent
      FROM (VALUES (ARRAY['TIED', 'BROKER', 'DIRECT', 'BANK'])) AS k(channels), generate_series(1, 4) c
    UNION ALL
    SELECT 10 * c + r, channels[c] || ' office R' || r, channels[c], 'R' || r, c
      FROM (VALUES (ARRAY['TIED', 'BROKER', 'DIRECT', 'BANK'])) AS k(channels),
           generate_series(1, 4) c, generate_series(1, 5) r
    UNION ALL
    SELECT 1000 * c + 100 * r + n, channels[c] || ' agent ' || r || '-' || n, channels[c], 'R' || r,
           10 * c + r
      FROM (VALUES (ARRAY['TIED', 'BROKER', 'DIRECT', 'BANK'])) AS k(channels),
           generate_series(1, 4) c, generate_series(1, 5) r, generate_series(1, 6) n
  ) AS tree
 ORDER BY id
ON CONFLICT (agent_id) DO NOTHING;

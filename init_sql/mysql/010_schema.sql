-- The sixteen tables of ../010_schema.sql for MySQL 8 or MariaDB 10.6. Rerunnable.
-- TIMESTAMP, not DATETIME: DMS writes a DATETIME as it stands, and a TIMESTAMP in UTC. (6), because
-- the order of changes needs fractions of a second. VARCHAR, because TEXT is a LOB to DMS.
-- A reference is a constraint of the table: MySQL reads REFERENCES at a column and forgets it.

CREATE TABLE IF NOT EXISTS party (
  party_id             BIGINT AUTO_INCREMENT PRIMARY KEY,
  name                 VARCHAR(255) NOT NULL,  -- PII
  type                 VARCHAR(255) CHECK (type IN ('individual', 'corporate')),
  birth_date           DATE,  -- PII, quasi-identifier
  gender               VARCHAR(255),  -- PII, protected
  national_id          VARCHAR(255),  -- PII
  email                VARCHAR(255),  -- PII
  phone                VARCHAR(255),  -- PII
  marketing_consent    BOOLEAN NOT NULL DEFAULT FALSE,
  status               VARCHAR(255) NOT NULL DEFAULT 'ACTIVE'
    CHECK (status IN ('PROSPECT', 'ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED')),
  merged_into_party_id BIGINT,  -- the survivor of a merge
  created_at           TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at           TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (merged_into_party_id) REFERENCES party (party_id)
);

CREATE TABLE IF NOT EXISTS party_address (
  address_id   BIGINT AUTO_INCREMENT PRIMARY KEY,
  party_id     BIGINT NOT NULL,
  address_type VARCHAR(255) NOT NULL CHECK (address_type IN ('HOME', 'MAILING', 'BUSINESS')),
  line1        VARCHAR(255),  -- PII
  city         VARCHAR(255),
  postal_code  VARCHAR(255),  -- quasi-identifier
  region_code  VARCHAR(255),
  country_code CHAR(2) NOT NULL DEFAULT 'GB',
  valid_from   DATE NOT NULL,
  valid_to     DATE,  -- null = still valid
  updated_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (party_id) REFERENCES party (party_id)
);

CREATE TABLE IF NOT EXISTS product (
  product_id       BIGINT PRIMARY KEY,
  product_code     VARCHAR(255) NOT NULL UNIQUE,
  name             VARCHAR(255) NOT NULL,
  line_of_business VARCHAR(255) NOT NULL,
  policy_type      VARCHAR(255) NOT NULL,
  term_months      SMALLINT NOT NULL DEFAULT 12,
  currency         CHAR(3) NOT NULL DEFAULT 'EUR',
  sale_from        DATE,
  sale_to          DATE,
  updated_at       TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
);

CREATE TABLE IF NOT EXISTS agent (
  agent_id        BIGINT PRIMARY KEY,
  agent_code      VARCHAR(255) NOT NULL UNIQUE,
  name            VARCHAR(255),  -- business contact
  channel         VARCHAR(255) NOT NULL,
  region_code     VARCHAR(255),
  parent_agent_id BIGINT,
  status          VARCHAR(255) NOT NULL DEFAULT 'ACTIVE',
  appointed_on    DATE,
  terminated_on   DATE,
  updated_at      TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (parent_agent_id) REFERENCES agent (agent_id)
);

-- One row = one TERM of a contract; a renewal is a new row, same number, term_no + 1.
CREATE TABLE IF NOT EXISTS policy (
  policy_id     BIGINT AUTO_INCREMENT PRIMARY KEY,
  policy_number VARCHAR(255) NOT NULL,
  term_no       INT NOT NULL DEFAULT 1,
  party_id      BIGINT,
  product_id    BIGINT,
  agent_id      BIGINT,
  policy_type   VARCHAR(255),  -- copied from product
  status        VARCHAR(255) NOT NULL,
  start_date    DATE,
  end_date      DATE,  -- exclusive
  quoted_at     TIMESTAMP(6) NULL,
  bound_at      TIMESTAMP(6) NULL,
  cancelled_on  DATE,
  cancel_reason VARCHAR(255),
  payment_plan  VARCHAR(255),
  currency      CHAR(3) NOT NULL DEFAULT 'EUR',
  created_at    TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at    TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  UNIQUE (policy_number, term_no),
  CHECK (end_date > start_date),
  FOREIGN KEY (party_id) REFERENCES party (party_id),
  FOREIGN KEY (product_id) REFERENCES product (product_id),
  FOREIGN KEY (agent_id) REFERENCES agent (agent_id)
);

-- Booked policy transactions, append-only.
CREATE TABLE IF NOT EXISTS policy_version (
  policy_version_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  policy_id         BIGINT NOT NULL,
  version_no        INT NOT NULL,
  txn_type          VARCHAR(255) NOT NULL
    CHECK (txn_type IN ('NEW', 'RENEWAL', 'ENDORSEMENT', 'CANCELLATION', 'REINSTATEMENT')),
  effective_date    DATE NOT NULL,
  booked_at         TIMESTAMP(6) NOT NULL,
  reason_code       VARCHAR(255),
  annual_premium    DECIMAL(14,2),
  UNIQUE (policy_id, version_no),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id)
);

CREATE TABLE IF NOT EXISTS risk_object (
  risk_object_id      BIGINT AUTO_INCREMENT PRIMARY KEY,
  policy_id           BIGINT NOT NULL,
  object_type         VARCHAR(255) NOT NULL CHECK (object_type IN ('VEHICLE', 'PROPERTY', 'OTHER')),
  external_ref        VARCHAR(255),  -- PII: registration, cadastre
  area_code           VARCHAR(255),
  region_code         VARCHAR(255),
  postal_code         VARCHAR(255),  -- quasi-identifier
  density_per_km2     INT,
  usage_code          VARCHAR(255),
  object_class        VARCHAR(255),
  sum_insured         DECIMAL(14,2),
  make                VARCHAR(255),  -- from here: vehicle
  model_year          SMALLINT,
  power_class         VARCHAR(255),
  fuel_type           VARCHAR(255),
  ncd_level           SMALLINT,
  driver_birth_date   DATE,  -- PII
  driver_licence_date DATE,  -- PII
  construction_code   VARCHAR(255),  -- from here: property
  year_built          SMALLINT,
  floor_area_m2       INT,
  valid_from          DATE NOT NULL,
  valid_to            DATE,
  updated_at          TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id)
);

-- One row = one coverage SEGMENT: a mid-term change closes it and inserts a successor.
CREATE TABLE IF NOT EXISTS coverage (
  coverage_id       BIGINT AUTO_INCREMENT PRIMARY KEY,
  policy_id         BIGINT NOT NULL,
  risk_object_id    BIGINT,
  coverage_code     VARCHAR(255) NOT NULL,
  limit_amount      DECIMAL(14,2),
  deductible_amount DECIMAL(14,2),
  effective_from    DATE NOT NULL,
  effective_to      DATE NOT NULL,  -- exclusive
  annual_premium    DECIMAL(14,2),
  unit_count        SMALLINT NOT NULL DEFAULT 1,
  updated_at        TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  CHECK (effective_to >= effective_from),  -- equal = flat cancelled
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id),
  FOREIGN KEY (risk_object_id) REFERENCES risk_object (risk_object_id)
);

-- Written-premium ledger, append-only; corrections are rows of the opposite sign.
CREATE TABLE IF NOT EXISTS premium_transaction (
  premium_txn_id    BIGINT AUTO_INCREMENT PRIMARY KEY,
  policy_id         BIGINT NOT NULL,
  policy_version_id BIGINT,
  coverage_id       BIGINT,
  coverage_code     VARCHAR(255) NOT NULL,
  txn_type          VARCHAR(255) NOT NULL,
  amount            DECIMAL(14,2) NOT NULL,  -- net of tax
  tax_amount        DECIMAL(14,2) NOT NULL DEFAULT 0,
  commission_amount DECIMAL(14,2) NOT NULL DEFAULT 0,
  earn_from         DATE NOT NULL,
  earn_to           DATE NOT NULL,
  booked_on         DATE NOT NULL,
  CHECK (earn_to > earn_from),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id),
  FOREIGN KEY (policy_version_id) REFERENCES policy_version (policy_version_id),
  FOREIGN KEY (coverage_id) REFERENCES coverage (coverage_id)
);

CREATE TABLE IF NOT EXISTS invoice (
  invoice_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  policy_id  BIGINT NOT NULL,
  due_date   DATE NOT NULL,
  amount     DECIMAL(14,2) NOT NULL,
  status     VARCHAR(255) NOT NULL
    CHECK (status IN ('OPEN', 'PAID', 'PART_PAID', 'OVERDUE', 'WRITTEN_OFF', 'VOID')),
  updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id)
);

CREATE TABLE IF NOT EXISTS payment (
  payment_id         BIGINT AUTO_INCREMENT PRIMARY KEY,
  invoice_id         BIGINT,
  policy_id          BIGINT,
  payer_party_id     BIGINT,
  paid_at            TIMESTAMP(6) NOT NULL,
  amount             DECIMAL(14,2) NOT NULL,
  method             VARCHAR(255),
  bank_account_token CHAR(64),  -- keyed hash of the IBAN
  status             VARCHAR(255) NOT NULL DEFAULT 'SETTLED',
  updated_at         TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (invoice_id) REFERENCES invoice (invoice_id),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id),
  FOREIGN KEY (payer_party_id) REFERENCES party (party_id)
);

CREATE TABLE IF NOT EXISTS claim (
  claim_id         BIGINT AUTO_INCREMENT PRIMARY KEY,
  claim_number     VARCHAR(255) NOT NULL UNIQUE,
  policy_id        BIGINT,
  coverage_id      BIGINT,
  loss_date        DATE NOT NULL,
  reported_at      TIMESTAMP(6) NOT NULL,
  status           VARCHAR(255) NOT NULL
    CHECK (status IN ('OPEN', 'CLOSED', 'REOPENED', 'REJECTED', 'WITHDRAWN')),
  closed_at        TIMESTAMP(6) NULL,
  reopened_at      TIMESTAMP(6) NULL,
  cause_code       VARCHAR(255),
  severity_code    VARCHAR(255),
  catastrophe_code VARCHAR(255),
  at_fault_pct     SMALLINT,
  loss_postal_code VARCHAR(255),
  police_report    VARCHAR(255),
  witness_count    SMALLINT,
  litigated        BOOLEAN,
  siu_status       VARCHAR(255) NOT NULL DEFAULT 'NONE'
    CHECK (siu_status IN ('NONE', 'REFERRED', 'CONFIRMED', 'CLEARED')),
  description      TEXT,  -- PII: keep out of replication
  updated_at       TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id),
  FOREIGN KEY (coverage_id) REFERENCES coverage (coverage_id)
);

CREATE TABLE IF NOT EXISTS claim_party (
  claim_party_id     BIGINT AUTO_INCREMENT PRIMARY KEY,
  claim_id           BIGINT NOT NULL,
  party_id           BIGINT,
  role               VARCHAR(255) NOT NULL,
  phone              VARCHAR(255),  -- PII
  bank_account_token CHAR(64),
  updated_at         TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (claim_id) REFERENCES claim (claim_id),
  FOREIGN KEY (party_id) REFERENCES party (party_id)
);

-- Claim ledger, append-only. RESERVE is the signed CHANGE of the case reserve.
CREATE TABLE IF NOT EXISTS claim_transaction (
  claim_txn_id       BIGINT AUTO_INCREMENT PRIMARY KEY,
  claim_id           BIGINT NOT NULL,
  coverage_id        BIGINT,
  coverage_code      VARCHAR(255),
  txn_type           VARCHAR(255) NOT NULL
    CHECK (txn_type IN ('RESERVE', 'PAYMENT', 'RECOVERY', 'RECOVERY_RESERVE')),
  component          VARCHAR(255) NOT NULL DEFAULT 'INDEMNITY'
    CHECK (component IN ('INDEMNITY', 'EXPENSE')),
  recovery_type      VARCHAR(255),
  amount             DECIMAL(14,2) NOT NULL,
  accounting_date    DATE NOT NULL,
  posted_at          TIMESTAMP(6) NOT NULL,
  payee_party_id     BIGINT,
  bank_account_token CHAR(64),
  reverses_txn_id    BIGINT,
  FOREIGN KEY (claim_id) REFERENCES claim (claim_id),
  FOREIGN KEY (coverage_id) REFERENCES coverage (coverage_id),
  FOREIGN KEY (payee_party_id) REFERENCES party (party_id),
  FOREIGN KEY (reverses_txn_id) REFERENCES claim_transaction (claim_txn_id)
);

CREATE TABLE IF NOT EXISTS fund_unit (
  fund_unit_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  fund_code    VARCHAR(255) NOT NULL,
  party_id     BIGINT,
  policy_id    BIGINT,
  units        DECIMAL(20,6),
  updated_at   TIMESTAMP(6) NULL DEFAULT CURRENT_TIMESTAMP(6),
  FOREIGN KEY (party_id) REFERENCES party (party_id),
  FOREIGN KEY (policy_id) REFERENCES policy (policy_id)
);

CREATE TABLE IF NOT EXISTS fund_price (
  fund_code   VARCHAR(255) NOT NULL,
  price_date  DATE NOT NULL,
  bid_price   DECIMAL(18,6) NOT NULL,
  offer_price DECIMAL(18,6),
  currency    CHAR(3) NOT NULL DEFAULT 'EUR',
  updated_at  TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (fund_code, price_date)
);

-- For DMS: binlog_format=ROW, binlog_row_image=FULL, binlog_checksum=NONE, and a retention of at
-- least a day (on RDS: CALL mysql.rds_set_configuration('binlog retention hours', 24)).

"""The sixteen tables of the source system: keys, types, history, and what may be read in clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class History(Enum):
    """How silver keeps a source table."""

    CURRENT = "SCD1"  # the current row of each key
    VERSIONS = "SCD2"  # every version of each key, by the time it was recorded
    LEDGER = "LEDGER"  # append-only bookings: current rows, and an update or delete is an error


@dataclass(frozen=True)
class SourceTable:
    """One source table and how silver keeps it.

    `columns` maps column to SQL type, in source order. A column that the replication task leaves
    out (claim.description) is not listed, nor is one that is not classified yet: a new
    column of the source stays in bronze until it gets a line here, because it may be personal.
    `hashed` are direct identifiers: silver holds a digest, equal where the values were equal.
    `personal` columns are null in silver once the status of the row is ERASED, whatever the source
    left in them. `cluster_by` is how silver is laid out.
    """

    name: str
    keys: tuple[str, ...]
    history: History
    columns: Mapping[str, str]
    cluster_by: tuple[str, ...]
    hashed: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()

    @property
    def day(self) -> str:
        """The column that says on which day the source wrote the row: an update or a booking."""
        return next(name for name in _WRITTEN if name in self.columns)

    @property
    def at_stake(self) -> str | None:
        """The column with the money of a row; None if a row has none of its own."""
        return next((name for name in _MONEY if name in self.columns), None)

    @property
    def grain(self) -> str:
        """What one row of the silver table is, for its comment."""
        key = ", ".join(self.keys)
        if self.history is History.VERSIONS:
            return f"one row per {key} and recorded version; current where __END_AT is null"
        if self.history is History.LEDGER:
            return f"one row per {key}, booked once and never changed"
        return f"one row per {key}, as it is now"


_WRITTEN = ("booked_on", "accounting_date", "price_date", "updated_at", "booked_at")
_MONEY = ("amount", "annual_premium")


def _columns(text: str) -> Mapping[str, str]:
    """Reads `name TYPE, name TYPE, …`; commas inside DECIMAL(p,s) carry no blank."""
    return {name: kind for name, kind in (column.split() for column in text.split(", "))}


MONEY = "DECIMAL(14,2)"  # an amount of the source; sums of amounts have 18 digits

SOURCE_TABLES: tuple[SourceTable, ...] = (
    SourceTable(
        "party",
        ("party_id",),
        History.VERSIONS,
        _columns(
            "party_id BIGINT, name STRING, type STRING, birth_date DATE, gender STRING, "
            "national_id STRING, email STRING, phone STRING, marketing_consent BOOLEAN, "
            "status STRING, merged_into_party_id BIGINT, created_at TIMESTAMP, "
            "updated_at TIMESTAMP"
        ),
        cluster_by=("party_id",),
        hashed=frozenset({"name", "national_id", "email", "phone"}),
        personal=frozenset({"name", "national_id", "email", "phone", "birth_date", "gender"}),
    ),
    SourceTable(
        "party_address",
        ("address_id",),
        History.VERSIONS,
        _columns(
            "address_id BIGINT, party_id BIGINT, address_type STRING, line1 STRING, city STRING, "
            "postal_code STRING, region_code STRING, country_code STRING, valid_from DATE, "
            "valid_to DATE, updated_at TIMESTAMP"
        ),
        cluster_by=("party_id",),
        hashed=frozenset({"line1"}),
    ),
    SourceTable(
        "product",
        ("product_id",),
        History.CURRENT,
        _columns(
            "product_id BIGINT, product_code STRING, name STRING, line_of_business STRING, "
            "policy_type STRING, term_months SMALLINT, currency STRING, sale_from DATE, "
            "sale_to DATE, updated_at TIMESTAMP"
        ),
        cluster_by=(),
    ),
    SourceTable(
        "agent",
        ("agent_id",),
        History.VERSIONS,
        _columns(
            "agent_id BIGINT, agent_code STRING, name STRING, channel STRING, region_code STRING, "
            "parent_agent_id BIGINT, status STRING, appointed_on DATE, terminated_on DATE, "
            "updated_at TIMESTAMP"
        ),
        cluster_by=(),
        hashed=frozenset({"name"}),
    ),
    SourceTable(
        "policy",
        ("policy_id",),
        History.VERSIONS,
        _columns(
            "policy_id BIGINT, policy_number STRING, term_no INT, party_id BIGINT, "
            "product_id BIGINT, agent_id BIGINT, policy_type STRING, status STRING, "
            "start_date DATE, end_date DATE, quoted_at TIMESTAMP, bound_at TIMESTAMP, "
            "cancelled_on DATE, cancel_reason STRING, payment_plan STRING, currency STRING, "
            "created_at TIMESTAMP, updated_at TIMESTAMP"
        ),
        cluster_by=("policy_type", "start_date"),
    ),
    SourceTable(
        "policy_version",
        ("policy_version_id",),
        History.LEDGER,
        _columns(
            "policy_version_id BIGINT, policy_id BIGINT, version_no INT, txn_type STRING, "
            "effective_date DATE, booked_at TIMESTAMP, reason_code STRING, "
            f"annual_premium {MONEY}"
        ),
        cluster_by=("booked_at",),
    ),
    SourceTable(
        "risk_object",
        ("risk_object_id",),
        History.VERSIONS,
        _columns(
            "risk_object_id BIGINT, policy_id BIGINT, object_type STRING, external_ref STRING, "
            "area_code STRING, region_code STRING, postal_code STRING, density_per_km2 INT, "
            f"usage_code STRING, object_class STRING, sum_insured {MONEY}, make STRING, "
            "model_year SMALLINT, power_class STRING, fuel_type STRING, ncd_level SMALLINT, "
            "driver_birth_date DATE, driver_licence_date DATE, construction_code STRING, "
            "year_built SMALLINT, floor_area_m2 INT, valid_from DATE, valid_to DATE, "
            "updated_at TIMESTAMP"
        ),
        cluster_by=("policy_id",),
        hashed=frozenset({"external_ref"}),
    ),
    SourceTable(
        "coverage",
        ("coverage_id",),
        History.VERSIONS,
        _columns(
            "coverage_id BIGINT, policy_id BIGINT, risk_object_id BIGINT, coverage_code STRING, "
            f"limit_amount {MONEY}, deductible_amount {MONEY}, effective_from DATE, "
            f"effective_to DATE, annual_premium {MONEY}, unit_count SMALLINT, "
            "updated_at TIMESTAMP"
        ),
        cluster_by=("policy_id", "effective_from"),
    ),
    SourceTable(
        "premium_transaction",
        ("premium_txn_id",),
        History.LEDGER,
        _columns(
            "premium_txn_id BIGINT, policy_id BIGINT, policy_version_id BIGINT, "
            f"coverage_id BIGINT, coverage_code STRING, txn_type STRING, amount {MONEY}, "
            f"tax_amount {MONEY}, commission_amount {MONEY}, earn_from DATE, earn_to DATE, "
            "booked_on DATE"
        ),
        cluster_by=("booked_on", "coverage_code"),
    ),
    SourceTable(
        "invoice",
        ("invoice_id",),
        History.CURRENT,
        _columns(
            f"invoice_id BIGINT, policy_id BIGINT, due_date DATE, amount {MONEY}, "
            "status STRING, updated_at TIMESTAMP"
        ),
        cluster_by=("due_date",),
    ),
    SourceTable(
        "payment",
        ("payment_id",),
        History.CURRENT,
        _columns(
            "payment_id BIGINT, invoice_id BIGINT, policy_id BIGINT, payer_party_id BIGINT, "
            f"paid_at TIMESTAMP, amount {MONEY}, method STRING, bank_account_token STRING, "
            "status STRING, updated_at TIMESTAMP"
        ),
        cluster_by=("paid_at",),
    ),
    SourceTable(
        "claim",
        ("claim_id",),
        History.VERSIONS,
        _columns(
            "claim_id BIGINT, claim_number STRING, policy_id BIGINT, coverage_id BIGINT, "
            "loss_date DATE, reported_at TIMESTAMP, status STRING, closed_at TIMESTAMP, "
            "reopened_at TIMESTAMP, cause_code STRING, severity_code STRING, "
            "catastrophe_code STRING, at_fault_pct SMALLINT, loss_postal_code STRING, "
            "police_report STRING, witness_count SMALLINT, litigated BOOLEAN, siu_status STRING, "
            "updated_at TIMESTAMP"
        ),
        cluster_by=("loss_date",),
    ),
    SourceTable(
        "claim_party",
        ("claim_party_id",),
        History.CURRENT,
        _columns(
            "claim_party_id BIGINT, claim_id BIGINT, party_id BIGINT, role STRING, phone STRING, "
            "bank_account_token STRING, updated_at TIMESTAMP"
        ),
        cluster_by=("claim_id",),
        hashed=frozenset({"phone"}),
    ),
    SourceTable(
        "claim_transaction",
        ("claim_txn_id",),
        History.LEDGER,
        _columns(
            "claim_txn_id BIGINT, claim_id BIGINT, coverage_id BIGINT, coverage_code STRING, "
            f"txn_type STRING, component STRING, recovery_type STRING, amount {MONEY}, "
            "accounting_date DATE, posted_at TIMESTAMP, payee_party_id BIGINT, "
            "bank_account_token STRING, reverses_txn_id BIGINT"
        ),
        cluster_by=("accounting_date",),
    ),
    SourceTable(
        "fund_unit",
        ("fund_unit_id",),
        History.VERSIONS,
        _columns(
            "fund_unit_id BIGINT, fund_code STRING, party_id BIGINT, policy_id BIGINT, "
            "units DECIMAL(20,6), updated_at TIMESTAMP"
        ),
        cluster_by=("party_id",),
    ),
    SourceTable(
        "fund_price",
        ("fund_code", "price_date"),
        History.LEDGER,
        _columns(
            "fund_code STRING, price_date DATE, bid_price DECIMAL(18,6), "
            "offer_price DECIMAL(18,6), currency STRING, updated_at TIMESTAMP"
        ),
        cluster_by=("price_date",),
    ),
)

# What the source counts of itself (init_sql/050): no table of the business. Its schema there is
# `control`; the table mapping puts its files beside those of the other tables.
CONTROL_TABLE = SourceTable(
    "source_total",
    ("table_name", "day"),
    History.CURRENT,
    _columns(
        "table_name STRING, day DATE, row_count BIGINT, amount DECIMAL(18,2), counted_at TIMESTAMP"
    ),
    cluster_by=(),
)

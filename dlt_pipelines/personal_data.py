"""The classes of personal columns of the source, for tags and masks of Unity Catalog.

direct: identifies a person; a digest from silver on, in no gold table.
quasi: identifies a person together with others; masked in silver, gold holds bands and areas.
token: stands for a bank account; in no gold table, which holds counts of sharers.
Free text (claim.description) never leaves the source. Source: insurance model (a), PII classes.
"""

from __future__ import annotations

from collections.abc import Mapping

PERSONAL_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "party": {
        "name": "direct",
        "national_id": "direct",
        "email": "direct",
        "phone": "direct",
        "birth_date": "quasi",
        "gender": "quasi",
    },
    "party_address": {"line1": "direct", "postal_code": "quasi"},
    "agent": {"name": "direct"},
    "risk_object": {
        "external_ref": "direct",
        "postal_code": "quasi",
        "driver_birth_date": "quasi",
        "driver_licence_date": "quasi",
    },
    "payment": {"bank_account_token": "token"},
    "claim": {"loss_postal_code": "quasi"},
    "claim_party": {"phone": "direct", "bank_account_token": "token"},
    "claim_transaction": {"bank_account_token": "token"},
}
# Never a feature of prices or fraud indicators; read for checks of fairness only.
PROTECTED_COLUMNS = frozenset({("party", "gender"), ("party", "national_id")})


def tag_statements() -> list[str]:
    """The statements of resources/sql/column_tags.sql: one per personal column and layer."""
    return [
        f"ALTER STREAMING TABLE {layer}_{table} ALTER COLUMN {column} SET TAGS ({tags});"
        for table, columns in PERSONAL_COLUMNS.items()
        for column, tags in ((name, _tags(table, name)) for name in columns)
        for layer in ("bronze", "quarantine", "silver")
    ]


def _tags(table: str, column: str) -> str:
    tags = {"pii": PERSONAL_COLUMNS[table][column]}
    if (table, column) in PROTECTED_COLUMNS:
        tags["protected"] = "yes"
    return ", ".join(f"'{name}' = '{value}'" for name, value in tags.items())

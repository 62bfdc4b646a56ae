"""What silver expects of its rows: which are kept out, which are let in and counted.

A rule is SQL that must be true; null is a violation. Drop rules are few: a row with money that is
dropped makes its ledger rows orphans and totals shrink in silence. Only what has no key, no
amount or no meaning goes to the quarantine. Everything else is let in and counted.

Rules see one row. What needs a second row or table (unknown party, overlapping segments, a claim
outside every segment) is measured in gold, where all rows are; silver/key_conflict.py has the fail
rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from dlt_pipelines import dms
from dlt_pipelines.source_tables import History, SourceTable

Rules = dict[str, str]

# On every table: what a change row must be before anybody looks at its content.
_CHANGE_ROW: Rules = {
    "operation known": f"{dms.OP} IN ('I', 'U', 'D')",
    "commit time known": "_commit_ts IS NOT NULL AND _seq IS NOT NULL",
    "fields fit header": f"{dms.RESCUED} IS NULL AND {dms.CORRUPT} IS NULL",
    "values fit types": "_wrong_type IS NULL",
}

# Columns without which a row means nothing. Deletes carry only keys, so they are exempt.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "party_address": ("party_id",),
    "policy": ("policy_number",),
    "coverage": ("effective_from", "effective_to"),
    "premium_transaction": ("policy_id", "amount", "earn_from", "earn_to", "booked_on"),
    "invoice": ("amount",),
    "payment": ("amount",),
    "claim": ("loss_date", "reported_at"),
    "claim_party": ("claim_id",),
    "claim_transaction": ("claim_id", "amount", "accounting_date"),
    "fund_unit": ("units",),
    "fund_price": ("bid_price",),
}

_DROP: dict[str, Rules] = {
    "coverage": {"segment not reversed": f"{dms.IS_DELETE} OR effective_to >= effective_from"},
}

# Seen before identifiers become digests, hence on the raw text.
_WARN_ON_RAW: dict[str, Rules] = {
    "party": {
        "email well formed": f"{dms.IS_DELETE} OR _raw.email IS NULL"
        " OR _raw.email RLIKE '^[^@ ]+@[^@ ]+[.][^@ .]+$'"
    },
}

# On the rows that enter the silver table; deletes are not checked.
_WARN: dict[str, Rules] = {
    "party": {
        "type known": "type IS NOT NULL",
        "born in the past": "birth_date IS NULL OR birth_date <= to_date(updated_at)",
    },
    "party_address": {"validity not reversed": "valid_to IS NULL OR valid_to >= valid_from"},
    "agent": {
        "terminated after appointed": "terminated_on IS NULL OR appointed_on IS NULL"
        " OR terminated_on >= appointed_on"
    },
    "policy": {
        "term not reversed": "end_date > start_date",
        "status agrees with dates": "CASE WHEN status = 'CANCELLED' THEN cancelled_on IS NOT NULL"
        " WHEN status IN ('QUOTED', 'DECLINED', 'NOT_TAKEN')"
        " THEN bound_at IS NULL AND cancelled_on IS NULL"
        " ELSE status IS NOT NULL END",
        "cancelled inside term": "cancelled_on IS NULL"
        " OR cancelled_on BETWEEN start_date AND end_date",
    },
    "risk_object": {
        "model year plausible": "model_year IS NULL OR model_year <= year(updated_at) + 1",
        "driver of age": "driver_birth_date IS NULL"
        " OR add_months(driver_birth_date, 12 * 17) <= valid_from",
    },
    "coverage": {"segment not empty": "effective_to > effective_from"},
    "premium_transaction": {
        "earning window not empty": "earn_to > earn_from",
        "sign agrees with transaction": "CASE txn_type WHEN 'CANCELLATION' THEN amount <= 0"
        " WHEN 'NEW' THEN amount >= 0 WHEN 'RENEWAL' THEN amount >= 0 ELSE true END",
    },
    "payment": {"invoice named": "invoice_id IS NOT NULL"},
    "claim": {
        "policy named": "policy_id IS NOT NULL",
        "loss before report": "loss_date <= to_date(reported_at)",
    },
    "claim_transaction": {
        "payments stored positive": "txn_type NOT IN ('PAYMENT', 'RECOVERY') OR amount >= 0"
        " OR reverses_txn_id IS NOT NULL"
    },
    "fund_unit": {"units not negative": "units >= 0"},
    "fund_price": {"price positive": "bid_price > 0"},
}


def drop_rules(table: SourceTable) -> Rules:
    """Rules on the typed change rows of a table; a row that breaks one goes to the quarantine."""
    rules = dict(_CHANGE_ROW)
    rules.update({f"{key} present": f"{key} IS NOT NULL" for key in table.keys})
    rules.update(
        {
            f"{column} present": f"{dms.IS_DELETE} OR {column} IS NOT NULL"
            for column in _REQUIRED.get(table.name, ())
        }
    )
    if table.history is History.LEDGER:
        rules["append only"] = f"{dms.OP} = 'I'"
    return rules | _DROP.get(table.name, {})


def raw_warn_rules(table: SourceTable) -> Rules:
    """Rules on the typed change rows that are only counted, and need values silver hides."""
    return _WARN_ON_RAW.get(table.name, {})


def warn_rules(table: SourceTable) -> Rules:
    """Rules on the rows of the silver table that are only counted."""
    return _WARN.get(table.name, {})


def any_broken(rules: Rules) -> str:
    """SQL condition: a row breaks one of the rules. Cheaper than `broken` where few rows do."""
    return f"NOT coalesce({' AND '.join(f'({rule})' for rule in rules.values())}, false)"


def broken(rules: Rules) -> str:
    """SQL array of the names of the rules a row breaks, in their order; empty if none."""
    return not_null(
        f"if(coalesce(({rule}), false), NULL, '{name}')" for name, rule in rules.items()
    )


def not_null(texts: Iterable[str]) -> str:
    """SQL array of those of the texts (all different) that are not null, in their order.

    `array_compact` does the same, but Spark generates no code for it: it took as long as all else
    that is done with a row.
    """
    return f"array_except(array({', '.join(texts)}), array(CAST(NULL AS STRING)))"

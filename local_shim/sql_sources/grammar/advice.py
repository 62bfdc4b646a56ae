"""What to write instead of a statement that no pipeline has."""

from __future__ import annotations

from local_shim.errors import close_match

_STATEMENTS = ("CREATE", "APPLY CHANGES INTO", "SET", "USE CATALOG", "USE SCHEMA")
_BY_FLOW = "rows change by flows: CREATE FLOW f AS AUTO CDC INTO t FROM STREAM(s) KEYS (…) …"
_LOOK = "look at tables after an update: dlt-local sql"
# What to write instead of a statement that changes or reads tables at once.
_INSTEAD = {
    "ALTER": "write it into the CREATE statement",
    "DELETE": _BY_FLOW,
    "DESCRIBE": _LOOK,
    "DROP": "a table goes when its statement goes",
    "INSERT": "rows are added by flows: CREATE FLOW f AS INSERT INTO t BY NAME SELECT …",
    "MERGE": _BY_FLOW,
    "OPTIMIZE": "the pipeline maintains its tables itself",
    "SELECT": _LOOK,
    "SHOW": _LOOK,
    "TRUNCATE": "a full refresh empties tables: dlt-local run --full-refresh t",
    "UPDATE": _BY_FLOW,
    "VACUUM": "the pipeline maintains its tables itself",
    "WITH": _LOOK,
}
OTHER_STATEMENTS = (
    *_INSTEAD,
    *("ANALYZE", "CACHE", "CALL", "COMMENT", "DESC", "EXPLAIN", "GRANT", "LIST", "REFRESH"),
    *("REVOKE", "TABLE", "VALUES"),
)


def advice(word: str) -> str:
    """A hint for a statement that begins with `word`, in upper case."""
    if word in _INSTEAD:
        return _INSTEAD[word]
    return close_match(word, _STATEMENTS) if word.isalpha() else ""

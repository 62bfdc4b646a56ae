"""The parts of the handbook's pages of bronze and silver that are made from the declarations.

.venv/bin/python -m tests.dlt_pipelines.layer_pages     writes docs/handbook/{bronze,silver}.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from dlt_pipelines import dms, quality
from dlt_pipelines.column_comments import comment_of
from dlt_pipelines.personal_data import PERSONAL_COLUMNS, PROTECTED_COLUMNS
from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable
from dlt_pipelines.transforms.monitoring.cross_rules import CROSS_RULES

HANDBOOK = Path(__file__).parents[2] / "docs" / "handbook"
_MARK = (
    "<!-- from here on made from the declarations: python -m tests.dlt_pipelines.layer_pages -->"
)


def pages() -> dict[Path, str]:
    """The pages with what they should hold; the text above the mark stays."""
    made = {"bronze.md": _bronze_tables(), "silver.md": _silver_tables()}
    return {HANDBOOK / name: _page(HANDBOOK / name, lines) for name, lines in made.items()}


def _page(page: Path, lines: Iterator[str]) -> str:
    head, mark, _ = page.read_text(encoding="utf-8").partition(_MARK)
    assert mark, f"{page} has no mark"
    return "\n".join([head + mark, "", *lines]) + "\n"


def _bronze_tables() -> Iterator[str]:
    yield "| table | files below the landing folder | key | columns of the source |"
    yield "|---|---|---|---|"
    for table in SOURCE_TABLES:
        folder = f"`{dms.SOURCE_SCHEMA}/{table.name}/`"
        keys = ", ".join(table.keys)
        yield f"| `bronze_{table.name}` | {folder} | {keys} | {len(table.columns)} |"


def _silver_tables() -> Iterator[str]:
    shared = set.intersection(*(set(quality.drop_rules(table)) for table in SOURCE_TABLES))
    yield "Every row keeps these, or goes to [quarantine](bronze.md):\n"
    every_rule = quality.drop_rules(SOURCE_TABLES[0])
    yield from _rules({name: sql for name, sql in every_rule.items() if name in shared})
    for table in SOURCE_TABLES:
        yield from _columns(table)
        drop = quality.drop_rules(table).items()
        yield from _rules(
            {name: sql for name, sql in drop if name not in shared}, "Dropped, into the quarantine"
        )
        yield from _rules(quality.raw_warn_rules(table) | quality.warn_rules(table), "Counted")
        yield from _rules(CROSS_RULES.get(table.name, {}), "Counted, across rows")


def _columns(table: SourceTable) -> Iterator[str]:
    layout = ", ".join(table.cluster_by) or "nothing"
    yield f"\n## silver_{table.name}\n"
    yield f"**Grain.** {table.grain[0].upper()}{table.grain[1:]}.\n"
    yield f"**History** {table.history.value}. **Key** {', '.join(table.keys)}."
    yield f"**Clustered by** {layout}.\n"
    yield "| column | type | class | meaning |"
    yield "|---|---|---|---|"
    for name, kind in table.columns.items():
        yield f"| `{name}` | {kind} | {_class(table, name)} | {comment_of(table.name, name)} |"
    if table.history is History.VERSIONS:
        yield "| `__START_AT`, `__END_AT` | STRUCT | | change sequence and commit time |"


def _class(table: SourceTable, column: str) -> str:
    words = [PERSONAL_COLUMNS.get(table.name, {}).get(column)]
    words.append("digest" if column in table.hashed else None)
    words.append("protected" if (table.name, column) in PROTECTED_COLUMNS else None)
    return ", ".join(word for word in words if word)


def _rules(rules: Mapping[str, str], title: str = "") -> Iterator[str]:
    if rules and title:
        yield f"\n{title}:\n"
    for name, sql in rules.items():
        yield f"- {name}: `{sql}`"


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")

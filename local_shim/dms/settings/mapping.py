"""Table mappings: which tables a task takes, and what they and their columns are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from local_shim.dms.settings.expression import Term
from local_shim.dms.settings.pattern import matches


@dataclass(frozen=True)
class Locator:
    """The `object-locator` of a rule."""

    schema: str
    table: str
    column: str = "%"

    def names(self, schema: str, table: str, column: str | None = None) -> bool:
        """Whether the rule applies to this table (and column)."""
        return (
            matches(self.schema, schema)
            and matches(self.table, table)
            and (column is None or matches(self.column, column))
        )


@dataclass(frozen=True)
class SelectionRule:
    """A selection rule."""

    rule_id: int
    action: str  # include, exclude, explicit
    locator: Locator
    load_order: int


@dataclass(frozen=True)
class RenameRule:
    """A transformation of a name; `target` is schema, table or column."""

    rule_id: int
    target: str
    action: str
    locator: Locator
    value: str
    old_value: str


@dataclass(frozen=True)
class AddedColumn:
    """A column that a rule adds; `type` is string or datetime."""

    rule_id: int
    locator: Locator
    name: str
    terms: tuple[Term, ...]
    type: str
    length: int


@dataclass(frozen=True)
class BeforeImage:
    """Old key values beside the new ones."""

    rule_id: int
    locator: Locator
    prefix: str
    suffix: str


@dataclass(frozen=True)
class TableSettings:
    """A rule about the load of some tables."""

    rule_id: int
    locator: Locator
    lob_bytes: int  # 0: as the task says


@dataclass(frozen=True)
class TablePlan:
    """The result of the mapping for one table: its new name, and that of every column."""

    schema: str
    table: str
    columns: tuple[str | None, ...]  # as the source's columns; None: removed
    added: tuple[AddedColumn, ...]
    before_image: BeforeImage | None


@dataclass(frozen=True)
class TableMapping:
    """All rules of a task, lowest rule-id first: of two rules for one thing the lower one wins."""

    selections: tuple[SelectionRule, ...]
    renamings: tuple[RenameRule, ...]
    added: tuple[AddedColumn, ...]
    before_images: tuple[BeforeImage, ...]
    table_settings: tuple[TableSettings, ...]
    not_imitated: tuple[str, ...]  # what to report of rules that are not followed
    target_schema: str = ""  # TargetSchema of the task: renaming a schema takes precedence

    def selects(self, schema: str, table: str) -> bool:
        """Whether a rule includes the table and none excludes it."""
        actions = {rule.action for rule in self.selections if rule.locator.names(schema, table)}
        return bool(actions & {"include", "explicit"}) and "exclude" not in actions

    def load_order(self, schema: str, table: str) -> int:
        """The table's place in the full load; higher numbers are loaded first."""
        orders = (s.load_order for s in self.selections if s.locator.names(schema, table))
        return max(orders, default=0)

    def plan(self, schema: str, table: str, columns: Iterable[str]) -> TablePlan:
        """Names in the target for one table of the source."""
        rules = [rule for rule in self.renamings if rule.locator.names(schema, table)]
        of_schema = [rule for rule in rules if rule.target == "schema"]
        return TablePlan(
            schema=(_renamed(schema, of_schema) if of_schema else self.target_schema) or schema,
            table=_renamed(table, (r for r in rules if r.target == "table")) or table,
            columns=tuple(
                _renamed(
                    name,
                    (r for r in rules if r.target == "column" and matches(r.locator.column, name)),
                )
                for name in columns
            ),
            added=self._added(schema, table),
            before_image=next(
                (rule for rule in self.before_images if rule.locator.names(schema, table)), None
            ),
        )

    def lob_bytes(self, schema: str, table: str, default: int) -> int:
        """How long LOBs of a table may be: table settings go before those of the task."""
        limits = (s.lob_bytes for s in self.table_settings if s.locator.names(schema, table))
        return next((limit for limit in limits if limit), default)

    def _added(self, schema: str, table: str) -> tuple[AddedColumn, ...]:
        first_of_its_name: dict[str, AddedColumn] = {}
        for rule in self.added:
            if rule.locator.names(schema, table):
                first_of_its_name.setdefault(rule.name, rule)
        return tuple(first_of_its_name.values())


_RENAME: dict[str, Callable[[str, RenameRule], str]] = {
    "rename": lambda name, rule: rule.value,
    "convert-lowercase": lambda name, rule: name.lower(),
    "convert-uppercase": lambda name, rule: name.upper(),
    "add-prefix": lambda name, rule: rule.value + name,
    "add-suffix": lambda name, rule: name + rule.value,
    "remove-prefix": lambda name, rule: name.removeprefix(rule.value),
    "remove-suffix": lambda name, rule: name.removesuffix(rule.value),
    "replace-prefix": lambda name, rule: (
        rule.value + name.removeprefix(rule.old_value) if name.startswith(rule.old_value) else name
    ),
    "replace-suffix": lambda name, rule: (
        name.removesuffix(rule.old_value) + rule.value if name.endswith(rule.old_value) else name
    ),
}
RENAMING_ACTIONS = (*_RENAME, "remove-column")


def _renamed(name: str, rules: Iterable[RenameRule]) -> str | None:
    """The name after the first rule, None when that rule removes it."""
    rule = next(iter(rules), None)
    if rule is None:
        return name
    return None if rule.action == "remove-column" else _RENAME[rule.action](name, rule)

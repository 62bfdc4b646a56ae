"""The JSON of table mappings, read into a TableMapping."""

from __future__ import annotations

import re
from typing import Any

from local_shim.dms.settings.document import IMITATED, Document
from local_shim.dms.settings.expression import parse_expression
from local_shim.dms.settings.mapping import (
    RENAMING_ACTIONS,
    AddedColumn,
    BeforeImage,
    Locator,
    RenameRule,
    SelectionRule,
    TableMapping,
    TableSettings,
)
from local_shim.errors import UsageError

_PARALLEL_LOAD = {
    "none": "",
    "ranges": "names the load files SEGMENT1_LOAD00000001 and so on, a number for each range",
    "partitions-auto": "loads the partitions side by side and may name files after them",
    "subpartitions-auto": "loads the partitions side by side and may name files after them",
    "partitions-list": "loads the partitions side by side and may name files after them",
}


def read_table_mapping(document: Document) -> TableMapping:
    """The rules of a document.

    Raises:
        UsageError: A rule is malformed, or asks for what the stand-in does not imitate.
    """
    rules = document.values.get("rules")
    if not isinstance(rules, list) or not rules:
        raise UsageError(
            "DMS_MAPPING_INVALID", "Table mappings need a list of 'rules'.", where=document.where
        )
    document.classes["rules"] = IMITATED
    document.finish()
    read = [_read_rule(rule, document.where) for rule in sorted(rules, key=_rule_id)]
    _check(read, rules, document.where)
    return TableMapping(
        selections=tuple(rule for rule in read if isinstance(rule, SelectionRule)),
        renamings=tuple(rule for rule in read if isinstance(rule, RenameRule)),
        added=tuple(rule for rule in read if isinstance(rule, AddedColumn)),
        before_images=tuple(rule for rule in read if isinstance(rule, BeforeImage)),
        table_settings=tuple(rule for rule in read if isinstance(rule, TableSettings)),
        not_imitated=tuple(text for rule in rules for text in _not_imitated(rule)),
    )


_Rule = SelectionRule | RenameRule | AddedColumn | BeforeImage | TableSettings | None


def _rule_id(rule: Any) -> int:
    text = str(rule.get("rule-id", "")) if isinstance(rule, dict) else ""
    return int(text) if text.isdigit() else 1 << 40


def _check(read: list[_Rule], rules: list[Any], where: str) -> None:
    if not any(isinstance(rule, SelectionRule) for rule in read):
        raise UsageError("DMS_MAPPING_INVALID", "There is no selection rule.", where=where)
    identities = [str(rule.get("rule-id")) for rule in rules]
    twice = next((one for one in identities if identities.count(one) > 1), None)
    if twice is not None:
        raise UsageError("DMS_MAPPING_INVALID", f"rule-id {twice} is used twice.", where=where)


def _read_rule(rule: Any, where: str) -> _Rule:
    if not isinstance(rule, dict) or not str(rule.get("rule-id", "")).isdigit():
        raise UsageError(
            "DMS_MAPPING_INVALID", f"A rule needs a numeric rule-id: {rule!r}.", where=where
        )
    document = Document(rule, f"{where}: rule {rule['rule-id']}")
    document.without_effect("rule-id", "rule-name")
    kind = document.choice(
        "rule-type", ("selection", "transformation", "table-settings", "post-processing"), ""
    )
    if kind == "selection":
        return _selection(document)
    if kind == "transformation":
        return _transformation(document)
    return _table_settings(document) if kind == "table-settings" else None


def _not_imitated(rule: Any) -> tuple[str, ...]:
    """What a real task does with a rule, and the stand-in does not."""
    number = rule["rule-id"]
    if rule.get("rule-type") == "post-processing":
        return (f"rule {number} (post-processing) is not imitated: a real task runs it",)
    if rule.get("rule-action") == "define-primary-key":
        return (f"rule {number} (define-primary-key) has no effect: files have no keys",)
    parallel = rule.get("parallel-load")
    consequence = _PARALLEL_LOAD.get(parallel.get("type", "none") if parallel else "none", "")
    if not consequence:
        return ()
    return (f"rule {number} (parallel-load) is not imitated: a real task {consequence}",)


def _table_settings(document: Document) -> TableSettings:
    parallel = document.part("parallel-load")
    parallel.choice("type", tuple(_PARALLEL_LOAD), "none")
    lobs = document.part("lob-settings")
    lobs.choice("mode", ("limited",), "limited")
    kilobytes = str(lobs.values.get("bulk-max-size") or 0)
    if not kilobytes.isdigit():
        raise lobs.wrong("bulk-max-size", kilobytes, "a number of KB")
    return TableSettings(_rule_id(document.values), _locator(document), int(kilobytes) * 1024)


def _locator(document: Document) -> Locator:
    locator = document.part("object-locator")
    locator.only("table-type", "table")
    read = Locator(
        locator.text("schema-name", "%"),
        locator.text("table-name", "%"),
        locator.text("column-name", "%"),
    )
    locator.without_effect("data-type", "table-tablespace-name", "index-tablespace-name")
    locator.finish()
    return read


def _selection(document: Document) -> SelectionRule:
    locator = _locator(document)
    action = document.choice("rule-action", ("include", "exclude", "explicit"), "")
    if action == "explicit" and re.search(r"[%\[]", locator.schema + locator.table):
        raise UsageError(
            "DMS_MAPPING_INVALID", "An explicit rule has no wildcards.", where=document.where
        )
    order = document.values.get("load-order", 0)
    document.without_effect("load-order")
    document.only("filters", [])
    document.finish()
    return SelectionRule(_rule_id(document.values), action, locator, int(order))


def _transformation(document: Document) -> _Rule:
    action = document.text("rule-action")
    if action == "define-primary-key":
        return None
    if action == "add-column":
        return _added_column(document)
    if action == "add-before-image-columns":
        return _before_image(document)
    return _renaming(document, action)


def _renaming(document: Document, action: str) -> RenameRule:
    if action not in RENAMING_ACTIONS:
        raise UsageError(
            "DMS_SETTING_NOT_IMITATED",
            f"The rule-action {action!r} is not imitated.",
            where=document.where,
            hint="imitated: " + ", ".join((*RENAMING_ACTIONS, "add-column")),
        )
    target = document.choice("rule-target", ("schema", "table", "column"), "")
    if action == "remove-column" and target != "column":
        raise document.wrong("rule-target", target, "column")
    if action == "rename" and not document.text("value"):
        raise document.wrong("value", "", "the new name")
    rule = RenameRule(
        _rule_id(document.values),
        target,
        action,
        _locator(document),
        document.text("value"),
        document.text("old-value"),
    )
    document.finish()
    return rule


def _added_column(document: Document) -> AddedColumn:
    document.choice("rule-target", ("column",), "")
    kind = document.part("data-type")
    name = document.text("value")
    if not name:
        raise document.wrong("value", name, "the new column's name")
    rule = AddedColumn(
        _rule_id(document.values),
        _locator(document),
        name,
        parse_expression(document.text("expression"), document.where),
        kind.choice("type", ("string", "datetime"), "string"),
        kind.number("length", 0),
    )
    kind.without_effect("precision", "scale")
    kind.finish()
    document.finish()
    return rule


def _before_image(document: Document) -> BeforeImage:
    document.choice("rule-target", ("column",), "")
    definition = document.part("before-image-def")
    definition.only("column-filter", "pk-only")
    rule = BeforeImage(
        _rule_id(document.values),
        _locator(document),
        definition.text("column-prefix", "BI_"),
        definition.text("column-suffix"),
    )
    definition.finish()
    document.finish()
    if not rule.prefix + rule.suffix:
        raise document.wrong("column-prefix", "", "not empty when column-suffix is")
    return rule

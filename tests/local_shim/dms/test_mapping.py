"""Table mappings: which tables, under which names, with which extra columns: items 27 and 28."""

from __future__ import annotations

from typing import Any

import pytest

from local_shim.dms.settings.document import Document
from local_shim.dms.settings.pattern import matches
from local_shim.dms.settings.rules import read_table_mapping
from local_shim.errors import UsageError
from tests.local_shim.dms.lab import INCLUDE, Lab, added, transformation


def mapping(*rules: dict[str, Any]) -> Any:
    return read_table_mapping(Document({"rules": list(rules)}, "table-mappings.json"))


def selection(rule_id: int, action: str, table: str, schema: str = "public") -> dict[str, Any]:
    return {
        "rule-type": "selection",
        "rule-id": str(rule_id),
        "rule-action": action,
        "object-locator": {"schema-name": schema, "table-name": table},
    }


@pytest.mark.dms(28)
@pytest.mark.parametrize(
    ("pattern", "name", "is_match"),
    [
        ("%", "anything", True),
        ("claim%", "claim_party", True),
        ("claim%", "Claim", False),
        ("claim_party", "claimXparty", True),
        ("claim[_]party", "claimXparty", False),
        ("claim[_]party", "claim_party", True),
        ("t[ab]", "tb", True),
        ("t[ab]", "tc", False),
        ("t[a-d]", "tc", True),
        ("a.b", "axb", False),
        ("t", "tt", False),
    ],
)
def test_wildcards(pattern: str, name: str, is_match: bool) -> None:
    assert matches(pattern, name) is is_match


@pytest.mark.dms(28)
def test_what_is_included_and_not_excluded_is_taken(lab: Lab) -> None:
    lab.sql("CREATE SCHEMA other")
    for table in ("public.claim", "public.claim_party", "public.policy", "other.claim"):
        lab.sql(f"CREATE TABLE {table} (id int PRIMARY KEY)", f"INSERT INTO {table} VALUES (1)")
    rules = [
        selection(1, "include", "claim%", "%"),
        selection(2, "exclude", "claim[_]%"),
        selection(3, "explicit", "policy"),
    ]
    lab.set_up(rules=rules)
    lab.load()
    assert {key.rpartition("/")[0] for key in lab.objects()} == {
        "public/claim",
        "public/policy",
        "other/claim",
    }


@pytest.mark.dms(28)
@pytest.mark.parametrize(
    ("rule", "place", "columns"),
    [
        (transformation(5, "schema", "rename", value="core"), "core/Claim", "Id,Amount"),
        (transformation(5, "table", "convert-lowercase"), "public/claim", "Id,Amount"),
        (transformation(5, "table", "convert-uppercase"), "public/CLAIM", "Id,Amount"),
        (transformation(5, "table", "add-prefix", value="b_"), "public/b_Claim", "Id,Amount"),
        (transformation(5, "table", "add-suffix", value="_b"), "public/Claim_b", "Id,Amount"),
        (transformation(5, "table", "remove-prefix", value="Cl"), "public/aim", "Id,Amount"),
        (transformation(5, "table", "remove-suffix", value="im"), "public/Cla", "Id,Amount"),
        (
            transformation(5, "table", "replace-prefix", value="X", old_value="Cl"),
            "public/Xaim",
            "Id,Amount",
        ),
        (
            transformation(5, "table", "replace-suffix", value="X", old_value="im"),
            "public/ClaX",
            "Id,Amount",
        ),
        (transformation(5, "column", "convert-lowercase"), "public/Claim", "id,amount"),
        (
            transformation(5, "column", "rename", value="key", locator={"column-name": "I%"}),
            "public/Claim",
            "key,Amount",
        ),
        (
            transformation(5, "column", "remove-column", locator={"column-name": "Amount"}),
            "public/Claim",
            "Id",
        ),
    ],
)
def test_names_are_transformed_in_the_load_and_in_changes(
    lab: Lab, rule: dict[str, Any], place: str, columns: str
) -> None:
    lab.set_up(rules=[INCLUDE, rule])
    lab.sql('CREATE TABLE "Claim" ("Id" int PRIMARY KEY, "Amount" int)')
    lab.sql('INSERT INTO "Claim" VALUES (1, 2)')
    lab.load()
    lab.sql('UPDATE "Claim" SET "Amount" = 3')
    lab.cdc()
    assert {key.rpartition("/")[0] for key in lab.objects()} == {place}
    assert {lab.text(key).partition("\n")[0] for key in lab.objects()} == {f"Op,ts,{columns}"}


@pytest.mark.dms(28)
def test_of_two_rules_for_one_thing_the_lower_id_wins() -> None:
    plan = mapping(
        INCLUDE,
        transformation(9, "table", "rename", value="nine"),
        transformation(10, "table", "rename", value="ten"),
        added(21, "extra", "'high'"),
        added(20, "extra", "'low'"),
    ).plan("public", "t", ["a"])
    assert plan.table == "nine"
    assert [(rule.name, rule.rule_id) for rule in plan.added] == [("extra", 20)]


@pytest.mark.dms(27)
def test_expressions_are_evaluated_for_load_rows_and_changes(lab: Lab) -> None:
    lab.set_up(
        rules=[
            INCLUDE,
            added(10, "op", "$AR_H_OPERATION"),
            added(11, "commit", "$AR_H_COMMIT_TIMESTAMP"),
            added(12, "source", "$AR_M_SOURCE_SCHEMA||'.'||$AR_M_SOURCE_TABLE_NAME"),
            added(13, "literal", "'it''s'"),
            added(14, "joined", "$a || '-' || $b"),
        ]
    )
    lab.sql("CREATE TABLE t (id int PRIMARY KEY, a text, b numeric(5,2))")
    lab.sql("INSERT INTO t VALUES (1, 'x', 1.5)")
    lab.load()
    lab.sql("UPDATE t SET b = NULL", "DELETE FROM t")
    lab.cdc()
    (load,), (update, delete) = lab.loaded(), lab.changed()
    assert (load["op"], update["op"], delete["op"]) == ("INSERT", "UPDATE", "DELETE")
    assert update["commit"] == update["ts"] and load["commit"] == load["ts"]
    assert load["source"] == update["source"] == "public.t"
    assert load["literal"] == "it's"
    assert (load["joined"], update["joined"]) == ("x-1.50", "\\N")


@pytest.mark.dms(27)
@pytest.mark.parametrize(
    "expression",
    ["lower($a)", "$a + 1", "$AR_H_USER", "CASE WHEN 1 THEN 2 END", "", "$a||", "hash_sha256($a)"],
)
def test_other_expressions_are_refused_loudly(expression: str) -> None:
    with pytest.raises(UsageError) as caught:
        mapping(INCLUDE, added(10, "x", expression))
    assert caught.value.condition == "DMS_EXPRESSION_NOT_IMITATED"
    assert "rule 10" in str(caught.value)


@pytest.mark.dms(27)
def test_an_expression_over_a_column_that_is_missing_names_it(lab: Lab) -> None:
    lab.set_up(rules=[INCLUDE, added(10, "x", "$nothing")])
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with pytest.raises(UsageError, match=r"\$nothing, which public\.t lacks"):
        lab.load()


@pytest.mark.dms(28)
def test_tables_are_loaded_in_the_order_asked_for(lab: Lab) -> None:
    for table in ("a", "b", "c"):
        lab.sql(f"CREATE TABLE {table} (id int PRIMARY KEY)")
    first = {**selection(2, "include", "c"), "load-order": 2}
    lab.set_up(rules=[selection(1, "include", "%"), first])
    lab.load()
    assert [text.split()[1] for text in lab.reports[1:]] == [
        "public.c:",
        "public.a:",
        "public.b:",
    ]


@pytest.mark.parametrize(
    ("rules", "condition", "words"),
    [
        ([], "DMS_MAPPING_INVALID", "list of 'rules'"),
        ([added(1, "x", "'y'")], "DMS_MAPPING_INVALID", "no selection rule"),
        ([INCLUDE, INCLUDE], "DMS_MAPPING_INVALID", "rule-id 1 is used twice"),
        ([{**INCLUDE, "rule-id": "one"}], "DMS_MAPPING_INVALID", "numeric rule-id"),
        ([{**INCLUDE, "rule-action": "includ"}], "DMS_SETTING_INVALID", "include or exclude"),
        ([{**INCLUDE, "filters": [{"column-name": "a"}]}], "DMS_SETTING_NOT_IMITATED", "filters"),
        ([selection(1, "explicit", "t%")], "DMS_MAPPING_INVALID", "no wildcards"),
        (
            [INCLUDE, transformation(2, "column", "data-masking-hash-mask")],
            "DMS_SETTING_NOT_IMITATED",
            "data-masking-hash-mask",
        ),
        ([{**INCLUDE, "object-locater": {}}], "DMS_SETTING_UNKNOWN", "object-locator"),
    ],
)
def test_a_wrong_rule_is_named(rules: list[dict[str, Any]], condition: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        mapping(*rules)
    assert caught.value.condition == condition
    assert words in str(caught.value)


def table_settings(**more: Any) -> dict[str, Any]:
    locator = {"schema-name": "public", "table-name": "t"}
    return {
        "rule-type": "table-settings",
        "rule-id": "7",
        "object-locator": locator,
        **{key.replace("_", "-"): value for key, value in more.items()},
    }


def test_a_parallel_load_says_how_a_real_task_names_its_files(lab: Lab) -> None:
    ranges = {"type": "ranges", "columns": ["id"], "boundaries": [["100"]]}
    lab.set_up(rules=[INCLUDE, table_settings(parallel_load=ranges)])
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)")
    lab.load()
    assert lab.reports[0] == (
        "rule 7 (parallel-load) is not imitated: a real task names the load files "
        "SEGMENT1_LOAD00000001 and so on, a number for each range"
    )


def test_table_settings_cut_the_lobs_of_their_table(lab: Lab) -> None:
    limited = {"mode": "limited", "bulk-max-size": "1"}
    lab.set_up(rules=[INCLUDE, table_settings(lob_settings=limited)])
    for table in ("t", "u"):
        lab.sql(f"CREATE TABLE {table} (id int PRIMARY KEY, v text)")
        lab.sql(f"INSERT INTO {table} VALUES (1, repeat('x', 2000))")
    lab.load()
    assert [len(lab.loaded(table)[0]["v"]) for table in ("t", "u")] == [512, 2000]
    assert not [text for text in lab.reports if "not imitated" in text]


@pytest.mark.parametrize(("rules", "folder"), [([], "lake"), (["rename"], "core")])
def test_the_target_schema_is_the_folder_unless_a_rule_renames(
    lab: Lab, rules: list[str], folder: str
) -> None:
    renaming = [transformation(5, "schema", "rename", value="core") for _ in rules]
    lab.set_up(rules=[INCLUDE, *renaming], task={"TargetMetadata": {"TargetSchema": "lake"}})
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()
    assert {key.partition("/")[0] for key in lab.objects()} == {folder}


def test_a_selection_that_matches_nothing_names_what_is_there(lab: Lab) -> None:
    lab.sql("CREATE TABLE policy (id int PRIMARY KEY)")
    lab.set_up(rules=[selection(1, "include", "polycy")])
    with pytest.raises(UsageError) as caught:
        lab.load()
    assert caught.value.condition == "DMS_NO_TABLES"
    assert "did you mean 'public.policy'?" in str(caught.value)

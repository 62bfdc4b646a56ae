"""Random nested JSON in random files: what is loaded plus what is rescued is what was written.

The oracle below is written from the rules, in plain Python: a type is None (only null), the name
of a Spark type, a list of one element type, or a dict of the types of fields.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pyspark.sql import Row

from local_shim.errors import SchemaChanged
from tests.local_shim.autoloader.landing_flow import Flow

SCALARS: list[Any] = [None, True, False, 0, -7, 2**40, 0.5, "", "x", "12", "true", '{"a":1}', "ä\n"]
NAMES = ["a", "b", "c", "x y", "a.b"]


def some_value(choose: random.Random, depth: int) -> Any:
    form = choose.random()
    if depth == 0 or form < 0.4:
        return choose.choice(SCALARS)
    if form < 0.6:
        return [some_value(choose, depth - 1) for _ in range(choose.randint(0, 3))]
    names = choose.sample(NAMES, choose.randint(0, 3))
    return {name: some_value(choose, depth - 1) for name in names}


def type_of(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return {name: type_of(part) for name, part in value.items()}
    if isinstance(value, list):
        element = None
        for part in value:
            element = joined(element, type_of(part))
        return [element]
    return {bool: "boolean", int: "bigint", float: "double", str: "string"}[type(value)]


def joined(one: Any, other: Any) -> Any:
    if one is None or other is None or one == other:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: joined(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [joined(one[0], other[0])]
    return "double" if {str(one), str(other)} == {"bigint", "double"} else "string"


def complete(kind: Any) -> Any:
    """The type in a schema: text where there was only null, fields by name."""
    if isinstance(kind, list):
        return [complete(kind[0])]
    if isinstance(kind, dict) and kind:
        return {name: complete(kind[name]) for name in sorted(kind)}
    return kind or "string"


def grown(current: Any, incoming: Any) -> Any:
    if isinstance(current, list) and isinstance(incoming, list):
        return [grown(current[0], incoming[0])]
    if isinstance(current, dict) and isinstance(incoming, dict):
        same = {name: grown(kind, incoming.get(name)) for name, kind in current.items()}
        return {**same, **{name: incoming[name] for name in incoming if name not in same}}
    return current


def simple_text(kind: Any) -> str:
    if isinstance(kind, list):
        return f"array<{simple_text(kind[0])}>"
    if isinstance(kind, dict):
        return f"struct<{','.join(f'{name}:{simple_text(part)}' for name, part in kind.items())}>"
    return str(kind)


def fits(value: Any, kind: Any) -> bool:
    if value is None or kind == "string":
        return True
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(part, kind[0]) for part in value)
    if isinstance(kind, dict):
        return isinstance(value, dict) and all(
            part is None or (name in kind and fits(part, kind[name]))
            for name, part in value.items()
        )
    allowed: dict[str, list[type]] = {"boolean": [bool], "bigint": [int], "double": [int, float]}
    return type(value) in allowed[kind]


def as_written(loaded: Any, value: Any) -> Any:
    """The loaded value in the form in which it was written, so that the two can be compared."""
    if isinstance(loaded, Row) and isinstance(value, dict):
        parts = {name: as_written(part, value.get(name)) for name, part in loaded.asDict().items()}
        return {name: part for name, part in parts.items() if part is not None}
    if isinstance(loaded, list) and isinstance(value, list):
        return [as_written(part, each) for part, each in zip(loaded, value, strict=True)]
    if isinstance(loaded, str) and not isinstance(value, str):
        return without_nulls(json.loads(loaded))
    return loaded


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def check(row: dict[str, Any], record: dict[str, Any], schema: dict[str, Any]) -> None:
    rescued = json.loads(row.get("_rescued_data", '{"_file_path": ""}'))
    assert rescued.pop("_file_path", None) is not None
    for name, value in record.items():
        if value is None:
            assert row.get(name) is None
        elif name in schema and fits(value, schema[name]):
            assert as_written(row.get(name), value) == without_nulls(value)
        else:
            text = rescued.pop(name)
            assert text == value if isinstance(value, str) else json.loads(text) == value
    assert rescued == {}


@pytest.mark.dlt(127, 128, 129)
@pytest.mark.parametrize("seed", range(6))
def test_loaded_plus_rescued_is_written(flow: Flow, seed: int) -> None:
    choose = random.Random(seed)
    mode = choose.choice(["addNewColumns", "rescue", "none"])
    flow.options.update(
        {
            "cloudFiles.format": "json",
            "cloudFiles.inferColumnTypes": "true",
            "cloudFiles.schemaEvolutionMode": mode,
            "rescuedDataColumn": "_rescued_data",
        }
    )
    written: dict[int, dict[str, Any]] = {}
    schema: dict[str, Any] = {}
    at_load: dict[int, dict[str, Any]] = {}
    for update in range(3):
        records = [
            {
                "id": 100 * update + i,
                **{n: some_value(choose, 3) for n in NAMES if choose.random() < 0.7},
            }
            for i in range(choose.randint(1, 8))
        ]
        cuts = sorted(choose.choices(range(len(records) + 1), k=choose.randint(0, 3)))
        for start, stop in zip([0, *cuts], [*cuts, len(records)], strict=True):
            lines = [json.dumps(record) for record in records[start:stop]]
            flow.land(f"{update}/{start}-{stop}.json".replace("/", "_"), "\n".join(lines))
        kind: Any = {}
        for record in records:
            kind = joined(kind, type_of(record))
        evolved = grown(schema, complete(kind)) if mode == "addNewColumns" or not schema else schema
        if schema and evolved != schema:
            with pytest.raises(SchemaChanged):
                flow.run()
        schema = evolved
        flow.run()
        types = {name: simple_text(kind) for name, kind in schema.items()}
        assert flow.frame().dtypes == [*types.items(), ("_rescued_data", "string")]
        written.update({record["id"]: record for record in records})
        at_load.update({record["id"]: schema for record in records})
    rows = {row["id"]: row for row in flow.rows()}
    assert rows.keys() == written.keys()
    for key, record in written.items():
        check(rows[key], record, at_load[key])

"""How source files are executed: their module, their name, and where their errors are."""

from __future__ import annotations

import sys

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

STYLES = {
    "a dataclass": """
        from dataclasses import dataclass
        @dataclass
        class Table:
            name: str
            rows: int = 2
        assert Table.__annotations__["rows"] is int
        """,
    "a dataclass with annotations as text": """
        from __future__ import annotations
        from dataclasses import dataclass, field
        from typing import ClassVar
        @dataclass(frozen=True)
        class Table:
            kind: ClassVar[str] = "t"
            name: str = ""
            rows: int = field(default=2)
        assert Table("x").kind == "t" and Table.__annotations__["rows"] == "int"
        """,
    "a named tuple": """
        from typing import NamedTuple, get_type_hints
        class Table(NamedTuple):
            name: str
            rows: int = 2
        assert get_type_hints(Table) == {"name": str, "rows": int}
        """,
    "hints in text": """
        from __future__ import annotations
        from typing import get_type_hints
        class Table:
            other: Table | None
            def __init__(self, name: str) -> None:
                self.name, self.rows = name, 2
        assert set(get_type_hints(Table)) == {"other"}
        """,
    "an enumeration that is pickled": """
        import enum, pickle
        class Table(enum.Enum):
            A = "a"
            rows = 2
        assert pickle.loads(pickle.dumps(Table.A)) is Table.A
        Table = type("Table", (), {"__init__": lambda self, n: setattr(self, "name", n), "rows": 2})
        """,
}


@pytest.mark.parametrize("style", STYLES)
def test_classes_of_a_source_file_work_as_in_any_module(pipeline: Pipeline, style: str) -> None:
    pipeline.write(
        STYLES[style]
        + """
        import dlt
        def declare(table):
            @dlt.table(name=table.name)
            def query():
                return spark.range(table.rows)
        for table in (Table("a"), Table("b")):
            declare(table)
        """
    )
    flows = [flow.name for flow in pipeline.plan().flows]
    assert flows == ["main.default.a", "main.default.b"]


def test_annotations_are_types_and_not_text(pipeline: Pipeline) -> None:
    """The future imports of this package are none of the source file's."""
    pipeline.write("def f(x: int) -> str: ...\nassert f.__annotations__['x'] is int\n")
    with pytest.raises(ShimError, match="RUN_EMPTY_PIPELINE"):
        pipeline.plan()


def test_a_source_file_is_main_while_its_code_runs(pipeline: Pipeline) -> None:
    main = sys.modules["__main__"]
    pipeline.write(
        """
        import __main__, dlt

        def declare():
            @dlt.table
            def t():
                return spark.range(1)

        if __name__ == "__main__":
            assert __main__.declare is declare and __file__.endswith("pipeline.py")
            assert open("another.py").read() == "NAME = 1\\n"  # the file beside it
            declare()
        """
    )
    pipeline.write("NAME = 1\n", "another.py")
    assert [flow.name for flow in pipeline.plan().flows] == ["main.default.t"]
    assert sys.modules["__main__"] is main


def test_functions_of_a_source_file_run_in_python_workers(pipeline: Pipeline) -> None:
    """No worker can import the file, so its functions and classes travel by value."""
    pipeline.write(
        """
        import dlt
        from dataclasses import dataclass
        from pyspark.sql.functions import udf

        @dataclass
        class Rate:
            factor: int

        RATE = Rate(3)

        def scaled(number):
            return Rate(number * RATE.factor).factor

        @dlt.table
        def t():
            return spark.range(3).select(udf(scaled, "bigint")("id").alias("x"))
        """
    )
    assert pipeline.update() == 0
    assert pipeline.rows("t") == [(0,), (3,), (6,)]


BROKEN = {
    "an exception": ("raise ValueError('no')", "QUERY_FUNCTION_FAILED"),
    "an unknown column": ("spark.range(1).select('nothing').schema", "UNRESOLVED_COLUMN"),
    "an unknown table": ("spark.read.table('no.such.table')", "TABLE_OR_VIEW_NOT_FOUND"),
    "an action": ("spark.range(1).count()", "ACTION_IN_DATASET_FUNCTION"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_error_inside_a_function_names_the_line_inside_it(pipeline: Pipeline, kind: str) -> None:
    statement, condition = BROKEN[kind]
    source = f"import dlt\n\n@dlt.table\ndef t():\n    first = 1\n    {statement}\n"
    pipeline.write(source + "    return spark.range(1)\n")
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert condition in caught.value.condition
    assert str(caught.value.where).endswith("pipeline.py:6")


def test_an_error_of_a_loaded_helper_names_the_line_of_the_helper(pipeline: Pipeline) -> None:
    (pipeline.folder / "source" / "lib").mkdir(parents=True)
    (pipeline.folder / "source" / "lib" / "helping.py").write_text("\n\n1 / 0\n")
    pipeline.write("import lib.helping\n")
    with pytest.raises(ShimError, match="ZeroDivisionError") as caught:
        pipeline.plan()
    assert str(caught.value.where).endswith("helping.py:3")


def test_a_syntax_error_names_its_line(pipeline: Pipeline) -> None:
    pipeline.write("import dlt\n\ndef broken(:\n    pass\n")
    with pytest.raises(ShimError, match="SyntaxError") as caught:
        pipeline.plan()
    assert str(caught.value.where).endswith("pipeline.py:3")

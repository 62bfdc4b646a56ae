"""What Spark's analysed plan of a query says: its sources, its size, whether it is deterministic.

Read from Spark 4.2.0: `sql/catalyst/…/trees/TreeNode.scala` (collectLeaves, nodeName, treeString,
toJSON), `plans/QueryPlan.scala` (deterministic, canonicalized, subqueriesAll),
`plans/logical/LogicalPlan.scala` (isStreaming), `analysis/UnsupportedOperationChecker.scala`
(checkForStreaming) and `sql/core/…/execution/QueryExecution.scala` (analyzed, normalized,
optimizedPlan); and from Delta 4.4.0: `files/TahoeFileIndex.scala` (path), and the name of the V2
table's class.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame

from local_shim.jvm.configuration import settings
from local_shim.jvm.functions.pickled_function import stable_text
from local_shim.jvm.scala import listed, optional, scala_object

DELTA_FOLDER = "dltLocalDeltaFolder"  # option of a read of a Delta table's files: its folder
_VIEW_OF_A_NAME = re.compile(r"__dlt_\d+")
_NO_LIMIT = 10**9
_WHOLE_TEXT = {
    "spark.sql.debug.maxToStringFields": str(_NO_LIMIT),
    "spark.sql.maxPlanStringLength": str(_NO_LIMIT),
}
_TREE_PATTERN = "org.apache.spark.sql.catalyst.trees.TreePattern"
_GENERATE = re.compile(r"\bGenerate (\w+)")
_OWN_GENERATORS = {"explode", "posexplode", "inline", "stack", "json_tuple", "variant_explode"}
_PYTHON_FUNCTIONS = ("PythonUDF", "PythonUDAF", "PythonUDTF")
_ROWS_OF_PYTHON = "rows of Python code: "  # name of an RDD, before the digest of its rows
_WITHOUT_TABLES = ("LocalRelation", "OneRowRelation", "Range", "CTERelationRef")
_UNKNOWN_BYTES = 2**62


def streaming_sources(frame: DataFrame) -> int:
    """How many streaming sources the query reads."""
    return sum(bool(leaf.isStreaming()) for leaf in leaves(frame))


def output_mode(frame: DataFrame) -> str:
    """The output mode that a streaming query needs: "append", or "complete" if only that works.

    An aggregation without a watermark never knows that a group is final, so append mode has
    nothing to append. Where Spark supports neither mode, it says why in append mode.
    """
    jvm: Any = frame.sparkSession._jvm
    modes = jvm.org.apache.spark.sql.streaming.OutputMode
    if _supports(frame, modes.Append()) or not _supports(frame, modes.Complete()):
        return "append"
    return "complete"


def has_limit(frame: DataFrame) -> bool:
    """Whether the query takes only the first rows of something, also within a subquery.

    The optimized plan is asked, because Spark gives a plain EXISTS a limit of one row.
    """
    return "Limit " in str(frame._jdf.queryExecution().optimizedPlan().toString())


def _supports(frame: DataFrame, mode: Any) -> bool:
    analysis = "org.apache.spark.sql.catalyst.analysis"
    checker = scala_object(frame.sparkSession._jvm, f"{analysis}.UnsupportedOperationChecker")
    with suppress(AnalysisException):
        checker.checkForStreaming(_analyzed(frame), mode)
        return True
    return False


def estimated_bytes(frame: DataFrame) -> int:
    """Spark's estimate of the size of the rows; 0 where it has none (rows from Python)."""
    size = int(frame._jdf.queryExecution().optimizedPlan().stats().sizeInBytes())
    return 0 if size > _UNKNOWN_BYTES else size


def is_deterministic(frame: DataFrame) -> bool:
    """Whether the query uses no random numbers, no clock and no function declared so."""
    plan = _analyzed(frame)
    patterns = scala_object(frame.sparkSession._jvm, _TREE_PATTERN)
    # current_date() and its like count as deterministic in Spark.
    return bool(plan.deterministic()) and not plan.containsPattern(patterns.CURRENT_LIKE())


def delta_folders(frame: DataFrame) -> set[str] | None:
    """Folders of the Delta tables that the query reads; None if it reads anything else."""
    folders = [_delta_folder(leaf) for leaf in leaves(frame) if not _is_of_code(leaf)]
    named = {folder for folder in folders if folder is not None}
    return None if None in folders else named


def reads_code_alone(frame: DataFrame, streams: int) -> bool:
    """Whether all rows come from code, but for those of so many streams."""
    read = leaves(frame)
    batch = [leaf for leaf in read if not leaf.isStreaming()]
    return len(read) - len(batch) == streams and all(map(_is_of_code, batch))


def _is_of_code(leaf: Any) -> bool:
    return leaf.nodeName() in _WITHOUT_TABLES or _noted_rows(leaf) is not None


def note_rows(frame: DataFrame, digest: str) -> None:
    """Notes which rows a frame has that Spark got from Python code, for all plans that read it."""
    leaf = frame._jdf.queryExecution().analyzed()
    if leaf.nodeName() == "LogicalRDD":
        leaf.rdd().setName(_ROWS_OF_PYTHON + digest)


def _noted_rows(leaf: Any) -> str | None:
    name = leaf.rdd().name() if leaf.nodeName() == "LogicalRDD" else None
    return name if name and name.startswith(_ROWS_OF_PYTHON) else None


@dataclass(frozen=True)
class PlanDigest:
    """A digest of an analysed query, and whether Python functions run in it."""

    value: str = ""  # none for a query that streams
    runs_python: bool = False


def plan_digest(frame: DataFrame) -> PlanDigest:
    """The digest of the analysed query: equal for the same query in every process.

    It covers the canonical form of the plan (which numbers attributes anew and forgets aliases
    within the query), the names and types of its columns and of the columns it reads, the rows of
    local relations and those that `note_rows` noted, the folders of Delta tables and the pickled
    code of Python functions.
    The JSON form of a plan has all of this, too, but costs three times as much.
    Views that stand for names in SQL text (reading/sql_edits/names.py) are numbered by a counter of
    the process, which is left out.
    """
    spark = frame.sparkSession
    plan = frame._jdf.queryExecution().normalized().canonicalized()
    with settings(spark, _WHOLE_TEXT):
        text = _VIEW_OF_A_NAME.sub("", plan.treeString(True, False, _NO_LIMIT, False, False))
    read = leaves(frame)
    types = [leaf.schema().json() for leaf in read]
    rows = [str(leaf.data()) for leaf in read if leaf.nodeName() == "LocalRelation"]
    rows += [str(_noted_rows(leaf)) for leaf in read]
    folders = [str(_delta_folder(leaf)) for leaf in read]
    functions = _python_functions(frame, text)
    parts = [text, frame.schema.json(), *types, *rows, *folders, *functions]
    value = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return PlanDigest(value, runs_python=bool(functions))


def plan_text(frame: DataFrame) -> str:
    """The analysed plan as text."""
    return str(_analyzed(frame).treeString()).rstrip()


def plan_json(frame: DataFrame) -> str:
    """The analysed plan as JSON."""
    return str(_analyzed(frame).toJSON())


def leaves(frame: DataFrame) -> list[Any]:
    """The leaf nodes of the analysed plan and of its subqueries."""
    plan = _analyzed(frame)
    plans = [plan, *listed(plan.subqueriesAll())]
    return [leaf for each in plans for leaf in listed(each.collectLeaves())]


def column_name(column: Column) -> tuple[str, ...] | str | None:
    """The name parts of a plain column reference, the text of `expr(text)`, or None.

    The printed form of a column cannot tell `a.b` the field from `a.b` the backquoted name, but
    its node can: Spark 4.2.0, `sql/api/…/internal/columnNodes.scala` (SqlExpression) and
    `sql/core/…/classic/columnNodeSupport.scala` (UnresolvedAttribute keeps the name's parts).
    """
    node = column._jc.node()  # type: ignore[operator]
    kind = node.getClass().getSimpleName()
    if kind == "UnresolvedAttribute":
        return tuple(listed(node.nameParts()))
    return str(node.expression()) if kind == "SqlExpression" else None


def _analyzed(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().analyzed()


def _python_functions(frame: DataFrame, text: str) -> list[str]:
    """The pickled code of each Python function, in the order of the plan.

    Spark 4.2.0: `catalyst/…/expressions/PythonUDF.scala` (func) and `core/…/api/python/
    PythonRDD.scala` (PythonFunction.command, an ArraySeq of bytes).
    """
    plan = _analyzed(frame)
    patterns = scala_object(frame.sparkSession._jvm, _TREE_PATTERN)
    table_functions = set(_GENERATE.findall(text)) - _OWN_GENERATORS
    if not table_functions and not plan.containsPattern(patterns.PYTHON_UDF()):
        return []  # walking the plan from Python costs more than all else
    plans, expressions, functions = [plan, *listed(plan.subqueriesAll())], [], []
    while plans:
        node = plans.pop()
        plans += listed(node.children())
        expressions += listed(node.expressions())
    while expressions:
        expression = expressions.pop()
        expressions += listed(expression.children())
        if expression.getClass().getSimpleName() in _PYTHON_FUNCTIONS:
            functions.append(stable_text(expression.func().command().unsafeArray()))
    return functions


def _is_of_files(relation: Any) -> bool:
    """Whether a relation is one of files, unlike a change feed of Delta or a table behind JDBC."""
    own = relation.getClass()  # Delta's is an anonymous subclass
    return "HadoopFsRelation" in (own.getSimpleName(), own.getSuperclass().getSimpleName())


def _delta_folder(leaf: Any) -> str | None:
    """The table's folder, whichever of Delta's connectors reads it."""
    kind = leaf.getClass().getSimpleName()
    if kind == "DataSourceV2Relation" and "DeltaV2" in leaf.table().getClass().getName():
        return str(leaf.identifier().get().name())
    if kind == "LogicalRelation" and _is_of_files(leaf.relation()):
        folder = optional(leaf.relation().options().get(DELTA_FOLDER))
        if folder is not None:
            return str(folder)
        location = leaf.relation().location()
        if "Tahoe" in location.getClass().getName():
            return str(location.path().toUri().getPath())
    return None

"""Whatever a query threw while it was resolved, as an error at the user's declaration."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.errors import PySparkException

from local_shim.errors import DefinitionError, ShimError
from local_shim.graph.elements import Flow


def located(error: ShimError, flow: Flow) -> ShimError:
    """The same error, told to be at the flow's declaration."""
    return DefinitionError(error.condition, error.message, where=flow.where, hint=error.hint)


def analysis_error(
    flow: Flow, error: PySparkException, near: Callable[[str], str]
) -> DefinitionError:
    """Spark's analysis error in one line, with the place of the user's declaration.

    `near` names the dataset that an unknown table was probably meant to be.
    """
    condition = error.getCondition() or type(error).__name__
    text = str(error).split("\n\nJVM stacktrace")[0].split(";\n")[0]
    message = text.removeprefix(f"[{condition}]").strip().split(" SQLSTATE:")[0]
    hint = ""
    if condition == "TABLE_OR_VIEW_NOT_FOUND":
        hint = near((error.getMessageParameters() or {}).get("relationName", ""))
    return DefinitionError(condition, f"in '{flow.name}': {message}", where=flow.where, hint=hint)


def query_error(flow: Flow, error: Exception) -> DefinitionError:
    """An exception that the user's own function batch_error, with the line that raised it."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    line = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else ""
    return DefinitionError(
        "QUERY_FUNCTION_FAILED",
        f"the query of '{flow.name}' raised {type(error).__name__}: {error}",
        where=flow.where,
        hint=f"raised at {line}" if line else "",
    )

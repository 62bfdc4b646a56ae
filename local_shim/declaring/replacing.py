"""The arguments that say which rows of a table a flow replaces, instead of adding to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column

from local_shim.declaring.argument_reader import ArgumentReader
from local_shim.graph.declared_at import declared_here
from local_shim.graph.elements import ReplaceUsing, ReplaceWhere


def replacement(
    function: str, replace_where: Any, replace_using: Any, sequence_by: Any
) -> ReplaceWhere | ReplaceUsing | None:
    """The replacement that a call of `function` declares; None if its rows are appended.

    Raises DefinitionErrors for arguments that exclude each other or are incomplete.
    """
    arguments = {
        "replace_where": replace_where,
        "replace_using": replace_using,
        "sequence_by": sequence_by,
    }
    call = ArgumentReader(function, declared_here(), arguments)
    if replace_where is not None and (replace_using is not None or sequence_by is not None):
        call.refuse(
            "CANNOT_SET_TOGETHER",
            "replace_where excludes replace_using and sequence_by.",
            "keep one of the two ways to replace rows",
        )
    predicate = call.expression("replace_where")
    using = _using(call)
    call.finish()
    if predicate is not None:
        return ReplaceWhere(predicate)
    return using


def replace_using_required(
    function: str, replace_using: Sequence[str | Column] | None, sequence_by: str | Column | None
) -> ReplaceUsing:
    """The replacement of a call in which `replace_using` must be given."""
    keys = replace_using if replace_using is not None else ()
    arguments = {"replace_using": keys, "sequence_by": sequence_by}
    call = ArgumentReader(function, declared_here(), arguments)
    using = _using(call)
    call.finish()
    assert using is not None  # None is refused above
    return using


def _using(call: ArgumentReader) -> ReplaceUsing | None:
    keys, sequence_by = map(call.arguments.get, ("replace_using", "sequence_by"))
    if keys is None and sequence_by is None:
        return None
    sequence = call.expression("sequence_by")
    if sequence_by is None:
        call.refuse(
            "REPLACE_USING_WITHOUT_SEQUENCE_BY",
            "replace_using needs sequence_by.",
            "name the column that orders the rows of a key",
        )
    names = call.columns("replace_using")
    if not names:
        call.refuse(
            "REPLACE_USING_WITHOUT_KEYS",
            "replace_using must name at least one column.",
            "name the columns whose rows are replaced together",
        )
    return None if sequence is None or not names else ReplaceUsing(names, sequence)

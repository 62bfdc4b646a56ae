"""The analysed plan of a query as text, for people who read the event log."""

from __future__ import annotations

import re

from pyspark.sql import DataFrame

from local_shim.graph.analysis.lineage import Reads
from local_shim.jvm.spark_plan import plan_text

_ID = re.compile(r"(?<=#)\d+")
_TABLE = re.compile(r"Filter isnotnull\((\S+)\)\n[ :+-]*LocalRelation <empty>, (\[.*\])")
_STREAM = re.compile(r"StreamingRelation FileSource\[.*?\], (\[.*\])(, name=.*)?")


def explain_text(frame: DataFrame, reads: Reads) -> str:
    """The plan in which the frames that stand for datasets have the names of the datasets.

    Columns are numbered from 0, so that the text of a query is the same in every update.
    """
    names = {}
    for name, each in reads:
        if stand_in := _STREAM.search(plan_text(each)):
            names[_columns(stand_in)] = str(name)

    def named(stand_in: re.Match[str]) -> str:
        name = names.get(_columns(stand_in))
        return f"Relation {name} {stand_in[1]}" if name else stand_in[0]

    text = _TABLE.sub(r"Relation \1 \2", plan_text(frame))
    return _numbered(_STREAM.sub(named, text))


def _columns(stand_in: re.Match[str]) -> str:
    """A self-join gives one side of the same frame new numbers, so these are left out."""
    return _ID.sub("", stand_in[1])


def _numbered(text: str) -> str:
    numbers: dict[str, int] = {}
    return _ID.sub(lambda match: str(numbers.setdefault(match[0], len(numbers))), text)

"""What an earlier analysis found out, which need not be found out again for the same code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pyspark.sql.types import StructType

from local_shim.graph.elements import Flow
from local_shim.graph.graph import Input, Lineage, ResolvedFlow, Scope
from local_shim.graph.names import TableName


@dataclass(frozen=True)
class KnownInput:
    """A read of a dataset, and the digest of the columns that it had."""

    dataset: str
    streaming: bool
    columns: str

    @property
    def name(self) -> TableName:
        """The dataset's name."""
        return TableName(*self.dataset.split(".", 2))


@dataclass(frozen=True)
class KnownFlow:
    """What analysis gave for a flow that reads datasets of its pipeline alone.

    It gives the same again for the same code and configuration if the inputs have the same columns.
    """

    inputs: tuple[KnownInput, ...]
    schema: str  # as JSON
    streaming: bool
    digest: str
    follows_code: bool
    complete: bool
    column_lineage: Lineage
    explain_text: str | None

    def resolved(self, flow: Flow) -> ResolvedFlow:
        """The flow with this result."""
        return ResolvedFlow(
            flow,
            tuple(Input(each.name, each.streaming) for each in self.inputs),
            StructType.fromJson(json.loads(self.schema)),
            self.streaming,
            self.digest,
            self.follows_code,
            self.complete,
            Scope.DATASETS,
            lineage=lambda: self.column_lineage,
            explain_text=lambda: self.explain_text,
        )


def columns_digest(columns: StructType) -> str:
    """A short stand-in for columns with their types, comments and other metadata."""
    return hashlib.sha256(columns.json().encode()).hexdigest()

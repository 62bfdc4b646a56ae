"""Where declarations land: the one registry that is active while a pipeline's files are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from local_shim.errors import DefinitionError, ShimError
from local_shim.graph.declared_at import declared_here
from local_shim.graph.elements import Dataset, Flow, QueryFlow, SourceLocation
from local_shim.graph.names import Namespace, TableName


@dataclass
class Registry:
    """Collects datasets and flows in the order of their declaration."""

    namespace: Namespace
    configuration: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    datasets: dict[TableName, Dataset] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    errors: list[ShimError] = field(default_factory=list)
    deprecations: list[tuple[str, SourceLocation]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    keys_read: set[str] = field(default_factory=set)  # of the configuration, in SQL and widgets
    notebooks: list[Path] = field(default_factory=list)  # those that source files ran by %run
    reads_tables: bool = False  # at module level, outside of queries
    hooks: list[tuple[Callable[[dict[str, Any]], None], int | None]] = field(default_factory=list)

    def add_dataset(self, dataset: Dataset) -> None:
        """Keeps a dataset; a second one of the same name is recorded as an error."""
        first = self.datasets.get(dataset.name)
        if first is None:
            self.datasets[dataset.name] = dataset
            return
        self.errors.append(
            DefinitionError(
                "PIPELINE_DUPLICATE_IDENTIFIERS.OUTPUT",
                f"'{dataset.name}' is declared twice: as {first.kind.value} at {first.where} "
                f"and as {dataset.kind.value} at {dataset.where}.",
                where=dataset.where,
                hint="one definition per dataset; give one of them another name",
            )
        )

    def add_flow(self, flow: Flow) -> None:
        """Keeps a flow; a second one of the same name is recorded as an error."""
        first = next((other for other in self.flows if other.name == flow.name), None)
        if first is None:
            self.flows.append(flow)
            return
        if first.target == flow.target and flow.target in self.datasets and _default(first, flow):
            return  # two definitions of one dataset: the dataset's own error says so
        self.errors.append(
            DefinitionError(
                "PIPELINE_DUPLICATE_IDENTIFIERS.FLOW",
                f"flow '{flow.name}' is declared twice: into '{first.target}' at {first.where} "
                f"and into '{flow.target}' at {flow.where}.",
                where=flow.where,
                hint="give one of them another name=",
            )
        )

    def replace_dataset(self, dataset: Dataset) -> None:
        """Puts a completed declaration (e.g. with its expectations) in the place of the first."""
        self.datasets[dataset.name] = dataset

    def withdraw_dataset(self, dataset: Dataset) -> None:
        """Removes a declaration, if it is the one that counts for its name."""
        if self.datasets.get(dataset.name) is dataset:
            del self.datasets[dataset.name]

    def deprecated(self, what: str) -> None:
        """Notes the use of an old spelling, for a `deprecation` event."""
        self.deprecations.append((what, declared_here()))

    def warn(self, message: str) -> None:
        """Keeps what the user should know about a declaration that is carried out all the same."""
        self.warnings.append(f"{declared_here()}: {message}")


def _default(first: Flow, second: Flow) -> bool:
    return all(isinstance(flow, QueryFlow) and flow.default for flow in (first, second))


_active: list[Registry] = []


@contextmanager
def activated(registry: Registry) -> Iterator[Registry]:
    """Makes `registry` the one that the decorators write to."""
    _active.append(registry)
    try:
        yield registry
    finally:
        _active.pop()


def is_loading() -> bool:
    """Whether a pipeline's source files are being run."""
    return bool(_active)


def active_registry() -> Registry:
    """The registry of the pipeline being loaded; an error outside of one."""
    if not _active:
        raise DefinitionError(
            "NO_ACTIVE_PIPELINE",
            "Datasets can only be declared while a pipeline is loaded.",
            where=declared_here(),
            hint="run the file with `dlt-local run FILE`",
        )
    return _active[-1]

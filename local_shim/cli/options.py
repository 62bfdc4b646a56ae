"""The options that several commands share, and what they mean to the rest of the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from local_shim.errors import UsageError

if TYPE_CHECKING:  # help must not wait for Spark or YAML
    from local_shim.graph.plan import RefreshSelection
    from local_shim.pipeline_spec.pipeline import PipelineSpec
    from local_shim.update.request import Request

_WHERE = Group("Where the pipeline is (default: the bundle in this folder)", sort_key=1)
_SELECT = Group("What to run (default: refresh everything)", sort_key=2)
_HOW = Group("How", sort_key=3)


def option(metavar: str | None = None, help: str | None = None, *names: str) -> Any:
    """How the help shows an option: what its value is called, and what it does."""
    return Parameter(name=names or None, metavar=metavar, help=help)


Files = Annotated[str, option("", "Source files or globs, instead of a bundle.")]
Json = Annotated[bool, option(help="Print the events as JSON lines.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class BundleOptions:
    """The options that name a pipeline of a bundle."""

    bundle: Annotated[Path | None, option("DIR", "Folder of a databricks.yml.")] = None
    target: Annotated[str | None, option("T", "Target of the bundle.")] = None
    var: Annotated[
        tuple[str, ...], option("K=V", "Value of a bundle variable; may be repeated.")
    ] = ()
    pipeline: Annotated[str | None, option("KEY", "Pipeline of the bundle, if it has several.")] = (
        None
    )

    def from_bundle(self) -> PipelineSpec:
        """The description of the pipeline in the bundle; by default that of this folder."""
        from local_shim.pipeline_spec.load import from_bundle

        variables = pairs(self.var, "--var")
        return from_bundle(self.bundle or Path(), self.target, variables, self.pipeline)


@Parameter(name="*", group=_WHERE)
@dataclass(frozen=True, kw_only=True)
class Where(BundleOptions):
    """The options that name a pipeline: of a bundle, of a Spark spec, or made of files."""

    spec: Annotated[Path | None, option("FILE", "A spark-pipeline.yml, instead of a bundle.")] = (
        None
    )
    catalog: Annotated[str, option("C", "Catalog of the tables of FILES (default: main).")] = "main"
    schema: Annotated[str, option("S", "Schema of the tables of FILES (default: default).")] = (
        "default"
    )

    def read(self, files: Sequence[str]) -> PipelineSpec:
        """The description of the pipeline, out of the one source that the options name."""
        from local_shim.pipeline_spec.load import from_files, from_spark_spec

        if sum(map(bool, (files, self.spec, self.bundle))) > 1:
            raise UsageError("WHERE_CONFLICT", "give one of FILES, --spec and --bundle.")
        if files:
            return from_files(files, self.catalog, self.schema, {})
        if self.spec:
            return from_spark_spec(self.spec)
        return self.from_bundle()


@Parameter(name="*", group=_SELECT)
@dataclass(frozen=True, kw_only=True)
class Select:
    """The options that say which tables an update refreshes or resets."""

    refresh: Annotated[tuple[str, ...], option("a,b", "Only these tables.")] = ()
    full_refresh: Annotated[
        tuple[str, ...], option("a,b", "Only these tables, from the start: emptied and read again.")
    ] = ()
    full_refresh_all: Annotated[bool, option(help="All tables, from the start.")] = False
    reset_checkpoint: Annotated[
        tuple[str, ...],
        option("a,b", "Flows that read their sources again; their targets are not emptied."),
    ] = ()
    replace_where: Annotated[
        tuple[str, ...],
        option("FLOW=P", "Predicate of a REPLACE WHERE flow in this update; may be repeated."),
    ] = ()

    def selection(self) -> RefreshSelection:
        """The same for the planner."""
        from local_shim.graph.plan import RefreshSelection

        return RefreshSelection(
            names(self.refresh),
            names(self.full_refresh),
            self.full_refresh_all,
            names(self.reset_checkpoint),
            pairs(self.replace_where, "--replace-where"),
        )


@Parameter(name="*", group=_HOW)
@dataclass(frozen=True, kw_only=True)
class How:
    """The options that place an update on this machine."""

    storage: Annotated[
        Path | None,
        option("DIR", "Folder for tables and progress (default: .dlt-local/<pipeline>)."),
    ] = None
    conf: Annotated[
        tuple[str, ...], option("K=V", "Key of the pipeline's configuration; may be repeated.")
    ] = ()
    param: Annotated[
        tuple[str, ...],
        option("K=V", "Parameter: `:K` in SQL, a widget in notebooks; may be repeated."),
    ] = ()
    path: Annotated[
        tuple[str, ...],
        option(
            "FROM=TO",
            "Folder of this machine for a prefix such as /Volumes/, or for a table of another"
            " catalog; may be repeated.",
        ),
    ] = ()


def request(files: Sequence[str], where: Where, select: Select, how: How) -> Request:
    """All of it as the request for an update."""
    from local_shim.update.request import Request

    configuration, paths = pairs(how.conf, "--conf"), pairs(how.path, "--path")
    spec = where.read(files)
    parameters = {**spec.parameters, **pairs(how.param, "--param")}
    configuration = {**spec.configuration, **configuration}
    spec = replace(spec, configuration=configuration, parameters=parameters)
    storage = how.storage or Path(".dlt-local") / spec.key
    if storage.exists() and not storage.is_dir():
        raise UsageError(
            "STORAGE_NOT_A_FOLDER", f"--storage takes a folder; '{storage}' is a file."
        )
    return Request(spec, storage, select.selection(), paths)


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """The values of a repeated option KEY=VALUE."""
    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError("OPTION_WITHOUT_VALUE", f"{option} takes KEY=VALUE, not '{text}'.")
        values[key] = value
    return values


def names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in comma lists."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def say(text: str) -> None:
    """Prints a result; messages go to standard error instead."""
    print(text, flush=True)  # noqa: T201

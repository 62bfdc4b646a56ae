"""The commands that show an update and its graph: report, graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from local_shim.cli.options import option, say
from local_shim.cli.storages import open_storage
from local_shim.errors import UsageError

if TYPE_CHECKING:  # help must not wait for pyarrow
    from local_shim.report.document import Document
    from local_shim.storage import Storage

_MOST_ROWS = 1_000

AtStorage = Annotated[Path | None, option("DIR", "Default: the only one in .dlt-local.")]
UpdateId = Annotated[
    str | None, option("ID", "Id of an update, or its beginning (default: the newest).")
]
Key = Annotated[str | None, option("KEY", "Only updates of this pipeline.")]


def report(
    *,
    out: Annotated[
        Path | None, option("FILE", "Write it there (default: standard output).")
    ] = None,
    update: UpdateId = None,
    format: Literal["html", "json", "md"] = "html",
    rows: Annotated[
        int, option("N", f"First N rows of each table, as they are now (at most {_MOST_ROWS}).")
    ] = 0,
    pipeline: Key = None,
    storage: AtStorage = None,
) -> None:
    """Show an update as one HTML file, as JSON or as Markdown."""
    from local_shim.report.report_file import report as render
    from local_shim.report.report_file import stored_document, write_report

    opened = open_storage(storage, pipeline, update)
    doc = _with_rows(stored_document(opened, update), opened, rows)
    if out is None:
        say(render(doc, format).rstrip())
        return
    write_report(doc, format, out)
    say(str(out))


def _with_rows(doc: Document, storage: Storage, most: int) -> Document:
    from local_shim.query.first_rows import first_rows
    from local_shim.report.document import published_tables, with_rows

    if not 0 <= most <= _MOST_ROWS:
        raise UsageError("ROWS_OUT_OF_RANGE", f"--rows takes 0 to {_MOST_ROWS}, not {most}.")
    return with_rows(doc, first_rows(storage, published_tables(doc), most)) if most else doc


def graph(
    *,
    update: UpdateId = None,
    format: Literal["mermaid", "dot", "json"] = "mermaid",
    pipeline: Key = None,
    storage: AtStorage = None,
) -> None:
    """Show the graph of a pipeline as its last update planned it."""
    from local_shim.report.graph_formats import dot, graph_json, mermaid
    from local_shim.report.report_file import stored_document

    forms = {"mermaid": mermaid, "dot": dot, "json": graph_json}
    say(forms[format](stored_document(open_storage(storage, pipeline, update), update)))

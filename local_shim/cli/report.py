"""The commands that show an update and its graph: report, graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from local_shim.cli.options import option, say
from local_shim.cli.storages import open_storage

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
    pipeline: Key = None,
    storage: AtStorage = None,
) -> None:
    """Show an update as one HTML file, as JSON or as Markdown; holds no rows of tables."""
    from local_shim.report.report_file import report as render
    from local_shim.report.report_file import stored_document, write_report

    doc = stored_document(open_storage(storage, pipeline, update), update)
    if out is None:
        say(render(doc, format).rstrip())
        return
    write_report(doc, format, out)
    say(str(out))


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

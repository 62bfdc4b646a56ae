"""The report of an update that a storage holds, in one of its formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from local_shim.events.journal import events_until
from local_shim.report.document import Document, document
from local_shim.report.html import html
from local_shim.report.markdown import markdown
from local_shim.storage import Storage

_HISTORY = 20  # updates before this one that a report compares with


def stored_document(storage: Storage, update: str | None = None) -> Document:
    """The document of one update, by default the newest; raises UsageError if there is none."""
    *before, records = events_until(storage, update, _HISTORY)
    return document(records, before)


def report(doc: Document, form: str) -> str:
    """The document in the form `html`, `json` or `md`."""
    return _FORMS[form](doc)


def write_report(doc: Document, form: str, file: Path) -> None:
    """Writes the report to a file; missing folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report(doc, form), encoding="utf-8")


def _json(doc: Document) -> str:
    return json.dumps(doc, indent=2, ensure_ascii=False) + "\n"


_FORMS: dict[str, Callable[[Document], str]] = {"html": html, "json": _json, "md": markdown}

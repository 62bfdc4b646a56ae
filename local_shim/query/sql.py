"""The answer to one SQL statement over a storage."""

from __future__ import annotations

import re

from pyspark.errors import PySparkException

from local_shim.errors import UsageError
from local_shim.events.table import append_waiting_journals
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session
from local_shim.jvm.sql_statement import parse
from local_shim.query.catalog import StorageCatalog
from local_shim.query.render import render
from local_shim.query.rewrite import rewrite
from local_shim.reading.sql_edits.json_paths import with_json_functions
from local_shim.storage import Storage


def answer(storage: Storage, text: str, form: str) -> str:
    """The rows of a statement in the form `table`, `csv` or `json`.

    Raises UsageError with Spark's own words if the statement is wrong, and for one that writes.
    """
    catalog, text = StorageCatalog(storage), with_json_functions(text)
    with pipeline_session(open_session()) as session, own_session(session, {}):
        try:
            statement = parse(session, text)
            append_waiting_journals(session, storage)
            return render(session.sql(rewrite(statement, text, catalog)), form)
        except PySparkException as error:
            if error.getCondition() in _NOT_FOUND:
                unknown = [each for each in statement.mentions if not catalog.folder(each.name)]
                if unknown:
                    raise catalog.not_found(".".join(unknown[0].name)) from None
            raise usage_error(error) from None


_NOT_FOUND = ("TABLE_OR_VIEW_NOT_FOUND", "REQUIRES_SINGLE_PART_NAMESPACE", "SCHEMA_NOT_FOUND")


def usage_error(error: PySparkException) -> UsageError:
    """The error with Spark's own words, without the plan that it prints behind them."""
    condition = error.getCondition() or "SQL"
    text = str(error).split("\n\nJVM stacktrace")[0]
    text = re.split(r";\n['+A-Z]", text)[0]
    return UsageError(condition, text.removeprefix(f"[{condition}] ").strip())

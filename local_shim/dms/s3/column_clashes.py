"""Columns of a file whose names clash: exactly, or but for case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from local_shim.dms.s3.file_schema import FileSchema
from local_shim.errors import UsageError


def tell_clashes(schema: FileSchema, report: Callable[[str], None], *, refuse: bool) -> None:
    """Report names that a reader of the files would confuse.

    Raises:
        UsageError: A rule gives two columns one name, and `refuse` says that nothing is lost yet.
    """
    table = schema.table.full_name
    names = defaultdict(list)
    for column in schema.columns:
        names[column.name.lower()].append(column.name)
    for clash in (group for group in names.values() if len(group) > 1):
        spellings = sorted(set(clash))
        if len(spellings) > 1:
            report(f"{table}: the columns {' and '.join(spellings)} differ in case only")
        elif refuse and schema.plan.columns.count(clash[0]) > 1:
            raise UsageError(
                "DMS_COLUMN_CLASH",
                f"{len(clash)} columns of {table} are renamed to {clash[0]}.",
                hint="give each column a name of its own in the transformation rules",
            )
        else:
            report(f"{table}: its files have {len(clash)} columns named {clash[0]}")

"""Rows as aligned text: what `sql`, `explain` and `dms status` print."""

from __future__ import annotations

from collections.abc import Sequence

import tabulate

tabulate.PRESERVE_WHITESPACE = True  # a value is shown as it is
tabulate.MIN_PADDING = 0  # of headings: columns are no wider than their widest value


def text_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool] = ()
) -> str:
    """Columns under their names, numbers to the right; as wide as the widest values."""
    right = [*numeric, *[False] * (len(columns) - len(numeric))]
    text = tabulate.tabulate(
        rows,
        headers=columns,
        tablefmt="simple",
        disable_numparse=True,
        colalign=["right" if each else "left" for each in right] if rows else None,
    )
    return "\n".join(line.rstrip() for line in text.splitlines())

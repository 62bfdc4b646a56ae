"""Whether a streaming query has anything to read, from names and small files alone.

Starting a query that reads nothing costs as much as a small write, and most tables of a pipeline
have nothing new in most updates. In doubt the answer is yes, and Structured Streaming decides.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from local_shim.delta.log import has_other_rows
from local_shim.engine.reads.sources import StreamSource
from local_shim.engine.streaming.backlog import Listing, newest_number


def has_new_data(
    checkpoint: Path, streams: Sequence[StreamSource], sources: int, listings: Sequence[Listing]
) -> bool:
    """False only if the query has one source, ended its last batch, and nothing came since.

    `listings` are those of the streams of files, in their order.
    """
    last = newest_number(checkpoint / "offsets")
    if last is None or last != newest_number(checkpoint / "commits") or sources != 1:
        return True
    if len(streams) != 1:
        return True
    source = streams[0]
    if source.files is not None:
        return bool(listings[0].unread)
    return _delta_has_more(checkpoint / "offsets" / str(last), Path(source.path))


def _delta_has_more(offsets: Path, table: Path) -> bool:
    """A Delta offset names the version to read next; it is beyond the table if all is read."""
    try:
        offset = json.loads(offsets.read_text().splitlines()[2])
        return offset["index"] >= 0 or has_other_rows(table, offset["reservoirVersion"] - 1)
    except (IndexError, KeyError, ValueError):
        return True

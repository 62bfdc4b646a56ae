"""How many files a micro-batch takes, when both a number and a size limit it."""

from __future__ import annotations

from collections.abc import Sequence

from local_shim.autoloader.options.parse import CloudFilesOptions


def limits(sizes: Sequence[int], options: CloudFilesOptions) -> dict[str, str]:
    """Spark's option for the limits; `sizes` are those of the unread files, in reading order.

    Spark takes a number or a size, not both. Where the size alone never admits too many files
    it is left to Spark; else the number is lowered so far that no batch exceeds the size, but
    for a single file that does so by itself.
    """
    if options.max_bytes is None or not sizes:
        return {"maxFilesPerTrigger": str(options.max_files)}
    fewest, most = _window(sizes, options.max_bytes)
    if most <= options.max_files:
        return {"maxBytesPerTrigger": str(options.max_bytes)}
    return {"maxFilesPerTrigger": str(min(fewest, options.max_files))}


def _window(sizes: Sequence[int], limit: int) -> tuple[int, int]:
    """The fewest and the most consecutive files that fit into the limit, from any start.

    The tail of the list does not count for the fewest: it may be short for want of files.
    """
    fewest, most, start, total = len(sizes), 1, 0, 0
    for end, size in enumerate(sizes):
        total += size
        while total > limit and start < end:
            fewest = min(fewest, end - start)
            total -= sizes[start]
            start += 1
        most = max(most, end - start + 1)
    return fewest, most

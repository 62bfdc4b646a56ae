"""A text for a pickled Python function that is the same in every process.

cloudpickle gives a class that it ships by value a random identifier, and pickles the elements of a
set in the order of their hashes, which differ from process to process.

Read from cloudpickle 3.1 in PySpark 4.2.0: `pyspark/cloudpickle/cloudpickle.py`
(`_get_or_create_tracker_id`).
"""

from __future__ import annotations

import pickletools
import re
from typing import Any

_RANDOM_ID = re.compile(r"'[0-9a-f]{32}'")
_SETS = ("FROZENSET", "ADDITEMS")
_ENDS_OF_MARKS = (*_SETS, "APPENDS", "DICT", "LIST", "POP_MARK", "SETITEMS", "TUPLE")


def stable_text(pickled: bytes) -> str:
    """The operations of a pickle of protocol 4 or 5; elements of sets are sorted.

    A text that comes again is written again, because its first place may be in a set.
    """
    operations: list[str] = []
    memo: list[str] = []
    marks: list[int] = []
    argument: Any
    for opcode, argument, _ in pickletools.genops(pickled):
        name = opcode.name
        if name == "MEMOIZE":
            memo.append(operations[-1])
        elif name in ("BINGET", "LONG_BINGET") and "UNICODE" in memo[argument]:
            operations.append(memo[argument])
        elif name != "FRAME":
            if name == "MARK":
                marks.append(len(operations))
            elif name in _ENDS_OF_MARKS:
                start = marks.pop()
                if name in _SETS:
                    operations[start:] = sorted(operations[start:])
            operations.append(f"{name} {argument!r}")
    identifiers: dict[str, str] = {}
    return _RANDOM_ID.sub(
        lambda match: identifiers.setdefault(match.group(), f"id{len(identifiers)}"),
        "\n".join(operations),
    )

"""Whatever columns, orders and texts files have: every value arrives under its own name."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.local_shim.autoloader.landing_flow import Flow

COLUMNS = ["id", "name", "Straße", "note 1", "a.b", "amount", "_x"]
TEXTS = [
    "",
    " ",
    "x",
    '"',
    '""',
    "a,b",
    "one\ntwo",
    "one\r\ntwo",
    "\\",
    "\\n",
    "ä€😀",
    "N",
    "'",
    "\t",
]

Row = dict[str, str | None]


def field(text: str | None) -> str:
    """A value as DMS writes it, but for the empty text, which DMS cannot tell from null."""
    if text is None:
        return "\\N"
    if text == "" or any(char in text for char in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def some_file(choose: random.Random, end: str, ends: list[str]) -> tuple[str, list[Row]]:
    """A file with some of the columns in any order, and its rows."""
    names = choose.sample(COLUMNS, choose.randint(1, len(COLUMNS)))
    # Where files with CRLF lines are about, Spark's CSV reader turns a quoted CRLF into LF.
    texts = [text for text in TEXTS if ends == ["\n"] or "\r" not in text]
    rows: list[Row] = [
        {name: choose.choice([*texts, None]) for name in names} for _ in range(choose.randint(0, 4))
    ]
    lines = [",".join(map(field, names)), *(",".join(map(field, row.values())) for row in rows)]
    # A line of blanks only is no record to any CSV reader of Spark's.
    lines_with_text = [i for i, line in enumerate(lines) if i == 0 or line.strip(" \t")]
    return end.join([lines[i] for i in lines_with_text]) + end, [
        rows[i - 1] for i in lines_with_text if i > 0
    ]


def counted(rows: list[Row]) -> Counter[tuple[tuple[str, str], ...]]:
    present = [[(name, text) for name, text in row.items() if text is not None] for row in rows]
    return Counter(tuple(sorted(row)) for row in present)


@pytest.mark.dlt(126, 135)
@pytest.mark.parametrize(("seed", "ends"), [(0, ["\n"]), (1, ["\n", "\r\n"])])
def test_every_value_arrives_once_under_its_own_name(
    flow: Flow, seed: int, ends: list[str]
) -> None:
    flow.options.update(multiLine="true", escape='"', nullValue="\\N", emptyValue="")
    flow.options["cloudFiles.maxFilesPerTrigger"] = "25"
    choose = random.Random(seed)
    packed: list[tuple[str, Callable[[bytes], bytes]]] = [
        (".csv", bytes),
        (".csv.gz", gzip.compress),
    ]
    expected: list[Row] = []
    for number in range(40):
        content, rows = some_file(choose, choose.choice(ends), ends)
        suffix, pack = choose.choice(packed)
        flow.land(f"{number:03}{suffix}", pack(content.encode()))
        expected += rows
    flow.run()
    loaded_rows, expected_rows = counted(flow.rows()), counted(expected)
    missing_rows, made_up = (
        list((expected_rows - loaded_rows).elements()),
        list((loaded_rows - expected_rows).elements()),
    )
    assert (missing_rows, made_up) == ([], []), f"seed {seed}"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("csv", "id,text\n1,{long}\n2,short\n"),
        ("json", '{{"id": 1, "text": "{long}"}}\n{{"id": 2, "text": "short"}}\n'),
    ],
)
def test_a_line_of_twenty_megabytes_is_read_whole(flow: Flow, kind: str, content: str) -> None:
    long = "x" * 20 * 2**20
    flow.options["cloudFiles.format"] = kind
    flow.land(f"a.{kind}", content.format(long=long))
    flow.run()
    lengths = {row["id"]: len(row["text"]) for row in flow.rows()}
    assert lengths == {"1": len(long), "2": len("short")}

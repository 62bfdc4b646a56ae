"""Characters of SQL text keep their places in the file, whatever is put in before them."""

from __future__ import annotations

import random

import pytest

from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_text import Edit

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def some_edits(choose: random.Random, length: int) -> list[Edit]:
    """Edits in any order that do not overlap."""
    bounds = sorted(choose.sample(range(length), 6))
    texts = [choose.choice(["", "1", "\n", "12\n345", "1\n\n"]) for _ in range(3)]
    edits = list(map(Edit, bounds[::2], bounds[1::2], texts))
    choose.shuffle(edits)
    return edits


@pytest.mark.parametrize("seed", range(20))
def test_every_letter_keeps_its_place_through_edits_and_parts(seed: int) -> None:
    choose = random.Random(seed)
    source = SourceText("\n".join((LETTERS[:9], LETTERS[9:17], LETTERS[17:])), "a.sql", 5)
    text = source.edited(some_edits(choose, len(source.text)))
    text = text.part(2, len(text.text) - 2)
    text = text.edited(some_edits(choose, len(text.text)))
    for index, letter in enumerate(text.text):
        if letter in LETTERS:
            assert text.location(index) == source.location(source.text.index(letter))


def test_what_is_put_in_stands_where_its_key_stood() -> None:
    text = SourceText("SELECT ${a}, b", "a.sql").edited([Edit(7, 11, "1\n+ 1")])
    assert text.text == "SELECT 1\n+ 1, b"
    assert {str(text.location(index)) for index in range(7, 12)} == {"a.sql:1:8"}


def test_the_end_of_a_part_stands_behind_its_last_character() -> None:
    part = SourceText("SELECT a; SELECT b", "a.sql").part(0, 8)
    assert str(part.location(8)) == "a.sql:1:9"

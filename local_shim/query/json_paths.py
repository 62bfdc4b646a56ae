"""Databricks' `column:path` on a column of JSON text, which Spark 4.2 writes as get_json_object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from local_shim.sql_text import literal

_WORD = re.compile(r"[A-Za-z_]\w*")
_TYPES = (TokenType.STRUCT, TokenType.ARRAY, TokenType.MAP)


def with_json_functions(text: str) -> str:
    """The statement with each `column:a.b[0]` as `get_json_object(column, '$.a.b[0]')`."""
    try:
        tokens = sqlglot.tokenize(text, read="databricks")
    except TokenError:  # a quote that does not end: Spark says so
        return text
    for colon in reversed([*_path_colons(tokens)]):
        first = _first_of_column(tokens, colon)
        path, last = _path(tokens, colon)
        start, end = tokens[first].start, tokens[last].end + 1
        column = text[start : tokens[colon].start]
        text = f"{text[:start]}get_json_object({column}, {literal(path)}){text[end:]}"
    return text


def _path_colons(tokens: Sequence[Token]) -> Iterator[int]:
    """Places of colons between a column and a path; a struct type has colons, too."""
    depth, end = 0, -1
    for place in range(1, len(tokens) - 1):
        before, token, after = tokens[place - 1 : place + 2]
        if token.token_type is TokenType.LT and before.token_type in _TYPES:
            depth += 1
        elif token.token_type is TokenType.GT and depth:
            depth -= 1
        elif not depth and place > end and _is_path_colon(before, token, after):
            yield place
            _, end = _path(tokens, place)


def _is_path_colon(before: Token, token: Token, after: Token) -> bool:
    """Whether a colon joins two names without blanks; a parameter has a name behind it only."""
    joins = token.token_type is TokenType.COLON and before.end + 2 == after.start
    return joins and _is_name(before) and _is_name(after)


def _first_of_column(tokens: Sequence[Token], colon: int) -> int:
    """The place where the column's name begins, with the table before it."""
    first = colon - 1
    while first >= 2 and tokens[first - 1].token_type is TokenType.DOT:
        first -= 2
    return first


def _path(tokens: Sequence[Token], colon: int) -> tuple[str, int]:
    """The path for get_json_object, and the place of its last token."""
    path, place = "$", colon
    while place + 1 < len(tokens):
        sign, token = tokens[place].token_type, tokens[place + 1]
        if sign in (TokenType.COLON, TokenType.DOT) and _is_name(token):
            path += f".{token.text}" if _WORD.fullmatch(token.text) else f"['{token.text}']"
            place += 2
        elif sign is TokenType.L_BRACKET:
            index = token.text if token.token_type is TokenType.NUMBER else f"'{token.text}'"
            path += f"[{index}]"
            place += 3
        else:
            break
    return path, place - 1


def _is_name(token: Token) -> bool:
    return token.token_type is TokenType.IDENTIFIER or bool(_WORD.fullmatch(token.text))

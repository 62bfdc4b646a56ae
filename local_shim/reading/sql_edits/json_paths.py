"""Databricks' `column:path` on a column of JSON text, which Spark 4.2 writes as get_json_object.

Spark has this operator for columns of type VARIANT only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from local_shim.sql_text import Edit, edited, literal, quote


def is_path_on_text(error: Exception) -> bool:
    """Whether Spark refuses a path because its column is no VARIANT.

    Spark 4.2 has no text for this condition: it raises an internal error that names it, which
    PySpark does not convert.
    """
    return "COLUMN_IS_NOT_VARIANT_TYPE" in str(error)


_WORD = re.compile(r"[A-Za-z_]\w*")
_TYPES = (TokenType.STRUCT, TokenType.ARRAY, TokenType.MAP)


def with_json_functions(text: str) -> str:
    """The statement with each `column:a.b[0]` as `get_json_object(column, '$.a.b[0]')`."""
    return edited(text, json_path_edits(text))


def json_path_edits(text: str) -> list[Edit]:
    """The edits that put `get_json_object` in the place of each path; none if a quote is open."""
    try:
        tokens = sqlglot.tokenize(text, read="databricks")
    except TokenError:  # Spark says so
        return []
    edits = []
    for colon in _path_colons(tokens):
        first, (path, last) = _first_of_column(tokens, colon), _path(tokens, colon)
        start, stop = tokens[first].start, tokens[last].end + 1
        column = text[start : tokens[colon].start]
        edits.append(Edit(start, stop, f"get_json_object({column}, {literal(path)})"))
        end = _end_of_item(tokens, first, last)
        if end is not None and _is_name(tokens[last]):
            edits.append(Edit(end, end, f" AS {quote(tokens[last].text)}"))
    return edits


def _end_of_item(tokens: Sequence[Token], first: int, last: int) -> int | None:
    """Where an item of a select list ends that is a path or its cast, and has no name."""
    behind = last + 1
    if _type_at(tokens, behind) is TokenType.DCOLON:
        behind += 2
        if _type_at(tokens, behind) is TokenType.L_PAREN:
            types = [token.token_type for token in tokens]
            behind = types.index(TokenType.R_PAREN, behind) + 1
    ends = _type_at(tokens, behind) in (None, *_AFTER_ITEM)
    return tokens[behind - 1].end + 1 if ends and _begins_item(tokens, first) else None


_BEFORE_ITEM = (TokenType.SELECT, TokenType.DISTINCT, TokenType.COMMA)
_AFTER_ITEM = (TokenType.COMMA, TokenType.FROM, TokenType.R_PAREN)


def _begins_item(tokens: Sequence[Token], place: int) -> bool:
    """Whether an item of a select list begins here, and no argument of a function."""
    depth = 0
    if _type_at(tokens, place - 1) not in _BEFORE_ITEM:
        return False
    for token in reversed(tokens[:place]):
        depth += (token.token_type is TokenType.R_PAREN) - (token.token_type is TokenType.L_PAREN)
        if depth < 0 or (depth == 0 and token.token_type is TokenType.FROM):
            return False
        if depth == 0 and token.token_type is TokenType.SELECT:
            return True
    return False


def _type_at(tokens: Sequence[Token], place: int) -> TokenType | None:
    return tokens[place].token_type if 0 <= place < len(tokens) else None


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

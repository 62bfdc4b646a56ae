"""The tokens of SQL text, as sqlglot's tokenizer of the Databricks dialect finds them.

A tokenizer knows quotes, comments and semicolons inside of text; a regular expression does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token as SqlglotToken
from sqlglot.tokenizer_core import TokenType

from local_shim.errors import DefinitionError
from local_shim.graph.elements import SourceLocation
from local_shim.sql_sources.grammar.source_text import SourceText

_WORD = re.compile(r"\S+")


class TokenKind(Enum):
    """What a token is to the reader of clauses."""

    NAME = "name in backquotes"
    TEXT = "text in quotes"
    OTHER = "word, number or sign"


@dataclass(frozen=True)
class Token:
    """A token; it stands from `start` up to `stop`. `text` has no quotes."""

    kind: TokenKind
    text: str
    start: int
    stop: int

    def is_word(self, word: str) -> bool:
        """Whether it is this keyword or sign."""
        return self.kind is TokenKind.OTHER and self.text.upper() == word


_KINDS = {
    TokenType.IDENTIFIER: TokenKind.NAME,
    TokenType.STRING: TokenKind.TEXT,
    TokenType.RAW_STRING: TokenKind.TEXT,
}


def tokens(source: SourceText) -> list[Token]:
    """All tokens but comments; DefinitionError for a quote or a comment that does not end."""
    try:
        sqlglot_tokens = sqlglot.tokenize(source.text, read="databricks")
    except TokenError as error:
        raise DefinitionError(
            "PARSE_SYNTAX_ERROR",
            "the SQL text ends inside of a quote or a comment.",
            where=_line_of_open_quote(source),
            hint="close it",
        ) from error
    return [token for each in sqlglot_tokens for token in _split(each, source.text)]


def _line_of_open_quote(source: SourceText) -> SourceLocation:
    """The line behind the longest beginning, of whole lines, in which nothing is open."""
    lines = source.text.splitlines(keepends=True)
    beginnings = ("".join(lines[:count]) for count in range(len(lines) - 1, 0, -1))
    return source.line(next((len(each) for each in beginnings if _is_closed(each)), 0))


def _is_closed(text: str) -> bool:
    try:
        sqlglot.tokenize(text, read="databricks")
    except TokenError:
        return False
    return True


def statements(source: SourceText) -> Iterator[list[Token]]:
    """The tokens of each statement; empty statements are left out."""
    statement: list[Token] = []
    for token in tokens(source):
        if not token.is_word(";"):
            statement.append(token)
        elif statement:
            yield statement
            statement = []
    if statement:
        yield statement


def _split(token: SqlglotToken, text: str) -> Iterator[Token]:
    """Sqlglot joins some keywords (CLUSTER BY); here each word is a token."""
    kind = _KINDS.get(token.token_type, TokenKind.OTHER)
    if kind is not TokenKind.OTHER:
        yield Token(kind, token.text, token.start, token.end + 1)
        return
    for match in _WORD.finditer(text, token.start, token.end + 1):
        yield Token(kind, match.group(), match.start(), match.end())

"""Puts values of the configuration and of parameters into SQL text: `${key}` and `:name`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

from local_shim.errors import DefinitionError, close_match
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_sources.grammar.tokens import Token, TokenKind, tokens
from local_shim.sql_text import Edit, literal

_KEY = re.compile(r"\$\{([^{}\s]+)\}")
_SPARKS_OWN = ("env:", "system:")


def keys_in(source: SourceText) -> set[str]:
    """The keys and parameters that a text names."""
    parameters = {source.text[start + 1 : stop] for start, stop in _parameters(source)}
    return {match.group(1) for match in _KEY.finditer(source.text)} | parameters


def with_configuration(source: SourceText, values: Mapping[str, str]) -> SourceText:
    """The text with the value of each `${key}`, also inside of quotes, but not in comments.

    Raises DefinitionError for a key that has no value.
    """
    every = tokens(source)

    def value(match: re.Match[str]) -> str:
        key, start = match.group(1), match.start()
        in_comment = not any(token.start <= start < token.stop for token in every)
        if in_comment or key.startswith(_SPARKS_OWN):
            return match.group(0)
        if key not in values:
            raise DefinitionError(
                "CONFIGURATION_KEY_NOT_SET",
                f"the configuration has no key '{key}'.",
                where=source.location(match.start()),
                hint=close_match(key, values) or f"set it: --conf {key}=VALUE",
            )
        return str(values[key])

    matches = _KEY.finditer(source.text)
    return source.edited(Edit(each.start(), each.end(), value(each)) for each in matches)


def with_parameters(source: SourceText, values: Mapping[str, str]) -> SourceText:
    """The text with a text literal for each `:name`; DefinitionError for one without a value."""
    edits = []
    for start, stop in _parameters(source):
        name = source.text[start + 1 : stop]
        if name not in values:
            raise DefinitionError(
                "UNBOUND_SQL_PARAMETER",
                f"the parameter ':{name}' has no value.",
                where=source.location(start),
                hint=close_match(name, values) if values else f"give it: --param {name}=VALUE",
            )
        edits.append(Edit(start, stop, literal(values[name])))
    return source.edited(edits)


def _parameters(source: SourceText) -> Iterator[tuple[int, int]]:
    """Where parameters stand: a colon and a word, without a name before them (`a:b` is a path)."""
    before: Token | None = None
    pairs = tokens(source)
    for token, following in itertools.pairwise(pairs):
        joined = before is not None and before.stop == token.start and _is_operand(before)
        word = following.kind is TokenKind.OTHER and following.text.isidentifier()
        if token.is_word(":") and word and following.start == token.stop and not joined:
            yield token.start, following.stop
        before = token


def _is_operand(token: Token) -> bool:
    return token.kind is not TokenKind.OTHER or token.text[-1:].isalnum() or token.text in ")]"

"""Reads the clauses of one statement, token by token."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from local_shim.errors import DefinitionError, close_match
from local_shim.graph.names import parts
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_sources.grammar.tokens import Token, TokenKind

Words = tuple[str, ...]
_AFTER_CREATE = ("OR", "STREAMING", "LIVE", "MATERIALIZED", "TEMPORARY", "FLOW", "PRIVATE")
_SEMICOLON = "end the statement before it with a semicolon"


class Reader:
    """The tokens of a statement, or of a part of it, and the position among them."""

    def __init__(self, source: SourceText, tokens: Sequence[Token], constant: Callable[[str], str]):
        """`constant` computes the text that IDENTIFIER(…) takes."""
        self.source = source
        self.constant = constant
        self.closing = 0  # where the parentheses around these tokens end
        self._tokens = list(tokens)
        self._next = 0

    # --- keywords

    def at(self, *words: str) -> bool:
        """Whether these keywords come next."""
        following = self._tokens[self._next : self._next + len(words)]
        return len(following) == len(words) and all(
            token.is_word(word) for token, word in zip(following, words, strict=True)
        )

    def accept(self, *words: str) -> bool:
        """Moves behind these keywords if they come next."""
        if not self.at(*words):
            return False
        self._next += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Moves behind these keywords; raises DefinitionError if others come."""
        for count, word in enumerate(words):
            if not self.accept(word):
                text = " ".join(words[count:])
                raise self.error(f"{text} is expected, not {self._next_text()}.")

    def accept_any(self, phrases: Sequence[Words]) -> Words | None:
        """Moves behind the first of these phrases that comes next."""
        return next((words for words in phrases if self.accept(*words)), None)

    @property
    def ended(self) -> bool:
        """Whether no token is left."""
        return self._next >= len(self._tokens)

    def holds(self, word: str) -> bool:
        """Whether this keyword comes anywhere in the rest."""
        return any(token.is_word(word) for token in self._tokens[self._next :])

    def at_text(self) -> bool:
        """Whether a text in quotes comes next."""
        return not self.ended and self._tokens[self._next].kind is TokenKind.TEXT

    def restarted(self) -> Reader:
        """A reader of the same tokens from the first one on."""
        return self._part(0, len(self._tokens))

    # --- values

    def name(self) -> str:
        """A name of one to three parts as it is written, or the value of IDENTIFIER(…)."""
        if self.accept("IDENTIFIER"):
            return self.constant(str(self.parenthesized().rest()))
        start = self._next
        self._identifier()
        while self.accept("."):
            self._identifier()
        return self._text_of(start, self._next).text

    def column(self) -> str:
        """The name of a column, without its quotes."""
        name = self.name()
        names = parts(name)
        if len(names) != 1:
            raise self.error(f"a column name is expected, not '{name}'.")
        return names[0]

    def only_column(self) -> str:
        """The name of a column, behind which nothing follows."""
        name = self.column()
        self.end()
        return name

    def columns(self) -> list[str]:
        """The column names of a list, in parentheses or without."""
        if not self.at("("):
            names = [self.column()]
            while self.accept(","):
                names.append(self.column())
            return names
        items = self.items()
        if not items:
            raise self.error("the list of columns is empty.")
        return [item.only_column() for item in items]

    def text(self) -> str:
        """A text literal."""
        if not self.at_text():
            raise self.error(f"a text in quotes is expected, not {self._next_text()}.")
        self._next += 1
        return self._tokens[self._next - 1].text

    def literal(self) -> str:
        """A text, a number, TRUE or FALSE, as the text that a property takes."""
        if self.at_text():
            return self.text()
        sign = "-" if self.accept("-") else ""
        word = self.word()
        return word.lower() if word.upper() in ("TRUE", "FALSE") else sign + word

    @property
    def next_word(self) -> str:
        """The next token as it is written; the reader stays before it."""
        return "" if self.ended else self._tokens[self._next].text

    def word(self) -> str:
        """One token as it is written."""
        if self.ended:
            raise self.error("the statement ends too early.")
        self._next += 1
        return self._tokens[self._next - 1].text

    def parenthesized(self) -> Reader:
        """A reader of what stands in the parentheses that come next."""
        if not self.at("("):
            raise self.error(f"( is expected, not {self._next_text()}.")
        start = self._next + 1
        self._next = self._closing(self._next) + 1
        inner = self._part(start, self._next - 1)
        inner.closing = self._tokens[self._next - 1].stop
        return inner

    def items(self) -> list[Reader]:
        """Readers of the items of a list in parentheses."""
        return self.parenthesized().separated()

    def separated(self) -> list[Reader]:
        """Readers of the rest, cut at its commas."""
        if self.ended:
            return []
        ends = [self._next - 1, *self._commas(), len(self._tokens)]
        pairs = list(itertools.pairwise(ends))
        empty = next((stop for start, stop in pairs if stop == start + 1), None)
        if empty is not None:
            self._next = min(empty, len(self._tokens) - 1)
            raise self.error("an item of the list is empty.", "take out the comma")
        self._next = len(self._tokens)
        return [self._part(start + 1, stop) for start, stop in pairs]

    def until(self, phrases: Sequence[Words]) -> SourceText:
        """The text up to the first of these phrases outside of parentheses, or to the end."""
        start = self._next
        while not self.ended and not any(self.at(*words) for words in phrases):
            self._next = (self._closing(self._next) if self.at("(") else self._next) + 1
        if self._next == start:
            raise self.error(f"an expression is expected, not {self._next_text()}.")
        return self._text_of(start, self._next)

    def query(self) -> SourceText:
        """The rest, a query; raises DefinitionError if another statement begins in it."""
        start = self._next
        while not self.ended:
            if any(self.at("CREATE", word) for word in _AFTER_CREATE):
                raise self.error("a statement begins inside of another one.", _SEMICOLON)
            self._next += 1
        self._next = start
        return self.rest()

    def rest(self) -> SourceText:
        """The text up to the end of the statement."""
        if self.ended:
            raise self.error("the statement ends too early.")
        start, self._next = self._next, len(self._tokens)
        return self._text_of(start, self._next)

    # --- errors

    def end(self, allowed: Sequence[str] = ()) -> None:
        """Raises DefinitionError if something is left."""
        if not self.ended:
            word = self.next_word.upper()
            hint = close_match(word, allowed) if allowed else ""
            if word in allowed:
                hint = f"the clause {word} … is incomplete"
            if self.at("CREATE") or self.at("APPLY", "CHANGES"):
                hint = _SEMICOLON
            raise self.error(f"{self._next_text()} is not expected here.", hint)

    def error(self, message: str, hint: str = "") -> DefinitionError:
        """An error at the next token, or at the end of the statement."""
        token = self._tokens[min(self._next, len(self._tokens) - 1)] if self._tokens else None
        place = token.start if token else 0
        where = self.source.location(place)
        return DefinitionError("PARSE_SYNTAX_ERROR", message, where=where, hint=hint)

    def _next_text(self) -> str:
        if self.ended:
            return "the end of the statement"
        token = self._tokens[self._next]
        return f"'{self.source.text[token.start : token.stop]}'"

    # --- tokens

    def _identifier(self) -> None:
        token = None if self.ended else self._tokens[self._next]
        if token is None or not _is_identifier(token):
            raise self.error(f"a name is expected, not {self._next_text()}.")
        self._next += 1

    def _closing(self, opening: int) -> int:
        depth = 0
        for index in range(opening, len(self._tokens)):
            token = self._tokens[index]
            depth += token.is_word("(") - token.is_word(")")
            if depth == 0:
                return index
        raise self.error("this parenthesis is not closed.")

    def _commas(self) -> Iterator[int]:
        index = self._next
        while index < len(self._tokens):
            if self._tokens[index].is_word("("):
                index = self._closing(index)
            elif self._tokens[index].is_word(","):
                yield index
            index += 1

    def _part(self, start: int, stop: int) -> Reader:
        return Reader(self.source, self._tokens[start:stop], self.constant)

    def _text_of(self, start: int, stop: int) -> SourceText:
        first, last = self._tokens[start], self._tokens[stop - 1]
        return self.source.part(first.start, last.stop)


def _is_identifier(token: Token) -> bool:
    plain = token.text.replace("_", "a").isalnum()
    return token.kind is TokenKind.NAME or (token.kind is TokenKind.OTHER and plain)

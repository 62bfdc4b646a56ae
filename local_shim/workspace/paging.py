"""Pages of a list, and the token that leads to the next one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from local_shim.workspace.api_error import wrong_value

T = TypeVar("T")
Query = Mapping[str, Sequence[str]]

_TOKEN = "page_token"


def criteria(query: Query) -> dict[str, list[str]]:
    """The criteria of a list: those of the query, or those in the token of an earlier page.

    A client may repeat the criteria with the token; raises ApiError if they differ.
    """
    repeated = {name: list(values) for name, values in query.items() if name != _TOKEN}
    if _TOKEN not in query:
        return repeated
    first: dict[str, list[str]] = _decoded(query[_TOKEN][0])["criteria"]
    for name, values in repeated.items():
        if first.get(name) != values:
            raise wrong_value(f"{name} differs from that of the page before.")
    return first


def one_page(
    items: Iterable[T], identity: Callable[[T], str], query: Query, largest: int
) -> tuple[list[T], dict[str, str]]:
    """One page of `items`, and `next_page_token` if more follow.

    A token names the last item of its page, so items that appear before it shift nothing.
    """
    page_criteria = criteria(query)
    size = _size(page_criteria, largest)
    rest = iter(items)
    if _TOKEN in query:
        _skip(rest, identity, _decoded(query[_TOKEN][0])["last"])
    page = list(islice(rest, size + 1))
    if len(page) <= size:
        return page, {}
    token = {"criteria": page_criteria, "last": identity(page[size - 1])}
    text = base64.urlsafe_b64encode(json.dumps(token).encode()).decode()
    return page[:size], {"next_page_token": text}


def _skip(items: Iterator[T], identity: Callable[[T], str], last: str) -> None:
    if not any(identity(item) == last for item in items):
        raise wrong_value("page_token: its page is not in the list any more.")


def _size(page_criteria: Query, largest: int) -> int:
    text = page_criteria.get("max_results", ["25"])[0]
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise wrong_value(f"max_results is a number from 1 to {largest}, not '{text}'.")
    return int(text)


def _decoded(token: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.encode()))
        if set(content) == {"criteria", "last"}:
            return content
    except ValueError:
        pass
    raise wrong_value("page_token was not issued by this server.")

"""Declarations of expectations, below or above the decorator of the dataset they are for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pyspark.sql import Column, SparkSession

from local_shim.declaring.arguments import arguments_checked, fault, missing_texts
from local_shim.errors import ShimError, raise_all
from local_shim.graph.elements import Action, Dataset, Expectation
from local_shim.graph.registry import active_registry
from local_shim.jvm.spark_parser import check_expression, parser_reason

_RULES = "_dlt_local_rules"


Constraint = str | Column
Rules = Mapping[str, Constraint]
Decorator = Callable[[Any], Any]


@arguments_checked
def expect(name: str, inv: Constraint) -> Decorator:
    """Counts the rows for which the rule is not true, and keeps them."""
    return _one("expect", name, inv, Action.WARN)


@arguments_checked
def expect_or_drop(name: str, inv: Constraint) -> Decorator:
    """Counts the rows for which the rule is not true, and leaves them out."""
    return _one("expect_or_drop", name, inv, Action.DROP)


@arguments_checked
def expect_or_fail(name: str, inv: Constraint) -> Decorator:
    """Fails the flow, and writes nothing, if the rule is not true for a row."""
    return _one("expect_or_fail", name, inv, Action.FAIL)


@arguments_checked
def expect_all(expectations: Rules) -> Decorator:
    """`expect` for each name and rule."""
    return _all("expect_all", expectations, Action.WARN)


@arguments_checked
def expect_all_or_drop(expectations: Rules) -> Decorator:
    """`expect_or_drop` for each name and rule."""
    return _all("expect_all_or_drop", expectations, Action.DROP)


@arguments_checked
def expect_all_or_fail(expectations: Rules) -> Decorator:
    """`expect_or_fail` for each name and rule."""
    return _all("expect_all_or_fail", expectations, Action.FAIL)


class Declared:
    """A declared dataset in the place of its function; further decorators can add rules to it."""

    def __init__(self, query: Callable[[], Any], dataset: Dataset):
        self.query = query
        self.dataset = dataset
        self.__doc__ = query.__doc__


def _one(function: str, name: str, inv: Constraint, action: Action) -> Decorator:
    faults = list(missing_texts(function, name=name))
    if not isinstance(inv, str | Column):
        hint = f"{function}('known id', 'id IS NOT NULL')"
        faults.append(fault(function, "MISSING_ARGUMENT", "the rule is missing.", hint))
    raise_all(faults)
    return _adding(function, rules_in({name: inv}, action))


def _all(function: str, rules: Rules, action: Action) -> Decorator:
    if not isinstance(rules, Mapping):
        hint = "{'known id': 'id IS NOT NULL'}"
        message = f"it takes a dict of names and rules, not {rules!r}."
        raise fault(function, "INVALID_ARGUMENT_TYPE", message, hint)
    return _adding(function, rules_in(rules, action))


def _adding(function: str, rules: tuple[Expectation, ...]) -> Decorator:
    """The decorator that adds rules to a query, or to the dataset that was declared of it."""

    def add(decorated: Any) -> Any:
        if isinstance(decorated, Declared):
            _add_rules(decorated.dataset, rules)
            return decorated
        if not callable(decorated):
            raise fault(
                function,
                "EXPECTATION_ON_NO_DATASET",
                "an expectation must decorate a dataset function.",
                "put it below @dlt.table or @dlt.view",
            )
        return _ruled(decorated, rules)

    return add


def _ruled(query: Callable[[], Any], rules: tuple[Expectation, ...]) -> Callable[[], Any]:
    """A query of its own with the rules, for one function may be the query of many datasets."""

    @functools.wraps(query)
    def ruled() -> Any:
        return query()

    setattr(ruled, _RULES, rules + rules_on(query))
    return ruled


def rules_on(query: Callable[[], Any]) -> tuple[Expectation, ...]:
    """The rules that were put on a query, the uppermost first."""
    rules: tuple[Expectation, ...] = getattr(query, _RULES, ())
    return rules


def rules_in(rules: Rules | None, action: Action) -> tuple[Expectation, ...]:
    """The rules of a dict, each with what happens to rows that break it.

    Raises DefinitionErrors for rules that are no SQL expressions.
    """
    raise_all(list(_unreadable(rules or {})))
    return tuple(Expectation(name, rule, action) for name, rule in (rules or {}).items())


def _unreadable(rules: Rules) -> Iterator[ShimError]:
    session = SparkSession.getActiveSession()
    for name, rule in rules.items():
        if isinstance(rule, str) and session is not None:
            try:
                check_expression(session, rule)
            except Exception as error:  # PySpark wraps the parser's error in several ways
                message = f"'{rule}' is no SQL expression: {parser_reason(error)}"
                hint = "write a condition on the columns, such as id IS NOT NULL"
                yield fault(f"expectation '{name}'", "PARSE_SYNTAX_ERROR", message, hint)


def check_names(dataset: Dataset) -> None:
    """Raises DefinitionError if two rules of a dataset have one name."""
    names = [rule.name for rule in dataset.expectations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise fault(
            str(dataset.name),
            "DUPLICATE_EXPECTATION",
            f"it has more than one expectation named {', '.join(twice)}.",
            "names of expectations are unique within a dataset",
        )


def _add_rules(declared: Dataset, rules: tuple[Expectation, ...]) -> None:
    registry = active_registry()
    dataset = registry.datasets[declared.name]
    dataset = replace(dataset, expectations=rules + dataset.expectations)
    registry.replace_dataset(dataset)
    check_names(dataset)

"""The columns of a file, and a row put into their order.

Op, timestamp, the source's columns, columns added by rules, before-image columns.

[choice] Added columns are ordered by rule-id. Before images hold the key on every U and D, changed
or not. CdcInsertsAndUpdates without IncludeOpForFullLoad has no Op column.

[choice] $AR_H_STREAM_POSITION is the row's own position in the WAL, `%08X/%08X`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from local_shim.dms.s3.conversions import UnfitValue
from local_shim.dms.s3.type_rules import (
    ValueRules,
    converter,
    is_ordinary,
    limiter,
    ordinary_converter,
)
from local_shim.dms.settings.expression import ChangeHeader, ColumnReference, Literal, Term
from local_shim.dms.settings.mapping import TablePlan
from local_shim.dms.settings.s3_target import S3Settings
from local_shim.dms.source.catalog import CatalogTable
from local_shim.dms.source.types import ColumnType, Kind
from local_shim.errors import UsageError

Fields = list[bytes | None]
_STRING = ColumnType(Kind.STRING)
_WORDS = {"I": b"INSERT", "U": b"UPDATE", "D": b"DELETE"}
_LETTERS = {"I": b"I", "U": b"U", "D": b"D"}


class Facts(NamedTuple):
    """What is known of a row beside its values."""

    stamp: bytes  # the timestamp column
    sequence: bytes = b""
    position: bytes = b""


@dataclass(frozen=True)
class FileColumn:
    """A column of a file."""

    name: str
    type: ColumnType
    required: bool = False


Extra = Callable[[str, Sequence[bytes | None], Facts], bytes | None]
OnUnfitValue = Callable[[str, UnfitValue, Sequence[bytes | None]], None]


class FileSchema:
    """The columns of one version of one table in one kind of file; rows are built by `row`."""

    def __init__(
        self,
        table: CatalogTable,
        types: Sequence[ColumnType],
        plan: TablePlan,
        settings: S3Settings,
        rules: ValueRules,
        *,
        load: bool,
    ):
        self.table = table
        self.plan = plan
        self._rules = rules
        self._types = types
        self.is_csv = settings.parquet is None or (settings.preserve_transactions and not load)
        self._op = has_op(settings, load=load)
        self._stamp = bool(settings.timestamp_column)
        self._names = settings.preserve_transactions and not load
        self._selected = [i for i, name in enumerate(plan.columns) if name is not None]
        self._all_selected = len(self._selected) == len(table.columns)
        self._index = {column.name: i for i, column in enumerate(table.columns)}
        self._extras = [self._extra(rule.terms) for rule in plan.added]
        self._key = [self._index[name] for name in table.key if name in self._index]
        self._before = self._key if plan.before_image else []
        self._converters = [converter(type_, rules, csv=self.is_csv) for type_ in types]
        self._conversions = [
            (place, convert)
            for place, i in enumerate(self._selected)
            if (convert := ordinary_converter(types[i], rules, csv=self.is_csv)) is not None
        ]
        self.columns = self._file_columns(settings)

    @property
    def header(self) -> Fields:
        """The column names, as a CSV file's first line holds them."""
        return [field.name.encode() for field in self.columns]

    def row(
        self,
        op: str,
        values: Sequence[bytes | None],
        old: Sequence[bytes | None] | None,
        facts: Facts,
        raw: bytes | None,
        on_unfit: OnUnfitValue,
    ) -> Fields:
        """The fields of one row; `raw` holds all its values, None if they were looked up.

        Values that DMS's types cannot hold are passed to `on_unfit` and replaced.
        """
        if raw is None or not is_ordinary(raw, self._rules):
            return self._careful_row(op, values, old, facts, on_unfit)
        fields = list(values) if self._all_selected else [values[i] for i in self._selected]
        try:
            for place, convert in self._conversions:
                value = fields[place]
                if value is not None:
                    fields[place] = convert(value)
        except UnfitValue:
            return self._careful_row(op, values, old, facts, on_unfit)
        return self._assemble(op, values, old, facts, fields)

    def _careful_row(
        self,
        op: str,
        values: Sequence[bytes | None],
        old: Sequence[bytes | None] | None,
        facts: Facts,
        on_unfit: OnUnfitValue,
    ) -> Fields:
        fields: Fields = []
        for i in self._selected:
            fitted = values[i]
            if fitted is not None:
                fitted = self._fit(i, fitted, values, on_unfit)
            fields.append(fitted)
        return self._assemble(op, values, old, facts, fields)

    def _fit(
        self, i: int, value: bytes, values: Sequence[bytes | None], on_unfit: OnUnfitValue
    ) -> bytes | None:
        limit, convert = limiter(self._types[i], self._rules), self._converters[i]
        try:
            value = convert(value) if convert else value
            return limit(value) if limit else value
        except UnfitValue as unfit:
            on_unfit(self.table.columns[i].name, unfit, values)
            return unfit.replacement

    def _assemble(
        self,
        op: str,
        values: Sequence[bytes | None],
        old: Sequence[bytes | None] | None,
        facts: Facts,
        fields: Fields,
    ) -> Fields:
        front: Fields = [_LETTERS[op]] if self._op else []
        if self._names:
            front += [self.plan.table.encode(), self.plan.schema.encode()]
        if self._stamp:
            front.append(facts.stamp)
        front += fields
        for extra in self._extras:
            front.append(extra(op, values, facts))
        if self._before:
            front += self._before_image(op, values if old is None else old)
        return front

    def _before_image(self, op: str, values: Sequence[bytes | None]) -> Fields:
        if op == "I":
            return [None] * len(self._before)
        return [self._printed(i, values) for i in self._before]

    def _printed(self, i: int, values: Sequence[bytes | None]) -> bytes | None:
        value, convert = values[i], self._converters[i]
        try:
            return convert(value) if convert and value is not None else value
        except UnfitValue as unfit:  # already reported for the column itself
            return unfit.replacement

    def _extra(self, terms: Sequence[Term]) -> Extra:
        parts = [self._term(term) for term in terms]
        if len(parts) == 1:
            return parts[0]

        def joined(op: str, values: Sequence[bytes | None], facts: Facts) -> bytes | None:
            texts = [part(op, values, facts) for part in parts]
            return None if None in texts else b"".join(text for text in texts if text is not None)

        return joined

    def _term(self, term: Term) -> Extra:
        if isinstance(term, Literal):
            text = term.text.encode()
            return lambda op, values, facts: text
        if isinstance(term, ChangeHeader):
            return self._header_term(term.name)
        return self._column_term(term)

    def _column_term(self, term: ColumnReference) -> Extra:
        if term.name not in self._index:
            raise UsageError(
                "DMS_EXPRESSION_COLUMN",
                f"An add-column rule uses ${term.name}, which {self.table.full_name} lacks.",
                hint="columns: " + ", ".join(self._index),
            )
        i = self._index[term.name]
        return lambda op, values, facts: self._printed(i, values)

    def _header_term(self, name: str) -> Extra:
        schema, table = self.table.schema.encode(), self.table.name.encode()
        headers: dict[str, Extra] = {
            "AR_H_CHANGE_SEQ": lambda op, values, facts: facts.sequence,
            "AR_H_STREAM_POSITION": lambda op, values, facts: facts.position,
            "AR_H_TIMESTAMP": lambda op, values, facts: facts.stamp,
            "AR_H_COMMIT_TIMESTAMP": lambda op, values, facts: facts.stamp,
            "AR_H_OPERATION": lambda op, values, facts: _WORDS[op],
            "AR_M_SOURCE_SCHEMA": lambda op, values, facts: schema,
            "AR_M_SOURCE_TABLE_NAME": lambda op, values, facts: table,
        }
        return headers[name]

    def _file_columns(self, settings: S3Settings) -> tuple[FileColumn, ...]:
        fields = [FileColumn("Op", _STRING)] if self._op else []
        if self._names:
            fields += [FileColumn("table_name", _STRING), FileColumn("schema_name", _STRING)]
        if self._stamp:
            fields.append(FileColumn(settings.timestamp_column, _STRING, required=True))
        fields += [FileColumn(self.plan.columns[i] or "", self._types[i]) for i in self._selected]
        for rule in self.plan.added:
            kind = Kind.TIMESTAMP if rule.type == "datetime" else Kind.STRING
            fields.append(FileColumn(rule.name, ColumnType(kind)))
        if image := self.plan.before_image:
            for i in self._before:
                name = self.plan.columns[i] or self.table.columns[i].name
                fields.append(FileColumn(f"{image.prefix}{name}{image.suffix}", self._types[i]))
        return tuple(fields)


def has_op(settings: S3Settings, *, load: bool) -> bool:
    """Whether files have an `Op` column (user guide, S3 target, table of IncludeOpForFullLoad)."""
    if load or settings.inserts_only or settings.inserts_and_updates:
        return settings.include_op
    return True

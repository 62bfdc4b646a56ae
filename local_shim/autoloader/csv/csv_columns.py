"""A streaming frame over CSV files of any headers, by column name.

Spark's own CSV reader splits records into fields; which field is which column is decided here.
If all unread files share one header, Spark itself compares every file it opens with it, so that
a file with another header fails the stream instead of landing in wrong columns. If there are
several, fields are read by position and each file's header, known from planning, names them; a
file that planning has not seen then fails the stream too.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from local_shim.autoloader import rescue
from local_shim.autoloader.csv.header_groups import HeaderGroups
from local_shim.autoloader.csv.title_lines import frame_below_titles
from local_shim.autoloader.files.bad_records import with_accepted
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.partitions import partition_value
from local_shim.autoloader.rescue import FILE_VERSION
from local_shim.autoloader.schema import StreamColumns, unknown_file_error_sql
from local_shim.autoloader.source_folder import SourceFolder
from local_shim.sql_text import literal, quote

_CORRUPT = "__corrupt"
_GROUP = "__group"
# Options that Spark's reader must not get, as this module follows them itself.
_STREAM_OPTIONS = {
    "badrecordspath",
    "columnnameofcorruptrecord",
    "columnpruning",
    "dateformat",
    "enforceschema",
    "header",
    "inferschema",
    "mergeschema",
    "mode",
    "skiprows",
    "timestampformat",
    "timestampntzformat",
}


def csv_frame(
    folder: SourceFolder,
    expected: StreamColumns,
    header_groups: HeaderGroups,
    *,
    line_feeds: bool,
) -> DataFrame:
    """The stream of records with the expected columns.

    With `line_feeds` no file ends its lines with CRLF. Spark then does not detect line ends, and a
    CRLF inside quotes stays what it is; else it becomes a line feed.
    """
    plan = _CsvPlan(folder, expected, header_groups)
    settings = plan.reader_options()
    if line_feeds and plan.has_header and folder.options.flag("multiline"):
        settings = {"lineSep": "\n", **settings}
    if folder.options.skip_rows or _has_wide_signs(folder.options):
        frame = frame_below_titles(folder, plan.source_schema(), plan.reader_options())
    else:
        frame = folder.load("csv", plan.source_schema(), settings)
    if not plan.one_header:
        frame = frame.selectExpr("*", f"{plan.group()} AS {_GROUP}").where(f"{_GROUP} >= 0")
    return with_accepted(frame, folder.options, plan.broken()).selectExpr(*plan.columns())


def _has_wide_signs(options: CloudFilesOptions) -> bool:
    """Whether lines cannot be told by their bytes, as Spark's reader of single lines does."""
    encoding = options.get("encoding") or options.get("charset")
    return encoding.upper().startswith(("UTF-16", "UTF-32")) and not options.flag("multiline")


@dataclass(frozen=True)
class _CsvPlan:
    """The SQL texts of one CSV stream."""

    folder: SourceFolder
    expected: StreamColumns
    header_groups: HeaderGroups

    @property
    def options(self) -> CloudFilesOptions:
        return self.folder.options

    @property
    def one_header(self) -> bool:
        return len(self.header_groups.groups) == 1 and self.header_groups.groups[0].header.plain

    @property
    def has_header(self) -> bool:
        return self.options.flag("header")

    def reader_options(self) -> dict[str, str]:
        settings = self.options.reader_without(_STREAM_OPTIONS)
        return {
            **settings,
            "header": str(self.has_header).lower(),
            "enforceSchema": str(not (self.one_header and self.has_header)).lower(),
            "columnPruning": "false",  # else a record's field count is not checked
            "mode": "PERMISSIVE",
            "columnNameOfCorruptRecord": _CORRUPT,
        }

    def source_schema(self) -> str:
        return ", ".join(f"{quote(field)} STRING" for field in (*self._fields(), _CORRUPT))

    def _fields(self) -> tuple[str, ...]:
        if self.one_header:
            return self.header_groups.groups[0].header.names
        return tuple(f"__{i}" for i in range(self.header_groups.width))

    def group(self) -> str:
        """The number of the row's file's header; a file not looked at is an error."""
        small = [
            f"WHEN {self.folder.among(FILE_VERSION, group.versions)} THEN {i}"
            for i, group in enumerate(self.header_groups.groups)
            if i > 0
        ]
        rest = "0" if not self.has_header else unknown_file_error_sql("INT")
        first = self.header_groups.groups[0]
        first_case = (
            f"WHEN {self.folder.among(FILE_VERSION, first.versions)} THEN 0"
            if self.has_header
            else ""
        )
        if not small and not first_case:
            return "0"
        return f"CASE {' '.join(small)} {first_case} ELSE {rest} END"

    def columns(self) -> list[str]:
        return [
            f"{self._column(field.name)} AS {quote(field.name)}" for field in self.expected.columns
        ]

    def _column(self, column: str) -> str:
        if column == self.expected.rescued:
            return rescue.rescued(self.rescued_cells())
        if column == self.expected.corrupt:
            return self.broken()
        field = self.expected.columns[column]
        if column in self.expected.partitions:
            return rescue.typed(partition_value(column), field.dataType, self.options)
        return rescue.typed(self.raw(column), field.dataType, self.options)

    def rescued_cells(self) -> dict[str, str]:
        """Values of a wrong type, columns outside the stream, records of a wrong length."""
        cells = self._misfits()
        sources = {source for field in self.expected.data for source in self._sources(field.name)}
        for other in self.header_groups.names():
            if other not in sources and other not in self.expected.partitions:
                cells[other] = self._cell({other})
        if self.expected.corrupt is None:
            cells[rescue.CORRUPT_KEY] = self.corrupt()
        return cells

    def _misfits(self) -> dict[str, str]:
        """The texts that are no values of their columns' types."""
        cells = {}
        for field in self.expected.data:
            if not rescue.is_text(field.dataType):
                raw = self.raw(field.name)
                value = rescue.typed(raw, field.dataType, self.options)
                cells[field.name] = rescue.misfit(raw, value)
        return cells

    def broken(self) -> str:
        """The whole record, if it is corrupt, or if a value that nothing rescues does not fit."""
        if self.expected.rescued is not None:
            return self.corrupt()
        misfits = rescue.any_present(list(self._misfits().values()))
        return f"coalesce({self.corrupt()}, if({misfits}, {self._whole()}, NULL))"

    def raw(self, column: str) -> str:
        return self._cell(self._sources(column))

    def _sources(self, column: str) -> set[str]:
        """How files write the column; a name in another case is another one, if rescued."""
        if self.expected.rescued and self.options.case_sensitive:
            return {column}
        return {other for other in self.header_groups.names() if other.lower() == column.lower()}

    def _cell(self, sources: set[str]) -> str:
        fields = self._fields()
        positions = self.header_groups.positions(sources)
        cells = ["NULL" if at is None else quote(fields[at]) for at in positions]
        if set(cells) == {"NULL"}:
            return "cast(NULL AS STRING)"
        if len(set(cells)) == 1:
            return cells[0]
        whens = " ".join(f"WHEN {i} THEN {cell}" for i, cell in enumerate(cells))
        return f"CASE {_GROUP} {whens} END"

    def corrupt(self) -> str:
        """The whole record, if its number of fields is not that of its header."""
        if len({len(group.header.names) for group in self.header_groups.groups}) == 1:
            return self._corrupt_of(self.header_groups.width)
        whens = " ".join(
            f"WHEN {i} THEN {self._corrupt_of(len(group.header.names))}"
            for i, group in enumerate(self.header_groups.groups)
        )
        return f"CASE {_GROUP} {whens} END"

    def _corrupt_of(self, width: int) -> str:
        # With the headers `a,b` and `a,b,c`, Spark reads all files with three fields. It marks the
        # correct record `1,2` of an `a,b` file as corrupt, and does not mark the record `1,2,3` of
        # that file, which is too long. So marked records are parsed again with their own width.
        corrupt = _CORRUPT
        if width != self.header_groups.width:
            corrupt = f"if({_CORRUPT} IS NULL, {self._whole()}, {self._misfit_of(width)})"
        if not self.has_header:  # a record may be as short as the schema, if others are longer
            for shorter in range(max(1, len(self.expected.data)), width):
                fits = f"{_CORRUPT} IS NOT NULL AND {self._misfit_of(shorter)} IS NULL"
                corrupt = f"if({fits}, NULL, {corrupt})"
        return corrupt

    def _whole(self) -> str:
        fields = ", ".join(quote(field) for field in self._fields())
        return f"to_csv(struct({fields}), {self._parser_options()})"

    def _misfit_of(self, width: int) -> str:
        """The marked record, if it has not exactly `width` fields."""
        schema = ", ".join([f"c{i} STRING" for i in range(width)] + ["bad STRING"])
        return f"from_csv({_CORRUPT}, {literal(schema)}, {self._parser_options()}).bad"

    def _parser_options(self) -> str:
        settings = {**self.reader_options(), "columnNameOfCorruptRecord": "bad", "header": "false"}
        pairs = ", ".join(f"{literal(key)}, {literal(value)}" for key, value in settings.items())
        return f"map({pairs})"

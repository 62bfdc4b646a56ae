"""Numbers with a fraction as a JSON record writes them.

`from_json` writes them as Java does, 1.50 as 1.5, and with 17 digits at most, where Spark's reader
of files keeps the text. So the text is looked for in the record, by its key and value.

[choice] Numbers inside of objects and arrays that are read as text stay as Java writes them.
"""

from __future__ import annotations

from local_shim.sql_text import literal

_BY_JAVA = literal("^-?[0-9]+[.][0-9]+(E-?[0-9]+)?$")
_QUOTED = literal('"\\Q')
_NUMBER = literal(r'\E"\s*:\s*(-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?)')


def as_written(record: str, key: str, value: str) -> str:
    """SQL text: the text of a field, or as the record has it if that is a number with a fraction.

    `value` is the field's text as `from_json` gives it.
    """
    texts = f"regexp_extract_all({record}, concat({_QUOTED}, {key}, {_NUMBER}), 1)"
    equal = f"filter({texts}, x -> try_cast(x AS DOUBLE) = try_cast({value} AS DOUBLE))"
    is_fraction = f"contains({value}, '.') AND rlike({value}, {_BY_JAVA})"
    return f"if({is_fraction}, coalesce(try_element_at({equal}, 1), {value}), {value})"

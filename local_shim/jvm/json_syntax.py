"""JSON of other syntax than the standard's, read by Spark's own parser in the driver.

Read from Spark 4.2.0, `sql/api/…/catalyst/json/JSONOptions.scala` (buildJsonFactory), and Jackson
2.21, `com.fasterxml.jackson.databind.ObjectMapper`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from py4j.protocol import Py4JJavaError

from local_shim.jvm.session import running_session


def standard_json(texts: Sequence[str], options: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The texts that Spark's parser takes with `options`, as standard JSON; others are left out."""
    if not texts:
        return
    array = _read(f"[{','.join(texts)}]", tuple(options))
    if array is not None and array.size() == len(texts):
        mapper = _mapper(tuple(options))
        yield from (mapper.writeValueAsString(array.get(i)) for i in range(len(texts)))
    elif len(texts) > 1:
        middle = len(texts) // 2
        yield from standard_json(texts[:middle], options)
        yield from standard_json(texts[middle:], options)


def _read(text: str, options: tuple[tuple[str, str], ...]) -> Any:
    try:
        return _mapper(options).readTree(text)
    except Py4JJavaError:
        return None


@lru_cache(maxsize=10)
def _mapper(options: tuple[tuple[str, str], ...]) -> Any:
    session = running_session()
    assert session is not None
    jvm: Any = session._jvm
    parameters = jvm.PythonUtils.toScalaMap(dict(options))
    json_options = jvm.org.apache.spark.sql.catalyst.json.JSONOptions(parameters, "UTC", "")
    factory = json_options.buildJsonFactory()
    # Python reads NaN without quotes as a number.
    features = jvm.com.fasterxml.jackson.core.JsonGenerator.Feature
    factory.configure(features.QUOTE_NON_NUMERIC_NUMBERS, False)
    return jvm.com.fasterxml.jackson.databind.ObjectMapper(factory)

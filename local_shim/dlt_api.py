"""What `import dlt` and `from pyspark import pipelines as dp` mean on this machine.

One module serves both names and is the public interface of `declaring`. A call checks its arguments
and registers what it declares; it reads, writes and analyses no data.
"""

from __future__ import annotations

from local_shim.declaring.arguments import deprecated
from local_shim.declaring.expectations import (
    expect,
    expect_all,
    expect_all_or_drop,
    expect_all_or_fail,
    expect_or_drop,
    expect_or_fail,
)
from local_shim.declaring.flows import (
    append_flow,
    create_auto_cdc_flow,
    create_auto_cdc_from_snapshot_flow,
    replace_flow,
    update_flow,
)
from local_shim.declaring.hooks import on_event_hook
from local_shim.declaring.legacy_reads import read, read_stream
from local_shim.declaring.sinks import create_sink, foreach_batch_sink
from local_shim.declaring.tables import (
    create_streaming_table,
    create_table,
    materialized_view,
    table,
    view,
)

temporary_view = view
apply_changes = create_auto_cdc_flow
apply_changes_from_snapshot = create_auto_cdc_from_snapshot_flow
readStream = read_stream

create_streaming_live_table = deprecated(create_streaming_table, "create_streaming_live_table")
create_target_table = deprecated(create_streaming_table, "create_target_table")
create_view = deprecated(view, "create_view")

__all__ = [
    "append_flow",
    "apply_changes",
    "apply_changes_from_snapshot",
    "create_auto_cdc_flow",
    "create_auto_cdc_from_snapshot_flow",
    "create_sink",
    "create_streaming_live_table",
    "create_streaming_table",
    "create_table",
    "create_target_table",
    "create_view",
    "expect",
    "expect_all",
    "expect_all_or_drop",
    "expect_all_or_fail",
    "expect_or_drop",
    "expect_or_fail",
    "foreach_batch_sink",
    "materialized_view",
    "on_event_hook",
    "read",
    "readStream",
    "read_stream",
    "replace_flow",
    "table",
    "temporary_view",
    "update_flow",
    "view",
]

"""A document as one HTML file that opens without a server and sends no request.

The page is `ui/` bundled by `make ui`. The content security policy allows that script by its hash
and nothing else, so text from the document cannot run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path

from local_shim.report.document import Document

_STATIC = Path(__file__).parent / "static"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<script type="application/json" id="document">{document}</script>
<script>{script}</script>
</body>
</html>
"""


def html(doc: Document) -> str:
    """The whole file."""
    script, style = (
        (_STATIC / name).read_text(encoding="utf-8") for name in ("report.js", "report.css")
    )
    return page(f"{doc['pipeline']['name']}: {doc['update']['state']}", style, script, doc)


def page(title: str, style: str, script: str, data: object) -> str:
    """A file with one style, one script, and the data that the script draws into `#app`."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _PAGE.format(
        digest=digest,
        title=escape(title),
        style=style,
        document=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        script=script,
    )

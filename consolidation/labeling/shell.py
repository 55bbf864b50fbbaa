"""The page around the frame: which picture, what is kept, where answers go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from consolidation.labeling.frame import SANDBOX

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>consolidate paint</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/web/tokens.css">
<link rel="stylesheet" href="/web/shell.css">
<script type="application/json" id="about">{about}</script>
<script type="module" src="/web/shell/paint.js"></script>
</head>
<body>
<header>
<button type="button" id="previous"></button>
<select id="pictures"></select>
<button type="button" id="next"></button>
<progress id="done"></progress><span id="count"></span>
<span id="notice" role="status"></span>
</header>
<iframe id="frame" sandbox="{sandbox}" allow="clipboard-write"></iframe>
</body>
</html>
"""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def shell_page(content: Mapping[str, Any]) -> tuple[str, str]:
    """HTML of the shell, and its content security policy.

    Parameters
    ----------
    content : mapping
        What its script reads, JSON-ready.
    """
    # so that no text can end the script element
    text = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    # where it is empty the script finds the browser's
    language = content.get("language", "")
    page = _PAGE.format(about=text, language=language, sandbox=SANDBOX)
    return page, _POLICY

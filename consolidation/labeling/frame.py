"""The frame that a template runs in: owner's code, kept apart from whatever can store and send."""

from __future__ import annotations

import re
from collections.abc import Sequence

from consolidation.web import modules

SANDBOX = "allow-scripts allow-forms allow-modals allow-popups"
"""Not ``allow-same-origin``: the template reaches no storage and no session."""
_SCRIPT = "page/frame.js"
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_HTML = re.compile(r"<html\b[^>]*>", re.IGNORECASE)


def frame_page(rendered: str, web: str) -> str:
    """Put our scripts and styles into a rendered template, before all that is its own.

    Parameters
    ----------
    rendered : str
        HTML, a whole document or a part of one.
    web : str
        Address of the folder `consolidation.web`, without a slash at the end.
    """
    scripts = "".join(
        f'<link rel="modulepreload" href="{web}/{name}" crossorigin>' for name in modules(_SCRIPT)
    )
    ours = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{web}/tokens.css">'
        f'<link rel="stylesheet" href="{web}/frame.css">'
        f'{scripts}<script type="module" src="{web}/{_SCRIPT}" crossorigin></script>'
    )
    for pattern in (_HEAD, _HTML):
        if match := pattern.search(rendered):
            return rendered[: match.end()] + ours + rendered[match.end() :]
    return f"<!doctype html><html><head>{ours}</head><body>{rendered}</body></html>"


def frame_headers(origin: str, hosts: Sequence[str] = ()) -> dict[str, str]:
    """Headers of the frame's document: sandboxed even if it is opened by itself.

    Parameters
    ----------
    origin : str
        Where scripts and pictures come from, such as ``http://127.0.0.1:8377``.
    hosts : sequence of str
        Further origins that the owner allows the template to load from.
    """
    sources = " ".join([origin, *hosts])
    policy = (
        "default-src 'none'",
        f"script-src {sources} 'unsafe-inline' blob:",
        f"style-src {sources} 'unsafe-inline'",
        f"img-src {sources} data: blob:",
        f"font-src {sources} data:",
        f"connect-src {sources} data: blob:",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {origin}",
        f"sandbox {SANDBOX}",
    )
    return {"Content-Security-Policy": "; ".join(policy), **COMMON_HEADERS}


COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of every page."""

SHARED_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Consolidation-Window",
    "X-Content-Type-Options": "nosniff",
}
"""Of what the frame reads, which has no origin: scripts, styles, pictures."""

"""Task templates: Liquid, as Ground Truth's labeling pages are written in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from consolidation.errors import OptionError

MAX_TEMPLATE = 128_000
"""Characters of a template, as RenderUiTemplate allows."""
MAX_LOOPS = 100_000
MAX_OUTPUT = 4_000_000
"""Bytes of a rendered page: a manifest line has at most 100,000 characters."""
_CROWD_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*(?:\"[^\"]*crowd-html-elements[^\"]*\"|'[^']*crowd-html-elements[^']*'"
    r"|\"\"|'')[^>]*>\s*</script>",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"<(crowd-[a-z0-9-]+)", re.IGNORECASE)
KNOWN = frozenset(
    f"crowd-{name}"
    for name in (
        *("form", "semantic-segmentation", "image-classifier", "input", "text-area", "checkbox"),
        *("radio-group", "radio-button", "slider", "button", "alert", "instructions", "card"),
    )
)
"""Elements that the page has."""


def render(
    template: str, task_input: Mapping[str, Any], grant_read_access: Callable[[str], str]
) -> str:
    """Fill in a task's data.

    Parameters
    ----------
    template : str
        HTML with Liquid. The script tag of Ground Truth's own elements is dropped: ours take
        their place.
    task_input : mapping
        What the template knows as ``task.input``.
    grant_read_access : callable
        Turns the URI of an object into an address that the page may read.

    Raises
    ------
    OptionError
        If the template cannot be read or filled in, or becomes too large.

    Examples
    --------
    >>> render("<p>{{ task.input.labels | to_json | escape }}</p>", {"labels": ["a & b"]}, str)
    '<p>[&#34;a &amp; b&#34;]</p>'
    """
    import liquid

    if len(template) > MAX_TEMPLATE:
        raise OptionError(
            f"the template has {len(template):,} characters, the limit is {MAX_TEMPLATE:,}"
        )
    environment = _environment()
    environment.filters["grant_read_access"] = lambda uri: grant_read_access(str(uri))
    try:
        parsed = environment.from_string(_CROWD_SCRIPT.sub("", template))
        return str(parsed.render(task={"input": task_input}))
    except liquid.exceptions.LiquidError as error:
        reason = " ".join(str(error).split())
        raise OptionError(f"the template cannot be filled in: {reason}") from None


def unknown_elements(template: str) -> list[str]:
    """Names of elements that the page does not have; only what is inside them is shown.

    Examples
    --------
    >>> unknown_elements("<crowd-form><crowd-bounding-box></crowd-bounding-box></crowd-form>")
    ['crowd-bounding-box']
    """
    names = {name.lower() for name in _ELEMENT.findall(template)}
    return sorted(names - KNOWN)


@cache
def _environment() -> Any:
    import liquid
    from markupsafe import Markup

    class Environment(liquid.Environment):
        loop_iteration_limit = MAX_LOOPS
        output_stream_limit = MAX_OUTPUT

    environment = Environment(autoescape=True)
    environment.filters["to_json"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.filters["skip_autoescape"] = lambda value: Markup(str(value))
    return environment

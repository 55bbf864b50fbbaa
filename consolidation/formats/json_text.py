"""JSON from strangers, parsed within limits."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
from typing import Any

from consolidation.limits import Limits
from consolidation.text import shown


def load_json(data: bytes | str, max_depth: int = Limits.json_depth, exact: bool = False) -> Any:
    """Parse JSON, by orjson where it is installed.

    Parameters
    ----------
    data : bytes or str
    max_depth : int, optional
    exact : bool, optional
        For what is to be written again: whole numbers of any size stay whole, and NaN, Infinity
        and floats that would become infinite are refused.

    Raises
    ------
    ValueError
        If it is none, or lists and objects lie deeper within one another than `max_depth`.

    Examples
    --------
    >>> load_json('{"a": [1]}')
    {'a': [1]}
    >>> load_json("[[[1]]]", max_depth=2)
    Traceback (most recent call last):
    ValueError: nested 3 deep, the limit is 2
    """
    if isinstance(data, bytes):
        data = data.removeprefix(codecs.BOM_UTF8)  # editors on Windows write one
    value = _parsed(data, max_depth, exact)
    check_depth(value, max_depth)
    return value


def check_depth(value: Any, max_depth: int) -> None:
    """ValueError if lists and objects lie deeper within one another than `max_depth`."""
    depth = 0
    level = [value]
    while level := [value for value in level if isinstance(value, dict | list)]:
        depth += 1
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if depth > max_depth:
        raise ValueError(f"nested {depth} deep, the limit is {max_depth}")


def finite_number(value: Any) -> float | None:
    """A number of a JSON file as a float; None if it is none, or more than a float can hold.

    Examples
    --------
    >>> finite_number(4), finite_number(10**400), finite_number("4")
    (4.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with contextlib.suppress(OverflowError):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def _parsed(data: bytes | str, max_depth: int, exact: bool) -> Any:
    if not exact:
        with contextlib.suppress(ImportError, ValueError):
            import orjson

            return orjson.loads(data)
    # the standard library has the last word: it takes NaN and lone surrogates, orjson does not
    number = _finite if exact else None
    try:
        return json.loads(data, parse_float=number, parse_constant=number)
    except RecursionError:
        raise ValueError(f"nested deeper than can be parsed, the limit is {max_depth}") from None


def _finite(text: str) -> float:
    """Float of a JSON number or constant; ValueError if it is NaN or infinite."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{shown(text)} is no finite number")
    return number

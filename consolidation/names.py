"""File names for object ids: safe on every file system, never two ids in one name."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote, unquote

MAX_LENGTH = 120
_SAFE = " -_."
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]) *(\..*)?", re.IGNORECASE)


def file_name(object_id: str) -> str:
    """File name, without ending, of an id: percent-encoded, shortened with a hash where long.

    Examples
    --------
    >>> file_name("7"), file_name("a/b:c"), file_name("..")
    ('7', 'a%2Fb%3Ac', '%2E%2E')
    """
    name = quote(object_id, safe=_SAFE, errors="surrogatepass").replace("~", "%7E")
    if name[:1] in (" ", ".", "-"):
        # a leading dash would read as an option, a leading dot hides the file
        name = "".join(f"%{ord(char):02X}" if char in " .-" else char for char in name)
    elif name[-1:] in (" ", "."):
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    if _RESERVED.fullmatch(name):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > MAX_LENGTH:
        name = with_hash(name[: MAX_LENGTH // 2], object_id)
    return name


def with_hash(name: str, object_id: str) -> str:
    """Append a hash of the id to a name, after a tilde, which no plain name has."""
    digest = hashlib.sha256(object_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}~{digest[:16]}"


def object_id(name: str) -> str:
    """Id of a file name; of one that was shortened, the name itself.

    Examples
    --------
    >>> [object_id(one) for one in file_names(["a/b", "x", "X"]).values()]
    ['a/b', 'x', 'X']
    """
    plain = name.rpartition("~")[0]
    decoded = _unquoted(plain or name)
    return _unquoted(name) if plain and with_hash(plain, decoded) != name else decoded


def file_names(object_ids: Iterable[str]) -> dict[str, str]:
    """Name of every id; ids whose names differ only in letter case get a hash too.

    Examples
    --------
    >>> file_names(["x", "X", "y"])["y"]
    'y'
    """
    names = {object_id: file_name(object_id) for object_id in object_ids}
    clashes = Counter(name.casefold() for name in names.values())
    return {
        object_id: with_hash(name, object_id) if clashes[name.casefold()] > 1 else name
        for object_id, name in names.items()
    }


def _unquoted(name: str) -> str:
    try:
        return unquote(name, errors="surrogatepass")
    except UnicodeDecodeError:  # not one of our names
        return unquote(name)

"""Doubts about what stored values mean: each says what is odd and what would help, or None."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consolidation.formats.class_list import ClassList
from consolidation.formats.survey import Survey
from consolidation.masks import Classes
from consolidation.masks.meaning import VOID
from consolidation.text import shown

SOME = 5
"""Values, colours and classes that a message lists."""
_INSIST = "--values index insists on indices, --values 0-127=background,128-255=NAME cuts"


def nothing_to_read(seen: Survey) -> str | None:
    """No mask can be read, or all that can are no masks."""
    if seen.indexed or seen.colored:
        return None
    if seen.unreadable:
        name, reason = min(seen.unreadable)
        return f"no mask in it can be read: {name}: {reason}"
    if seen.flawed:
        name, reason = min(seen.flawed)
        return f"no mask in it is a mask: {name}: it is {reason}; {_INSIST}"
    return None


def flawed_masks(seen: Survey) -> tuple[str, bool] | None:
    """Masks that hold no class indices, and whether these are most of all."""
    if not seen.flawed:
        return None
    name, reason = min(seen.flawed)
    many = len(seen.flawed) >= seen.indexed + seen.colored
    text = (
        f"{len(seen.flawed):,} of {seen.looked:,} masks hold no class indices: {name} is {reason}"
    )
    return (f"{text}; {_INSIST}" if many else text), many


def scaled(seen: Survey) -> str | None:
    """Greys evenly spaced from black to white: indices that were scaled for the eye."""
    if seen.scaled is None:
        return None
    name, values = seen.scaled
    meanings = ",".join(
        f"{value}={'background' if value == 0 else 'NAME'}" for value in values[:SOME]
    )
    return (
        f"{name} holds {some(map(str, values))}, evenly spaced as indices scaled for the eye are: "
        f"say what they mean, such as --values {meanings}"
    )


def mixture(seen: Survey) -> str | None:
    """255 that is white in some masks, where others hold class indices."""
    if not (seen.void and seen.classes):
        return None
    odd = sorted(
        worker
        for worker, values in seen.by_worker.items()
        if values <= {0, *VOID} and not values.isdisjoint(VOID)
    )
    if seen.together and not odd:
        return None
    void, value = min(seen.void), min(seen.classes)
    if any(odd):
        who = f"all masks of {some(map(shown, odd))} hold 0 and {void} alone"
    else:
        who = f"some masks hold 0 and {void} alone, as {seen.examples[void]}"
    return (
        f"{who}, as black and white ones do, where others hold class indices, as "
        f"{seen.examples[value]} holds {value}: --values says what they mean, such as --values "
        f"0=background,{value}=NAME,{void}=NAME or {void}=ignored"
    )


def several_whites(both: str, names: Sequence[str]) -> str | None:
    """Black and white alone, where several classes are listed."""
    if len(names) == 2:
        return None
    listed = ", ".join(map(shown, names[:SOME]))
    return (
        f"its masks hold {both} alone, as black and white ones do, and {len(names)} classes are "
        f"listed ({listed}): say which is which, such as --values "
        f"0={names[0].lower()},255={names[-1]}"
    )


def first_index(seen: Survey, listed: ClassList) -> str | None:
    """A list of names without background, as many as there are values from 0 on."""
    n = len(listed.entries)
    if n < 2 or seen.classes | {0} != set(range(n)):
        return None
    name = shown(listed.entries[0].name)
    return (
        f"{listed.file} lists {n} names without background, and its masks hold 0 to {n - 1}: is 0 "
        f"{name} (then --no-background), or background and 1 {name} (then begin the list with "
        '"background")?'
    )


def beyond_list(seen: Survey, listed: ClassList, classes: Classes) -> tuple[str, bool] | None:
    """Values that the list has no class for, and whether no other values are there."""
    beyond = sorted(value for value in seen.classes - listed.ignored if value >= len(classes))
    if not beyond:
        return None
    example = seen.examples[beyond[0]]
    values = some(map(str, beyond))
    if len(beyond) == len(seen.classes):
        return (
            f"its masks hold {values} ({example}), and {listed.file} lists "
            f"{numbered(classes.names)}: list the classes with their indices, or --values says "
            "what values mean",
            True,
        )
    return (
        f"{listed.file} has no class for {values}, which masks such as {example} hold: their "
        "objects fail",
        False,
    )


def numbered(names: Sequence[str]) -> str:
    """Names with their indices, the first few."""
    return some(f"{index} {name}" for index, name in enumerate(names))


def some(texts: Iterable[str]) -> str:
    """Return the first few texts, and how many more there are."""
    listed = list(texts)
    more = f" and {len(listed) - SOME} more" if len(listed) > SOME else ""
    return ", ".join(listed[:SOME]) + more

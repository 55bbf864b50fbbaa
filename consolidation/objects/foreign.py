"""Answers of other classes than the job's: they must not pass for masks of nothing.

An answer that paints something, and nothing that is a class of the job, is dropped. Where half of
an object's answers are such, it is the classes that are wrong, not the workers: the object fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from consolidation.errors import ForeignAnswerError, ObjectError
from consolidation.masks import Classes
from consolidation.text import nearest, shown

MOST_NAMED = 5
"""Classes that a message names."""


class Unknown(NamedTuple):
    """What painted pixels have that is no class of the job, and which class may be meant."""

    what: str
    hint: str = ""

    @classmethod
    def label(cls, label: str | None, classes: Classes) -> Unknown:
        """Pixels of a label.

        Examples
        --------
        >>> Unknown.label("Cat", Classes.of_labels(["cat"])).hint
        " (is 'cat' meant?)"
        """
        if label is None:
            return cls("without a label")
        near = nearest(label, classes.names[1:])
        hint = "" if near is None else f" (is {shown(near)} meant?)"
        return cls(f"of label {shown(label)}, which is no class of this job", hint)

    def of(self, pixels: int) -> str:
        """So many pixels of it."""
        return f"{pixels:,} pixels {self.what}{self.hint}"

    def ignored(self, pixels: int) -> str:
        """Warn that so many pixels of it are ignored."""
        comma = "," if "," in self.what else ""
        return f"{pixels:,} pixels {self.what}{comma} are ignored{self.hint}"


def foreign_answer(painted: Sequence[str], classes: Classes) -> ForeignAnswerError:
    """Error of an answer that paints only this, which is no class of the job."""
    names = ", ".join(map(shown, classes.names[1 : 1 + MOST_NAMED]))
    more = ", ..." if len(classes) > 1 + MOST_NAMED else ""
    return ForeignAnswerError(
        f"nothing that it paints is a class of this job: {'; '.join(painted)}; "
        f"the classes are {names}{more}"
    )


def check_foreign(foreign: Sequence[str], n_answers: int) -> None:
    """Raise ObjectError if these answers, worker and reason, are half of the object's."""
    if 2 * len(foreign) >= n_answers:
        raise ObjectError(
            f"{len(foreign)} of its {n_answers} answers mean no class of this job: "
            f"{'; '.join(foreign)}"
        )

"""What to do next, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from consolidation.report.content import Report
from consolidation.text import count, percent

GOOD, TENTATIVE = 0.8, 0.667
"""Krippendorff (2004, p. 241): rely on alpha from .8, draw tentative conclusions from .667."""
CONFUSED = 0.05
"""Share of a class's votes that is worth a sentence."""
LISTED = 3


class Advice(NamedTuple):
    """One sentence, and the part of the page that it is about."""

    text: str
    about: str


def agreement_in_words(alpha: float | None) -> str:
    """What a value of Krippendorff's alpha means.

    Examples
    --------
    >>> agreement_in_words(0.85), agreement_in_words(None)
    ('workers agree well', 'not known')
    """
    if alpha is None or np.isnan(alpha):
        return "not known"
    if alpha >= GOOD:
        return "workers agree well"
    return "workers agree fairly" if alpha >= TENTATIVE else "workers agree poorly"


def advise(report: Report) -> Iterator[Advice]:
    """Yield what a person should look at, most urgent first."""
    if report.failures:
        yield Advice(
            f"{count(report.failures, 'image')} could not be consolidated: failures.jsonl says "
            "why.",
            "overview",
        )
    junk = [worker for worker in report.workers if worker.junk]
    if junk:
        text = "plainly not doing the task"
        if not any(worker.votes for worker in junk):
            text += "; these votes were not counted"
        yield Advice(f"{_listed([worker.id for worker in junk])}: {text}.", "workers")
    twins = sorted(
        {tuple(sorted((worker.id, twin))) for worker in report.workers for twin in worker.twins}
    )
    for pair in twins[:LISTED]:
        yield Advice(
            f"{' and '.join(pair)} gave the same answers to the pixel: find out why.", "workers"
        )
    notes = sorted({worker.note for worker in report.workers if worker.note and not worker.junk})
    for note in notes[:LISTED]:
        yield Advice(f"{note}.", "workers")
    if report.alpha is not None and report.alpha < TENTATIVE:
        yield Advice(
            "Workers agree poorly: clearer instructions or more workers would help most.", "classes"
        )
    confused = _most_confused(report)
    if confused:
        yield Advice(confused, "classes")
    if report.n_images:
        yield Advice("Look at the first images below: they are most in need of review.", "images")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _most_confused(report: Report) -> str | None:
    """Sentence on the class that gets most votes where the consensus is another one."""
    if report.confusion is None:
        return None
    counts = report.confusion.astype(np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    # what is missed or painted over is a matter of care; two classes are one of instructions
    shares[0] = shares[:, 0] = 0
    decided, voted = np.unravel_index(int(shares.argmax()), shares.shape)
    share = float(shares[decided, voted])
    if share < CONFUSED:
        return None
    names = [mask_class.name for mask_class in report.classes]
    return (
        f"Where the consensus is {names[decided]}, {percent(share)} of the votes say "
        f"{names[voted]}: make the instructions tell the two apart."
    )

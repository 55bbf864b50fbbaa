"""What each method needs and does, said once: a new method is one line of `METHODS`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MethodSpec:
    """A way to decide.

    Attributes
    ----------
    name : str
    meaning : str
        Whose vote counts what, in a few words.
    learns : str
        What a first pass over a job tells it: ``"reliability"`` of workers, their ``"confusion"``
        of classes, or nothing (empty).
    weighs : bool
        Whether it takes a weight for each worker.
    must_weigh : bool
        Whether it is nothing without weights.
    smooths : bool
        Whether neighbours may be asked; else it decides by other means.
    chooses : bool
        Whether it tests on the whole job what helps there: no batch of a job can.
    smoothing : float
        Sigma in pixels unless told otherwise.
    ties : str
        What decides ties unless told otherwise.
    """

    name: str
    meaning: str
    learns: str = ""
    weighs: bool = False
    must_weigh: bool = False
    smooths: bool = True
    chooses: bool = False
    smoothing: float = 0.0
    ties: str = "lowest"

    @property
    def learns_reliability(self) -> bool:
        """Whether a first pass tells it how reliable workers are."""
        return self.learns == "reliability"

    @property
    def learns_confusion(self) -> bool:
        """Whether a first pass tells it which classes workers confuse."""
        return self.learns == "confusion"


METHODS = {
    spec.name: spec
    for spec in (
        MethodSpec(
            "auto",
            "whichever predicts held-out workers better",
            learns="reliability",
            weighs=True,
            chooses=True,
            # safe on every real set tried; larger was not
            smoothing=1.0,
            ties="neighbours",
        ),
        MethodSpec("plurality", "all the same"),
        MethodSpec(
            "weighted",
            "by reliability over the job",
            learns="reliability",
            weighs=True,
            must_weigh=True,
        ),
        MethodSpec(
            "dawid-skene",
            "by the workers' confusion of classes, without smoothing",
            learns="confusion",
            smooths=False,
        ),
    )
}
"""By name, in the order in which they are offered."""


def method_spec(name: str) -> MethodSpec:
    """Return what is said of a method; ValueError for a name that is none."""
    if name not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {name!r}")
    return METHODS[name]

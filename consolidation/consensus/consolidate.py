"""`consolidate`: masks of several workers in, their consensus out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from consolidation.consensus.calibration import Calibration
from consolidation.consensus.dawid_skene import DEFAULT_STEPS, check_size
from consolidation.consensus.methods import MethodSpec, method_spec
from consolidation.consensus.result import Consensus
from consolidation.consensus.settings import Settings
from consolidation.consensus.stack import Stack
from consolidation.consensus.unlabelled import checked_void
from consolidation.consensus.vote import vote
from consolidation.consensus.worker_confusion import WorkerConfusion

UNDECIDED_BYTE = 255
"""Label of undecided pixels that no class of an image of single bytes may have."""


class LearntWeights(Protocol):
    """What knows workers by their ids."""

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) of workers, 0 for who shall not vote."""


def consolidate(
    masks: NDArray[Any] | Sequence[ArrayLike],
    *,
    n_classes: int | None = None,
    method: str = "plurality",
    weights: Sequence[float] | NDArray[Any] | None = None,
    workers: Sequence[str] | None = None,
    reliability: LearntWeights | WorkerConfusion | None = None,
    steps: int = DEFAULT_STEPS,
    smoothing: float | None = None,
    ties: str | None = None,
    ignore_index: int | None = None,
    undecided_index: int | None = None,
    min_votes: int = 1,
    calibration: Calibration | None = None,
    background: bool = True,
    void: bool | NDArray[np.bool_] = False,
) -> Consensus:
    """Merge several workers' masks of one image into a consensus.

    Parameters
    ----------
    masks : ndarray of shape (W, H, Wd), or sequence of W arrays of shape (H, Wd)
        Class indices, 0 to 65535; 1 to 255 workers. Class 0 is background. Arrays of uint8 or
        uint16, and of bool, are read where they are; other integers and nested lists are copied
        to uint8, or to uint16 above 254 classes. What a masked array hides is no vote.
    n_classes : int, optional
        Number of classes, background included. By default the highest class seen, plus 1.
    method : {"plurality", "weighted", "dawid-skene", "auto"}
        Whose vote counts what: everybody the same; by `weights` or `reliability`; by confusion
        matrices estimated by expectation-maximisation; or, for
        ``"auto"``, plurality with smoothing 1 and ties by neighbours unless told otherwise, and
        weights by `reliability` if there is one.
    weights : sequence of W floats, optional
        For ``"weighted"``: >= 0, not all 0; only their ratios matter. They are rounded to
        integers of sum 32767, so that the workers' order cannot matter.
    workers : sequence of W str, optional
        The workers' ids, for `reliability` and the records in the result; by default ``"0"``,
        ``"1"``, ...
    reliability : Reliability, Choice or WorkerConfusion, optional
        What was learnt over a job, by worker id: weights, or for ``"dawid-skene"`` confusion
        matrices. Classes that plain plurality gives to no pixel of the image cannot win by it.
    steps : int, optional
        Steps of ``"dawid-skene"`` where nothing was learnt over a job; few are best.
    smoothing : float, optional
        Sigma, in pixels, of the Gaussian with which neighbours' votes are added at disputed
        pixels; 0 is off, at most 8. Unanimous pixels never change.
    ties : {"lowest", "neighbours", "undecided"}
        What a pixel gets where several classes have the most votes: the lowest of them, the one
        that its neighbours' votes favour (then the lowest), or none.
    ignore_index : int, optional
        A value in the masks that is no vote, such as 255, or -1 in masks of signed integers.
    undecided_index : int, optional
        Label of undecided pixels: 255 by default, 65535 for uint16 masks.
    min_votes : int, optional
        Votes, before weights and smoothing, that a class needs to be chosen at a pixel.
    calibration : Calibration, optional
        Learnt from gold images: confidence, and all that follows from it, is mapped by it.
    background : bool
        Whether class 0 is background: what is voted so by all does not count in the image's
        confidence. Otherwise it is a class like the others.
        Learnt from gold images: confidence, and all that follows from it, is mapped by it; and
        where gold showed that a pixel should be foreground from another share of the votes than
        one half, that decides between foreground and background.
    void : bool or ndarray of shape (H, Wd), bool
        Where it is on purpose that nobody votes, as on the borders of objects in Pascal VOC: True
        for wherever nobody does. Any other pixel without a vote counts 0 in the image's confidence.

    Returns
    -------
    Consensus
        The mask, and per-pixel, per-class and per-image confidence.

    Raises
    ------
    ValueError
        For masks or options that do not fit; the message names which and their shapes.

    Notes
    -----
    A class that nobody gave a pixel never gets it. The order of the workers never matters.

    =====================  =====================================================================
    case                   result
    =====================  =====================================================================
    one worker             that mask, unchanged, with confidence 1, but for the last two cases
    two workers disagree   a tie: `ties` decides; confidence 0.5
    all masks blank        background, confidence 1, image confidence 1
    nobody labelled it     undecided, confidence 0; so in image confidence, unless it is `void`
    too few votes          undecided, confidence 0
    one pixel, one class   as any other image
    =====================  =====================================================================

    Examples
    --------
    Three workers, four pixels; the third pixel is a tie, and the lowest class gets it:

    >>> import numpy as np
    >>> masks = np.array([[[0, 1, 1, 2]], [[0, 1, 2, 2]], [[0, 0, 3, 2]]], dtype=np.uint8)
    >>> result = consolidate(masks)
    >>> result.labels.tolist()
    [[0, 1, 1, 2]]
    >>> result.votes.tolist()
    [[3, 2, 1, 3]]
    >>> result.tied.tolist()
    [[False, False, True, False]]
    >>> consolidate(masks, ties="undecided").labels.tolist()
    [[0, 1, 255, 2]]
    """
    wanted = 0 if n_classes is None else int(n_classes) - 1
    if isinstance(undecided_index, int) and undecided_index > UNDECIDED_BYTE:
        wanted = max(wanted, undecided_index)
    stack = Stack(masks, ignore_index, wanted)
    ids = stack.checked_ids(range(stack.n_workers) if workers is None else workers)
    learnt = reliability is not None
    pooled = None
    if reliability is not None:
        if workers is None or weights is not None:
            raise ValueError("reliability needs the workers' ids, and no weights beside it")
        if isinstance(reliability, WorkerConfusion):
            pooled = reliability
        else:
            weights = reliability.weights(ids)
    spec = method_spec(method)
    if (pooled is not None) != spec.learns_confusion and learnt:
        raise ValueError(f"{type(reliability).__name__} does not go with method {method!r}")
    settings = Settings.checked(
        stack,
        method=method,
        weights=weights,
        learnt=learnt,
        steps=steps,
        smoothing=_smoothing(spec, reliability) if smoothing is None else smoothing,
        ties=spec.ties if ties is None else ties,
        undecided_index=undecided_index,
        min_votes=min_votes,
    )
    settings = replace(settings, background=bool(background))
    if calibration is not None and calibration.foreground is not None:
        settings = replace(settings, foreground=calibration.foreground)
    if stack.n_pixels == 0:
        raise ValueError(f"masks have no pixels: shape {stack.shape}")
    if pooled is not None:
        k = check_size(stack.n_workers, stack.highest() + 1)
        settings = replace(settings, pooled=pooled.confusion(ids, k))
    voters = ids
    if settings.weights is not None:
        voters = [worker for worker, weight in zip(ids, settings.weights, strict=True) if weight]
    voting, settings = _with_weight(stack, settings)
    outcome = vote(voting, settings)
    highest = outcome.highest
    if voting is stack:
        stack = outcome.stack
    else:
        highest = stack.highest()
    k = highest + 1 if n_classes is None else int(n_classes)
    if highest >= k:
        tops = [stack.highest_of(row) for row in stack.rows]
        index = next(index for index, top in enumerate(tops) if top >= k)
        raise ValueError(f"mask {index} has class {tops[index]}, n_classes is {k}")
    if outcome.undecided and settings.undecided < k and settings.undecided != stack.ignore:
        raise ValueError(
            f"undecided_index {settings.undecided} is one of the {k} classes, "
            f"and {outcome.undecided} pixels are undecided"
        )
    return Consensus(
        stack,
        outcome,
        settings,
        tuple(ids),
        tuple(voters),
        k,
        calibration,
        ignore_index=ignore_index,
        void=checked_void(void, stack.shape),
    )


def _smoothing(spec: MethodSpec, reliability: LearntWeights | WorkerConfusion | None) -> float:
    """Sigma where none is given: a choice made over the job may have left smoothing out."""
    return spec.smoothing if getattr(reliability, "smooths", True) else 0.0


def _with_weight(stack: Stack, settings: Settings) -> tuple[Stack, Settings]:
    """Leave out workers of weight 0: they do not vote. Equal weights are none."""
    if settings.weights is None:
        return stack, settings
    voting = stack.only(np.array(settings.weights) > 0)
    weights = tuple(weight for weight in settings.weights if weight)
    if len(set(weights)) == 1:
        return voting, replace(settings, weights=None, learnt=False)
    return voting, replace(settings, weights=weights)

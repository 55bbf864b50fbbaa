"""Other people's consensus: SimpleITK and crowd-kit, one image at a time, as they are meant to be.

Whoever is not installed is left out. All run on one thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Peer:
    """One peer: masks (W, H, Wd) in, labels (H, Wd) out."""

    predict: Callable[[Labels], Labels]
    binary: bool
    slow: bool = False
    """Seconds a megapixel: it is asked about fewer masks."""


def peers(n_classes: int, slow: bool = True) -> dict[str, Peer]:
    """Peers that are installed and know what to do with so many classes."""
    found: dict[str, Peer] = {}
    try:
        import SimpleITK

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        found["STAPLE"] = Peer(staple, binary=True)
        found["MultiLabelSTAPLE"] = Peer(multi_label_staple, binary=False)
    except ImportError:
        pass
    try:
        from crowdkit import aggregation

        for name, is_slow in (("MajorityVote", False), ("RASA", False), ("EM", True)):
            fused = crowd_kit(getattr(aggregation, f"Segmentation{name}"))
            found[f"crowd-kit {name}"] = Peer(fused, binary=True, slow=is_slow)
    except ImportError:
        pass
    return {
        name: peer
        for name, peer in found.items()
        if (n_classes == 2 or not peer.binary) and (slow or not peer.slow)
    }


def staple(masks: Labels) -> Labels:
    """Foreground where STAPLE's probability exceeds one half."""
    import SimpleITK

    fused = SimpleITK.STAPLEImageFilter()
    fused.SetForegroundValue(1)
    image = fused.Execute([SimpleITK.GetImageFromArray(mask) for mask in masks])
    return (SimpleITK.GetArrayFromImage(image) > 0.5).astype(np.uint8)


def multi_label_staple(masks: Labels) -> Labels:
    """Multi-label STAPLE; what it leaves undecided is background."""
    import SimpleITK

    fused = SimpleITK.MultiLabelSTAPLEImageFilter()
    fused.SetLabelForUndecidedPixels(0)
    image = fused.Execute([SimpleITK.GetImageFromArray(mask) for mask in masks])
    return SimpleITK.GetArrayFromImage(image).astype(np.uint8)


def crowd_kit(aggregator: Callable[[], Any]) -> Callable[[Labels], Labels]:
    """Wrap a segmentation aggregator of crowd-kit, as it is: ties go to the foreground."""

    def predict(masks: Labels) -> Labels:
        with warnings.catch_warnings():
            # two blank masks: it divides 0 by 0 and goes on
            warnings.simplefilter("ignore", RuntimeWarning)
            fused = aggregator().fit_predict(answers(masks))
        return np.asarray(fused["image"]).astype(np.uint8)

    return predict


def answers(masks: Labels) -> Any:
    """Masks as the table that crowd-kit takes."""
    import pandas as pd

    return pd.DataFrame(
        [("image", str(worker), mask.astype(bool)) for worker, mask in enumerate(masks)],
        columns=["task", "worker", "segmentation"],
    )

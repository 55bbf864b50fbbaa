"""What is written down about how an object was decided: in full, in short, and in the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from consolidation.objects.pipeline import ObjectResult
from consolidation.options import Options
from consolidation.text import rounded

_COUNTS = ("disputed", "tied", "undecided", "unlabelled", "void", "ignored")


@dataclass(frozen=True)
class Record:
    """What there is to say about one consolidated object.

    Attributes
    ----------
    full : dict
        JSON-ready, for its file of provenance.
    short : dict
        For the metadata of its label.
    logged : dict
        For its line in the log.
    """

    full: dict[str, Any]
    short: dict[str, Any]
    logged: dict[str, Any]

    @classmethod
    def of(cls, result: ObjectResult, options: Options, payload: str, mask: str) -> Record:
        """Record of a result, read from its masks before they are overwritten."""
        consensus = result.consensus
        decided = consensus.provenance
        counts = decided["counts"]
        warnings = [
            {"worker": warning.worker, "message": warning.message} for warning in result.warnings
        ]
        workers = [
            {
                "worker": agreement.worker,
                "agreement": rounded(agreement.agreement),
                "class_iou": _numbers(agreement.class_iou),
                "ignored": agreement.ignored,
                "blank": agreement.worker in result.blank,
            }
            for agreement in consensus.workers
        ]
        full = {
            "object": result.id,
            "payload": payload,
            "mask": mask,
            "size": list(consensus.labels.shape),
            "classes": [asdict(mask_class) for mask_class in result.classes],
            "image_confidence": rounded(consensus.image_confidence),
            "need_of_review": rounded(consensus.need_of_review),
            "class_confidence": _numbers(consensus.class_confidence.tolist()),
            "consensus": decided,
            "workers": workers,
            "answers": warnings,
            "options": asdict(options),
        }
        short = {
            **{key: decided[key] for key in ("version", "method", "parameters", "workers")},
            "counts": counts,
            "warnings": len(warnings),
        }
        logged = {
            "mask": mask,
            "pixels": counts["pixels"],
            **{name: round(counts[name] / counts["pixels"], 6) for name in _COUNTS},
            "confidence": result.reported_confidence,
            "need_of_review": full["need_of_review"],
        }
        return cls(full, short, logged)


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [rounded(value) for value in values]

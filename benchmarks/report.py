"""Size of the report, and what making it costs beside consolidating the images it shows.

One thread, CPU time. Run it with ``python -m benchmarks.report``.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.harness import measure, report, verdict
from benchmarks.payloads import labels, payload
from benchmarks.workloads import smooth_noise
from consolidation.consensus import Consensus
from consolidation.formats import open_source
from consolidation.formats.groundtruth import AnnotationAnswer, parse_request
from consolidation.masks import Classes
from consolidation.objects import MaskClass
from consolidation.objects.pipeline import ObjectResult, consolidate_object
from consolidation.objects.prepare import LabeledObject, MaskBuffer
from consolidation.options import Options
from consolidation.report import Report, ReportImage, ReportWorker, render, small_jpeg, take
from consolidation.simulation import simulate_job

IMAGES, WORKERS, CLASSES, SIDE = 60, 9, 8, 1024
MEGABYTE = 1e6
OPTIONS = Options(threads=1)
BUFFER = MaskBuffer()


def consolidated() -> ObjectResult:
    """One image, from RGB answers in JSON to the consensus and the mask's PNG."""
    [one] = parse_request(payload(WORKERS, CLASSES, SIDE, SIDE, "rgb"), "payload")
    answers = [(each.worker, AnnotationAnswer(each)) for each in one.annotations]
    obj = LabeledObject(one.id, {}, answers)
    classes = Classes.of_labels(labels(CLASSES))
    result = consolidate_object(obj, classes, OPTIONS, buffer=BUFFER)
    assert result.mask_png
    return result


@cache
def photograph() -> bytes:
    """JPEG of a camera: smooth shapes and the noise of a sensor."""
    rng = np.random.default_rng(0)
    shape = (SIDE, SIDE)
    channels = [
        128 + 40 * smooth_noise(rng, shape, 96) + 15 * smooth_noise(rng, shape, 8) for _ in range(3)
    ]
    pixels = np.stack(channels, axis=-1) + rng.normal(0, 6, (*shape, 3))
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=92)
    return out.getvalue()


def shown(name: str, consensus: Consensus, picture: bytes) -> ReportImage:
    """What a run keeps of one image for the report."""
    counts = consensus.provenance["counts"]
    return ReportImage(
        id=name,
        confidence=consensus.image_confidence,
        disputed=counts["disputed"] / counts["pixels"],
        tied=counts["tied"] / counts["pixels"],
        undecided=counts["undecided"] / counts["pixels"],
        n_workers=consensus.n_workers,
        agreement={one.worker: one.agreement for one in consensus.workers},
        snapshot=take(consensus).to_bytes(),
        picture=small_jpeg(picture, consensus.labels.shape),
    )


def written(images: Iterable[ReportImage], classes: Iterable[MaskClass], n: int) -> int:
    """Bytes of a report."""
    content = Report(
        title="benchmark",
        classes=tuple(classes),
        images=images,
        n_images=n,
        workers=[ReportWorker(str(worker), n, 0.9, (0.8, 0.95)) for worker in range(WORKERS)],
        disputed=0.1,
        confidence=0.9,
        alpha=0.8,
        method="plurality",
        reason="",
        failures=0,
        warnings=0,
        version="",
        created="",
    )
    return sum(map(len, render(content)))


def demo() -> int:
    """Bytes of the images' part of the demonstration's report, and of its frame."""
    with tempfile.TemporaryDirectory() as folder:
        job = simulate_job(folder)
        source = open_source(job.folder)
        images = []
        for obj in source.objects():
            result = consolidate_object(obj, source.classes(), OPTIONS)
            picture = Path(job.folder, str(obj.line["source-ref"])).read_bytes()
            images.append(shown(obj.id, result.consensus, picture))
    return written(images, result.classes, len(images))


def main() -> None:
    result = consolidated()
    consensus = result.consensus
    one = shown("0", consensus, photograph())
    assert one.snapshot is not None and one.picture is not None
    images = [one] * IMAGES
    times = measure(
        {
            "consolidate, RGB answers to mask PNG": consolidated,
            "snapshot": lambda: take(consensus).to_bytes(),
            "picture": lambda: small_jpeg(photograph(), (SIDE, SIDE)),
            f"page of {IMAGES} images": lambda: written(images, result.classes, IMAGES),
        },
        rounds=9,
    )
    consolidating, snapshot, picture, page = times.values()
    making = IMAGES * (snapshot + picture) + page
    size = written(images, result.classes, IMAGES) / MEGABYTE
    report(
        "report",
        {
            "Targets": (
                ["figure", "measured", "target", "reached"],
                [
                    verdict("demonstration, MB", demo() / MEGABYTE, 3, True),
                    verdict(f"{IMAGES} images, 1024 x 1024 x {WORKERS}, MB", size, 12, True),
                    verdict(
                        "making it / consolidating them", making / IMAGES / consolidating, 1, True
                    ),
                ],
            ),
            "Times (ms of CPU)": (["what", "ms"], [[name, value] for name, value in times.items()]),
            "Bytes of one image": (
                ["part", "bytes"],
                [["snapshot", len(one.snapshot)], ["picture", len(one.picture)]],
            ),
        },
    )


if __name__ == "__main__":
    main()

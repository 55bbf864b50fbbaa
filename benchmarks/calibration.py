"""Whether confidence means what it says, on a real crowd with truth, and what finds bad images.

Run it with ``python -m benchmarks.calibration`` (``--quick``: fewer draws; ``--data`` is the folder
of multi-annotator masks). The crowd is bubil_crowd; W of each image's workers are drawn anew for
each image. Targets are on draw 0, the tables also give the mean over draws and their deviation.

Expected calibration error: for every distinct value c of the confidence, the share of right
pixels is compared with c; the mean difference, weighted by pixels. No bins: equal values are
never split, and different ones never averaged. AUROC: how well a number per image finds the
quarter of the images with the lowest mean IoU with the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.accuracy_sets import KINDS, Image, Job, load, simulated
from benchmarks.harness import measure, report, verdict
from benchmarks.voting import pairwise_by_bincount
from benchmarks.workloads import masks
from consolidation import Calibration, Reliability, consolidate
from consolidation.consensus import Agreement, Consensus, VotePatterns, WorkerConfusion
from consolidation.consensus.calibration import count_bins
from consolidation.evaluation import expected_calibration_error, mean_iou

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
VOTES = (3, 5, 7)
DEFAULT, POSTERIOR = "default", "STAPLE posterior (SimpleITK)"
LAMBDA = {"smoothing": 1.0, "ties": "neighbours"}
WEIGHTS = (5, 4, 3, 3, 2, 2, 1)
"""Weights given by somebody who knows, as far as the drawn workers go; here nobody knows."""
Rows = list[list[Any]]


@dataclass(frozen=True, eq=False)
class Judged:
    """An image's pixels by confidence: distinct values (n,), pixels and right ones of each.

    Disputed and unanimous pixels are kept apart, whatever their values.
    """

    values: NDArray[np.float32]
    pixels: NDArray[np.int64]
    right: NDArray[np.int64]
    disputed: NDArray[np.bool_]
    bins: NDArray[np.float64]
    """What `Calibration` counts of it."""

    @classmethod
    def of(cls, confidence: Any, right: Any, disputed: Any) -> Judged:
        """Count pixels: arrays of one shape."""
        parts = []
        for part in (disputed, ~disputed):
            values, inverse = np.unique(confidence[part], return_inverse=True)
            pixels = np.bincount(inverse, minlength=len(values))
            rights = np.bincount(inverse, right[part], len(values)).astype(np.int64)
            flags = np.full(len(values), part is disputed)
            parts.append((values.astype(np.float32), pixels, rights, flags))
        columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(*columns, count_bins(confidence, right))


def drawn(job: Job, votes: int, seed: int) -> Job:
    """`votes` workers of each image: the first of a permutation, images in order."""
    rng = np.random.default_rng(seed)
    images = []
    for image in job.images:
        places = rng.permutation(len(image.workers))[:votes]
        images.append(image.only(sorted(places.tolist())))
    return Job(job.name, job.n_classes, tuple(images))


def judged(result: Consensus, truth: NDArray[Any]) -> Judged:
    """Judge a result by the truth."""
    return Judged.of(result.confidence, result.labels == truth, result.disputed)


def error(images: Sequence[Judged], disputed: bool) -> float:
    """Expected calibration error over all pixels, or over the disputed ones."""
    kept = [one.disputed if disputed else slice(None) for one in images]
    pairs = list(zip(images, kept, strict=True))
    values, inverse = np.unique(
        np.concatenate([one.values[part] for one, part in pairs]), return_inverse=True
    )
    pixels = np.bincount(inverse, np.concatenate([one.pixels[part] for one, part in pairs]))
    right = np.bincount(inverse, np.concatenate([one.right[part] for one, part in pairs]))
    return expected_calibration_error(values.astype(np.float64), pixels, right)


Method = Callable[[Image, Job], Judged]


def methods(job: Job) -> dict[str, Method]:
    """Judge an image by every method, as a run over the job would decide it."""
    reliability, confusion = Reliability(), WorkerConfusion()
    for image in job.images:
        reliability.add(image.masks, image.workers)
        confusion.add(image.masks, image.workers)

    def ours(**options: Any) -> Method:
        def judge(image: Image, job: Job) -> Judged:
            given = dict(options)
            if "reliability" in given:
                given["workers"] = image.workers
            if "weights" in given:
                given["weights"] = WEIGHTS[: len(image.workers)]
            result = consolidate(image.masks, n_classes=job.n_classes, **given)
            return judged(result, image.truth)

        return judge

    found = {
        DEFAULT: ours(**LAMBDA),
        "plurality, share of heads": ours(),
        "weighted by reliability": ours(method="weighted", reliability=reliability, **LAMBDA),
        "weights given": ours(method="weighted", weights=WEIGHTS),
        "dawid-skene, an image": ours(method="dawid-skene"),
        "dawid-skene, pooled": ours(method="dawid-skene", reliability=confusion),
    }
    try:
        import SimpleITK

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        found[POSTERIOR] = staple
    except ImportError:
        sys.stderr.write("SimpleITK is not installed: left out\n")
    return found


def staple(image: Image, job: Job) -> Judged:
    """Judge STAPLE by its own probability of the class it chooses."""
    import SimpleITK

    fused = SimpleITK.STAPLEImageFilter()
    fused.SetForegroundValue(1)
    given = [SimpleITK.GetImageFromArray(mask) for mask in image.masks]
    foreground = SimpleITK.GetArrayFromImage(fused.Execute(given))
    chosen = foreground > 0.5
    confidence = np.where(chosen, foreground, 1 - foreground).astype(np.float32)
    disputed = (image.masks != image.masks[0]).any(axis=0)
    right = chosen == (image.truth > 0)
    return Judged.of(confidence, right, disputed)


def errors_of(job: Job, votes: int, draws: int) -> dict[str, NDArray[np.float64]]:
    """Error over disputed and over all pixels by method: (draws, 2)."""
    found: dict[str, list[list[float]]] = {}
    for seed in range(draws):
        some = drawn(job, votes, seed)
        for name, judge in methods(some).items():
            images = [judge(image, some) for image in some.images]
            found.setdefault(name, []).append([error(images, True), error(images, False)])
    return {name: np.array(values) for name, values in found.items()}


def error_tables(job: Job, draws: int) -> tuple[Rows, Rows]:
    """Targets, and rows of W, method, error over disputed and all pixels."""
    targets, rows = [], []
    limits = {3: 0.04, 5: 0.03, 7: 0.02}
    for votes in VOTES:
        # all seven workers can be drawn in one way only
        found = errors_of(job, votes, 1 if votes == 7 else draws)
        for name, values in found.items():
            rows.append([votes, name, *_digits(values[0], values.mean(axis=0), values.std(axis=0))])
        disputed, everywhere = found[DEFAULT][0].tolist()
        figure = f"expected calibration error, disputed pixels, W = {votes}"
        targets.append(verdict(figure, disputed, limits[votes], True))
        figure = f"expected calibration error, all pixels, W = {votes}"
        targets.append(verdict(figure, everywhere, 0.012, True))
    return targets, rows


def curve(job: Job, votes: int) -> Rows:
    """Rows of a reliability diagram of the default, on draw 0: value, pixels, share right."""
    some = drawn(job, votes, 0)
    judge = methods(some)[DEFAULT]
    counts: dict[float, NDArray[np.int64]] = {}
    for image in some.images:
        found = judge(image, some)
        for value, *more in zip(found.values.tolist(), found.pixels, found.right, strict=True):
            counts[value] = counts.get(value, np.zeros(2, np.int64)) + more
    return [
        [votes, value, int(pixels), float(right / pixels)]
        for value, (pixels, right) in sorted(counts.items())
        if pixels > 1000
    ]


def auroc(score: NDArray[np.float64], found: NDArray[np.bool_]) -> float:
    """Probability that an image to be found has a higher score than another one."""
    ranks = rankdata(score)
    n, rest = int(found.sum()), int((~found).sum())
    return float((ranks[found].sum() - n * (n + 1) / 2) / (n * rest))


RANKS: dict[str, Callable[[Consensus], float]] = {
    "need of review": lambda result: result.need_of_review,
    "image confidence": lambda result: -result.image_confidence,
    "mean share over all pixels": lambda result: -float(result.confidence.mean()),
}


def ranking(images: Sequence[Image], n_classes: int) -> dict[str, float]:
    """AUROC of every rank in finding the worst quarter of the images."""
    results = [consolidate(image.masks, n_classes=n_classes, **LAMBDA) for image in images]
    pairs = zip(results, images, strict=True)
    quality = np.array([mean_iou(result.labels, image.truth) for result, image in pairs])
    worst = quality <= np.quantile(quality, 0.25)
    return {
        name: auroc(np.array([rank(result) for result in results]), worst)
        for name, rank in RANKS.items()
    }


def ranking_tables(jobs: dict[str, list[Job]], crowd: Job, draws: int) -> tuple[Rows, Rows]:
    """Targets, and rows of set, rank, AUROC on draw 0, mean and deviation over draws."""
    targets, rows = [], []
    limits = {3: 0.79, 5: 0.84, 7: 0.80}
    sets = {
        f"{crowd.name}, truth, W = {votes}": [
            drawn(crowd, votes, seed) for seed in range(1 if votes == 7 else draws)
        ]
        for votes in VOTES
    }
    for name, trials in (sets | jobs).items():
        found = [ranking(trial.images, trial.n_classes) for trial in trials]
        for rank in RANKS:
            values = np.array([one[rank] for one in found])
            numbers = _digits([values[0]], [values.mean()], [values.std()])
            rows.append([name, rank, len(found), *numbers])
        if name in sets:
            votes = int(name[-1])
            figure = f"image confidence finds the worst quarter, AUROC, W = {votes}"
            targets.append(verdict(figure, found[0]["image confidence"], limits[votes], False))
            if votes == 5:
                lead = found[0]["need of review"] - found[0]["image confidence"]
                targets.append(verdict("need of review minus image confidence", lead, 0, False))
    return targets, rows


def held_out(job: Job, turns: int) -> list[Job]:
    """Predict one worker of each image, in turn, from the others: that mask is the truth."""
    jobs = []
    for turn in range(turns):
        images = []
        for image in job.images:
            worker = image.workers[turn % len(image.workers)]
            truth = image.masks[turn % len(image.workers)]
            rest = image.without(worker)
            images.append(Image(image.name, rest.workers, rest.masks, truth))
        jobs.append(Job(job.name, job.n_classes, tuple(images)))
    return jobs


def gold(
    images: Sequence[Judged], counts: Sequence[int], trials: int
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Error of images that were not gold: raw and calibrated, disputed and all; (trials, 4)."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(images)) for _ in range(trials)]
    for count in counts:
        found = []
        for order in orders:
            learnt = Calibration.of_bins([images[place].bins for place in order[:count]])
            rest = [images[place] for place in order[count:]]
            mapped = [replace(one, values=learnt(one.values)) for one in rest]
            found.append([error(some, part) for part in (True, False) for some in (rest, mapped)])
        yield count, np.array(found)


def gold_rows(jobs: dict[str, tuple[Job, str]], trials: int) -> Rows:
    """Rows of job, gold images, error before and after, and the worst change of all trials."""
    rows = []
    for name, (job, method) in jobs.items():
        judge = methods(job)[method]
        images = [judge(image, job) for image in job.images]
        for count, found in gold(images, (1, 3, 5, 10, 30), trials):
            change = found[:, 1] - found[:, 0]
            numbers = (*found.mean(axis=0).tolist(), float(change.max()))
            rows.append([name, count, *(round(number, 4) for number in numbers)])
        sys.stderr.write(f"{name}: recalibrated\n")
    return rows


def agreement_times() -> tuple[Rows, Rows]:
    """Target and rows: agreement of a 1024 x 1024 image, all statistics, in ms of CPU."""
    stack = masks(5, 8, 1024, 1024)

    def ours() -> None:
        agreement = Agreement.of(VotePatterns.encode(stack), 8)
        agreement.iou()
        agreement.dice()
        agreement.fleiss_kappa()
        agreement.krippendorff_alpha()

    times = measure({"ours": ours, "np.bincount": lambda: pairwise_by_bincount(stack, 8)})
    ratio = times["np.bincount"] / times["ours"]
    figure = "np.bincount per pair / all agreement statistics, 1024 x 1024, W = 5, K = 8"
    rows = [[f"{way}", value] for way, value in times.items()]
    return [verdict(figure, ratio, 15, False)], rows


def region_times() -> Rows:
    """Rows: disputed regions of a 1024 x 1024 image, in ms of CPU, and the vote beside them."""
    rows = []
    for where, top in (("all of the image", 1024), ("its upper quarter", 256)):
        stack = masks(5, 8, 1024, 1024).copy()
        stack[:, top:] = stack[0, top:]
        result = consolidate(stack, **LAMBDA)
        share = float(result.disputed.mean())
        ways = {
            "consolidate": lambda stack=stack: consolidate(stack, **LAMBDA),
            "regions": result.regions,
        }
        rows.append([where, share, len(result.regions()), *measure(ways).values()])
    return rows


def _digits(*groups: Any) -> list[float]:
    return [round(float(value), 4) for group in groups for value in group]


def main() -> None:
    """Measure, print, write results/calibration.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two draws instead of ten")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with masks/<set>")
    given = parser.parse_args()
    draws = 2 if given.quick else 10
    crowd = load(given.data / "masks" / "bubil_crowd")
    if crowd is None:
        sys.exit(f"bubil_crowd is not in {given.data}")
    targets, errors = error_tables(crowd, draws)
    sys.stderr.write("calibration errors: done\n")
    others = {kind: [simulated(KINDS[kind], 40, seed) for seed in range(2)] for kind in KINDS}
    for name in ("dermx_grouped", "rts_thaw_slumps"):
        job = load(given.data / "masks" / name)
        if job is not None:
            others[f"{name}, held out"] = held_out(job, 2 if given.quick else 6)
    more, ranks = ranking_tables(others, crowd, draws)
    targets += more
    sys.stderr.write("ranks: done\n")
    confused = simulated(KINDS["1 careful, 4 who confuse, 3 classes"], 60, 0)
    recalibrated = {
        f"bubil_crowd, W = {votes}, {DEFAULT}": (drawn(crowd, votes, 0), DEFAULT) for votes in VOTES
    } | {
        "bubil_crowd, W = 5, weights given": (drawn(crowd, 5, 0), "weights given"),
        "simulated, mixed five, 4 classes": (
            simulated(KINDS["mixed five, 4 classes"], 60, 0),
            DEFAULT,
        ),
        "simulated, 1 careful, 4 who confuse": (confused, DEFAULT),
    }
    golden = gold_rows(recalibrated, 5 if given.quick else 25)
    more, times = agreement_times()
    targets += more
    draw_columns = ["draw 0", "mean", "deviation over draws"]
    report(
        "calibration",
        {
            "Targets": (["figure", "measured", "wanted", "reached"], targets),
            "Expected calibration error on bubil_crowd": (
                [
                    *("W", "method", "disputed, draw 0", "all, draw 0"),
                    *("disputed, mean", "all, mean", "disputed, deviation", "all, deviation"),
                ],
                errors,
            ),
            "Confidence of the default on draw 0, values of more than 1000 pixels": (
                ["W", "confidence", "pixels", "right"],
                [row for votes in VOTES for row in curve(crowd, votes)],
            ),
            "Finding the worst quarter of images by IoU with the truth, AUROC": (
                ["set", "rank", "draws", *draw_columns],
                ranks,
            ),
            "Recalibration from gold images, error of the other images": (
                [
                    *("job", "gold images", "disputed, raw", "disputed, calibrated"),
                    *("all, raw", "all, calibrated", "worst change of 25, disputed"),
                ],
                golden,
            ),
            "Agreement statistics, 1024 x 1024, W = 5, K = 8 (ms of CPU)": (["way", "ms"], times),
            "Disputed regions, 1024 x 1024, W = 5, K = 8 (ms of CPU)": (
                ["disputes in", "share disputed", "regions told", "consolidate", "regions"],
                region_times(),
            ),
        },
    )


if __name__ == "__main__":
    main()

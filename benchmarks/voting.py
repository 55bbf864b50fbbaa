"""The voting core against a streaming kernel and against its peers.

Run it with ``python -m benchmarks.voting`` (``--quick`` for a smaller grid).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import measure, peak_memory, report, verdict
from benchmarks.limits import stream
from benchmarks.workloads import masks
from consolidation import Reliability, VotePatterns, consolidate
from consolidation.kernels.plurality import LANES, plurality
from tests import naive

SIZES = ((512, 512), (1024, 1024), (4096, 3072))
WORKERS = (3, 5, 10, 30)
CLASSES = (2, 8, 21, 150)
MAIN = (5, 8, 1024, 1024)


def kernel_ways(stack: NDArray[np.uint8]) -> dict[str, Callable[[], Any]]:
    """The vote and the limit, into the same reused arrays."""
    flat = stack.reshape(len(stack), -1)
    rows, n = tuple(flat), flat.shape[1]
    labels, votes, tied = np.empty(n, np.uint8), np.empty(n, np.uint8), np.empty(n, np.bool_)
    highest = np.zeros(LANES, np.uint8)
    return {
        "plurality kernel": lambda: plurality(rows, None, labels, votes, tied, highest),
        "streaming": lambda: stream(rows, labels, votes, tied),
    }


def check(stack: NDArray[np.uint8]) -> None:
    """The timed data, a part of it, against the naive twin; all of it against counting."""
    result = consolidate(stack)
    flat = stack.reshape(len(stack), -1)
    part = slice(0, 4096)
    for got, expected in zip(
        (result.labels, result.votes, result.tied), naive.plurality(flat[:, part]), strict=True
    ):
        np.testing.assert_array_equal(got.reshape(-1)[part], expected)
    best, most = np.zeros(stack.shape[1:], np.uint8), np.zeros(stack.shape[1:], np.uint8)
    for label in range(int(stack.max()) + 1):
        count = (stack == label).sum(axis=0, dtype=np.uint8)
        best[count > most] = label
        np.maximum(most, count, out=most)
    np.testing.assert_array_equal(result.labels, best)
    np.testing.assert_array_equal(result.votes, most)


def read_every_field(stack: NDArray[np.uint8]) -> None:
    """`consolidate` and everything it can tell."""
    result = consolidate(stack)
    for name in (
        "labels",
        "votes",
        "tied",
        "confidence",
        "disputed",
        "class_confidence",
        "image_confidence",
        "workers",
        "provenance",
    ):
        getattr(result, name)


def numpy_class_loop(stack: NDArray[np.uint8], k: int) -> NDArray[Any]:
    """Count each class in turn, keep the best."""
    best, most = np.zeros(stack.shape[1:], np.uint8), np.zeros(stack.shape[1:], np.uint8)
    for label in range(k):
        count = (stack == label).sum(axis=0, dtype=np.uint8)
        better = count > most
        best[better] = label
        np.maximum(most, count, out=most)
    return best


def numpy_bincount(stack: NDArray[np.uint8], k: int) -> NDArray[Any]:
    """One histogram a pixel, all in one call."""
    flat = stack.reshape(len(stack), -1)
    pixels = np.arange(flat.shape[1]) * k
    counts = np.bincount((flat + pixels).reshape(-1), minlength=flat.shape[1] * k)
    return np.asarray(counts.reshape(-1, k).argmax(axis=1))


def peers(stack: NDArray[np.uint8], k: int) -> dict[str, Callable[[], Any]]:
    """Other ways to vote; each gets its input in the form it likes best, outside the timing."""
    from scipy import stats

    ways: dict[str, Callable[[], Any]] = {
        "numpy class loop": lambda: numpy_class_loop(stack, k),
        "scipy.stats.mode": lambda: stats.mode(stack, axis=0),
        "np.bincount": lambda: numpy_bincount(stack, k),
    }
    try:
        import SimpleITK

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        images = [SimpleITK.GetImageFromArray(mask) for mask in stack]
        ways["SimpleITK LabelVoting"] = lambda: SimpleITK.LabelVoting(images, 255)
    except ImportError:
        pass
    if k == 2:
        try:
            import pandas as pd
            from crowdkit.aggregation import SegmentationMajorityVote

            answers = pd.DataFrame(
                [("image", str(w), mask.astype(bool)) for w, mask in enumerate(stack)],
                columns=["task", "worker", "segmentation"],
            )
            ways["crowd-kit"] = lambda: SegmentationMajorityVote().fit_predict(answers)
        except ImportError:
            pass
    try:
        import torch

        torch.set_num_threads(1)
        tensor = torch.from_numpy(stack)
        ways["torch.mode"] = lambda: torch.mode(tensor, dim=0)
    except ImportError:
        pass
    return ways


def weighted_class_loop(stack: NDArray[np.uint8], k: int, weights: list[float]) -> NDArray[Any]:
    """Add up the weights for each class in turn, keep the best."""
    best = np.zeros(stack.shape[1:], np.uint8)
    most = np.zeros(stack.shape[1:], np.float32)
    for label in range(k):
        score = np.zeros(stack.shape[1:], np.float32)
        for mask, weight in zip(stack, weights, strict=True):
            score += (mask == label) * np.float32(weight)
        better = score > most
        best[better] = label
        np.maximum(most, score, out=most)
    return best


def weighted_ways(stack: NDArray[np.uint8], k: int) -> dict[str, Callable[[], Any]]:
    """The weighted vote, and the plain one for comparison."""
    weights = [1.0 + 0.13 * worker for worker in range(len(stack))]
    ways = {
        "plain": lambda: consolidate(stack),
        "weighted": lambda: consolidate(stack, method="weighted", weights=weights),
        "numpy class loop": lambda: weighted_class_loop(stack, k, weights),
    }
    np.testing.assert_array_equal(ways["weighted"]().labels, ways["numpy class loop"]())
    return ways


def pairwise_by_bincount(stack: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
    """All pairwise confusion matrices the usual way."""
    flat = stack.reshape(len(stack), -1)
    out = np.zeros((len(flat), len(flat), k, k), np.int64)
    for a in range(len(flat)):
        scaled = flat[a].astype(np.int64) * k
        for b in range(a, len(flat)):
            out[a, b] = np.bincount(scaled + flat[b], minlength=k * k).reshape(k, k)
            out[b, a] = out[a, b].T
    return out


def pairwise_ways(stack: NDArray[np.uint8], k: int) -> dict[str, Callable[[], Any]]:
    """Confusion matrices of all pairs, by patterns and by np.bincount."""
    ours = VotePatterns.encode(stack).pairwise(k)
    np.testing.assert_array_equal(ours, pairwise_by_bincount(stack, k))
    return {
        "patterns": lambda: VotePatterns.encode(stack).pairwise(k),
        "np.bincount a pair": lambda: pairwise_by_bincount(stack, k),
    }


def crowds() -> tuple[list[list[Any]], list[list[Any]]]:
    """Votes and reliability of many workers, over the whole range: rows and targets."""
    rows, targets = [], []
    for workers in (32, 33, 64, 128, 255):
        for k, at_least in zip(CLASSES, (10, 4, 2, 1), strict=True):
            stack = masks(workers, k, 512, 512)
            check(stack)
            ways: dict[str, Callable[[], Any]] = {"consolidate": lambda s=stack: consolidate(s)}
            ways |= {
                name: way
                for name, way in peers(stack, k).items()
                if name == "SimpleITK LabelVoting"
            }
            times = measure(ways, rounds=3, budget=0.6)
            ratio = times.get("SimpleITK LabelVoting", 0) / times["consolidate"]
            ids = [str(worker) for worker in range(workers)]
            adding = None
            if k == 8:
                way = {"add": lambda s=stack, i=ids: Reliability().add(s, i)}
                adding = measure(way, rounds=2)["add"]
                if workers == 255:
                    title = "Reliability.add, 512 x 512, W 255, seconds of CPU"
                    targets.append(verdict(title, adding / 1e3, 1.5, True))
            rows.append([workers, k, *times.values(), ratio, adding])
            if workers > 32 and ratio:
                title = f"SimpleITK / consolidate, W {workers}, K {k}"
                targets.append(verdict(title, ratio, at_least, False))
    return rows, targets


MEMORY = """
import numpy as np
masks = np.zeros((9, 4000, {side}), np.uint8)
masks[0, :2000] = 1; masks[1, 1000:] = 2; masks[2:, :, ::3] = 1
import consolidation
consolidation.consolidate(np.zeros((9, 64, 64), np.uint8), **{options})
result = {call}
"""


def memory(megapixels: int, options: dict[str, Any]) -> float:
    """Bytes a pixel that consolidate() needs at its peak, beyond 9 masks, fields unread."""
    side = megapixels * 1_000_000 // 4000
    text = MEMORY.replace("{side}", str(side)).replace("{options}", repr(options))
    call = f"consolidation.consolidate(masks, **{options!r})"
    with_call, without = (peak_memory(text.replace("{call}", c)) for c in (call, "None"))
    return (with_call - without) / (megapixels * 1e6)


def main() -> None:
    """Measure, print, write results/voting.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="512 x 512 and the main case only")
    quick = parser.parse_args().quick
    targets = []

    limit_rows = []
    worst = {10: 0.0, 30: 0.0}
    for height, width in SIZES[: 2 if quick else 3]:
        for workers in WORKERS:
            stack = masks(workers, 8, height, width)
            check(stack)
            times = measure(kernel_ways(stack), rounds=41)
            ratio = times["plurality kernel"] / times["streaming"]
            per_pixel = times["plurality kernel"] * 1e6 / (height * width)
            limit_rows.append([f"{height} x {width}", workers, *times.values(), per_pixel, ratio])
            if height > 512:
                group = 10 if workers <= 10 else 30
                worst[group] = max(worst[group], ratio)
    targets += [
        verdict("plurality kernel / streaming, W 3-10, worst case", worst[10], 1.5, True),
        verdict("plurality kernel / streaming, W 30, worst case", worst[30], 4, True),
    ]

    peer_rows = []
    for height, width in SIZES[:2]:
        for workers in WORKERS:
            for k in CLASSES:
                main_case = (workers, k, height, width) == MAIN
                if not main_case and (height > 512 and (quick or (workers != 5 and k != 8))):
                    continue
                stack = masks(workers, k, height, width)
                check(stack)
                ways = kernel_ways(stack)
                ways["consolidate, every field"] = lambda stack=stack: read_every_field(stack)
                ways |= peers(stack, k)
                times = measure(ways, rounds=31 if main_case else 7, budget=3 if main_case else 0.4)
                best = times["plurality kernel"]
                for name, value in times.items():
                    peer_rows.append([f"{height} x {width}", workers, k, name, value, value / best])
                if main_case and "SimpleITK LabelVoting" in times:
                    sitk_time = times["SimpleITK LabelVoting"]
                    targets += [
                        verdict("SimpleITK / plurality kernel", sitk_time / best, 150, False),
                        verdict(
                            "SimpleITK / whole consolidate, every field read",
                            sitk_time / times["consolidate, every field"],
                            14,
                            False,
                        ),
                    ]

    crowd_rows, more_targets = crowds()
    targets += more_targets

    pair_rows = []
    for workers, k in ((5, 8),) if quick else ((3, 8), (5, 8), (10, 8), (5, 2), (5, 21), (5, 150)):
        stack = masks(workers, k, 1024, 1024)
        times = measure(pairwise_ways(stack, k), rounds=9)
        ratio = times["np.bincount a pair"] / times["patterns"]
        tuples = len(VotePatterns.encode(stack).tuples)
        pair_rows.append([workers, k, tuples, *times.values(), ratio])
        if (workers, k) == (5, 8):
            targets.append(verdict("np.bincount / patterns, all pairs", ratio, 15, False))

    weighted_rows = []
    for workers, k in ((5, 8),) if quick else ((3, 8), (5, 8), (10, 8), (5, 2), (5, 21)):
        times = measure(weighted_ways(masks(workers, k, 1024, 1024), k), rounds=9)
        weighted_rows.append([workers, k, *times.values()])

    memory_rows = []
    for options in ({}, {"smoothing": 1.0, "ties": "neighbours"}):
        used = memory(100, options)
        memory_rows.append([repr(options), used])
        targets.append(verdict(f"bytes a pixel beyond the masks, {options}", used, 4, True))

    report(
        "voting",
        {
            "Targets": (["figure", "measured", "target", "reached"], targets),
            "Kernel against the limit, K = 8 (ms of CPU)": (
                ["size", "W", "plurality kernel", "streaming", "ns a pixel", "ratio"],
                limit_rows,
            ),
            "Peers (ms of CPU)": (["size", "W", "K", "way", "ms", "times the kernel"], peer_rows),
            "Many workers, 512 x 512 (ms of CPU)": (
                ["W", "K", "consolidate", "SimpleITK", "ratio", "Reliability.add"],
                crowd_rows,
            ),
            "All pairwise confusion matrices, 1024 x 1024 (ms of CPU)": (
                ["W", "K", "tuples", "patterns", "np.bincount a pair", "ratio"],
                pair_rows,
            ),
            "Weighted vote, consolidate() on 1024 x 1024 (ms of CPU)": (
                ["W", "K", "plain", "weighted", "numpy class loop"],
                weighted_rows,
            ),
            "Memory of consolidate(), 100 megapixels x 9 workers": (
                ["options", "bytes a pixel beyond the masks"],
                memory_rows,
            ),
        },
    )


if __name__ == "__main__":
    main()

"""The Lambda from the outside: AWS's runtime client, the image's layout read-only, S3 over HTTP.

The image is laid out by `deploy/build.py` in a temporary folder; its packages are downloaded, and
its kernels compiled, which takes two minutes. Linux only::

    python -m benchmarks.lambda_cold_start [--task FOLDER]      # FOLDER: laid out before
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import cpu_levels
from benchmarks.harness import report, verdict
from benchmarks.payloads import answer_png, labels, payload
from benchmarks.workloads import masks
from consolidation.aws.kernel_cache import GENERIC
from consolidation.masks import class_color
from tests import wire
from tests.lambda_job import Job
from tests.mounts import read_only
from tests.runtime_api import Function
from tests.s3_server import Aws, serve

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, WARM = 9, 15
CLASSES = 8
BARE = "import numpy, numba, PIL.Image, boto3"
RUNTIME = "awslambdaric", "simplejson", "snapshot-restore-py"
"""The runtime client and what it needs: Lambda's own, not the image's."""
LOCAL = """
import json, pathlib, sys, time
from consolidation.aws.kernel_cache import use_baked_cache
use_baked_cache()
from consolidation.formats.groundtruth import AnnotationAnswer, parse_request, result_metadata
from consolidation.aws.record import Record
from consolidation.masks import Classes
from consolidation.options import Options
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject, MaskBuffer
path, rounds, *names = sys.argv[1:]
folder, buffer = pathlib.Path(path).parent, MaskBuffer()
options = Options(method="plurality")

def work():
    response = []
    for one in parse_request(pathlib.Path(path).read_bytes(), "payload"):
        answers = [(each.worker, AnnotationAnswer(each)) for each in one.annotations]
        obj = LabeledObject(one.id, {}, answers)
        result = consolidate_object(obj, Classes.of_labels(names), options, None, buffer)
        (folder / "mask.png").write_bytes(result.mask_png)
        (folder / "confidence.png").write_bytes(result.confidence_png())
        about = Record.of(result, options, path, "mask").full
        (folder / "provenance.json").write_text(json.dumps(about, indent=1))
        response.append(result_metadata(result, "", "job"))
    json.dumps(response)

times = []
for _ in range(int(rounds)):
    start = time.perf_counter()
    work()
    times.append(time.perf_counter() - start)
print(json.dumps(times))
"""
"""The same work by the pipeline, on files; the first time is not warm."""


class Image:
    """A folder laid out as in the image, and a Python that sees nothing else, and cannot write."""

    def __init__(self, task: Path, scratch: Path) -> None:
        self.task, self.scratch = task, scratch
        runtime = scratch / "runtime"
        runtime.mkdir()
        for name in RUNTIME:
            package = distribution(name)
            tops = {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}
            for top in tops:
                (runtime / top).symlink_to(str(package.locate_file(top)))
        self.python = [*read_only(task), sys.executable, "-S"]
        self.environment = {"PYTHONPATH": f"{task}:{runtime}", "TMPDIR": str(scratch)}

    def run(self, code: str, *arguments: str) -> str:
        """Standard output of a process that runs code."""
        environment = {**os.environ, **self.environment}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [*self.python, "-c", code, *arguments]
        return subprocess.run(
            command, env=environment, cwd=self.task, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def function(self, aws: Aws, handler: str = "handler", **environment: str) -> Function:
        """The consolidating function, or the other one."""
        variables = {**aws.environment(), **self.environment, **environment}
        log = self.scratch / "log"
        return Function(f"lambda_handler.{handler}", variables, log, self.task, self.python)

    def log(self) -> str:
        """What the last function has printed."""
        return (self.scratch / "log").read_text()


@contextmanager
def laid_out(task: Path | None) -> Iterator[Image]:
    """The image's layout, made now or before."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if task is None:
            task = scratch / "task"
            task.mkdir()
            for step in ("dependencies", "code"):
                build = [sys.executable, str(ROOT / "deploy" / "build.py"), step, str(task)]
                subprocess.run(build, check=True)
        yield Image(task.resolve(), scratch)


def objects(n_objects: int, n_workers: int, side: int, mode: str) -> list[Any]:
    """Payload of several objects."""
    made = []
    for index in range(n_objects):
        [one] = json.loads(payload(n_workers, CLASSES, side, side, mode))
        made.append({**one, "datasetObjectId": str(index)})
    return made


def huge(side: int, n_workers: int, n_named: int = CLASSES) -> list[Any]:
    """Payload of one object of side x side pixels, a smaller one repeated.

    Colours from class `n_named` on mean nothing, and are ignored.
    """
    names = {name: class_color(k) for k, name in enumerate(labels(n_named), 1)}
    answers = []
    for worker, mask in enumerate(masks(n_workers, CLASSES, side // 4, side // 4)):
        png = answer_png(np.tile(mask, (4, 4)), CLASSES, "palette")
        answers.append((f"private.us-east-1.{worker}", wire.picture_content(png, names)))
    return [wire.entry("0", *answers)]


def starts(image: Image, aws: Aws, event: Any) -> tuple[list[list[Any]], float]:
    """Seconds of bare import and of cold start; the median of their ratios."""
    bare, cold = [], []
    image.run(BARE)
    for _ in range(ROUNDS):
        start = time.perf_counter()
        image.run(BARE)
        bare.append(time.perf_counter() - start)
        start = time.perf_counter()
        with image.function(aws) as function:
            assert function.invoke(event).ok, image.log()
            cold.append(time.perf_counter() - start)
    rows = [
        ["bare import of numpy, numba, Pillow, boto3", statistics.median(bare)],
        ["process start to first response", statistics.median(cold)],
    ]
    return rows, statistics.median(c / b for c, b in zip(cold, bare, strict=True))


def warm(image: Image, aws: Aws, event: Any, request: bytes) -> tuple[float, float, float]:
    """Median seconds of an invocation, of the same work by the local pipeline; their ratio."""
    path = image.scratch / "payload.json"
    path.write_bytes(request)
    invoked, local = [], []
    with image.function(aws) as function:
        assert function.invoke(event).ok, image.log()
        for _ in range(ROUNDS):
            times = []
            for _ in range(WARM):
                start = time.perf_counter()
                assert function.invoke(event).ok
                times.append(time.perf_counter() - start)
            invoked.append(statistics.median(times))
            times = json.loads(image.run(LOCAL, str(path), str(WARM + 1), *labels(CLASSES)))
            local.append(statistics.median(times[1:]))
    ratio = statistics.median(i / one for i, one in zip(invoked, local, strict=True))
    return statistics.median(invoked), statistics.median(local), ratio


def s3_alone(job: Job, request: bytes) -> float:
    """Median seconds of the same reads and writes at S3, one after another."""
    s3, times = job.aws.client("s3"), []
    key = {"Bucket": job.bucket, "Key": "alone"}
    s3.put_object(**key, Body=request)
    for _ in range(WARM):
        start = time.perf_counter()
        s3.get_object(**key)["Body"].read()
        for _ in range(6):
            s3.put_object(Bucket=job.bucket, Key="file", Body=bytes(20_000))
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def tasks(image: Image, job: Job) -> list[float]:
    """Seconds of the first and of a warm invocation that makes a task."""
    event = {"labelingJobArn": job.arn, "dataObject": {"source-ref": "s3://bucket/1.png"}}
    times = []
    start = time.perf_counter()
    with image.function(job.aws, "pre_handler", CONSOLIDATION_LABELS="cat, dog") as function:
        for _ in range(WARM):
            assert function.invoke(event).ok, image.log()
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
    return [times[0], statistics.median(times[1:])]


def recompilations(image: Image, job: Job, aws: Aws) -> tuple[int, int]:
    """Functions compiled, and found compiled, for whatever a job may bring."""
    compiled = found = 0
    configurations: list[dict[str, str]] = [
        {},
        {"CONSOLIDATION_JOB_RELIABILITY": "yes", "CONSOLIDATION_TIES": "undecided"},
        {"CONSOLIDATION_METHOD": "dawid-skene", "CONSOLIDATION_MIN_VOTES": "2"},
        {"CONSOLIDATION_SMOOTHING": "0", "CONSOLIDATION_SNAP_COLORS": "9"},
    ]
    for number, configuration in enumerate(configurations):
        with image.function(aws, NUMBA_DEBUG_CACHE="1", **configuration) as function:
            for n_workers in range(1, 10):
                for mode in ("palette", "rgb", "rgba"):
                    event = job.event(
                        objects(1, n_workers, 200, mode),
                        f"2026-11-23_{number:02}:{n_workers:02}:{len(mode):02}",
                        labelCategories=labels(CLASSES),
                    )
                    assert function.invoke(event).ok, image.log()
        compiled += image.log().count("[cache] data saved")
        found += image.log().count("[cache] data loaded")
    return compiled, found


def peak(image: Image, aws: Aws, event: Any) -> tuple[float, float]:
    """Peak resident GB of the function's process, and its seconds."""
    with image.function(aws) as function:
        start = time.perf_counter()
        answer = function.invoke(event, 300)
        seconds = time.perf_counter() - start
        assert answer.ok, answer.body
        status = Path(f"/proc/{function.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e9, seconds


def main() -> None:
    """Measure, print, write results/lambda_cold_start.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", type=Path)
    given = parser.parse_args()
    targets = []
    with laid_out(given.task) as image, serve() as aws:
        job = Job.create(aws, "cold-start")
        content = objects(2, 5, 1024, "palette")
        event = job.event(content, labelCategories=labels(CLASSES))
        rows, ratio = starts(image, aws, event)
        targets.append(verdict("first response / bare import", ratio, 3.0, True))
        compiled, found = recompilations(image, job, aws)
        targets.append(verdict("kernels compiled, read-only layout", compiled, 0, True))
        rows.append(["kernels found in the image (number)", found])
        invoked, local, ratio = warm(image, aws, event, json.dumps(content).encode())
        rows.append(["the same payload again", invoked])
        rows.append(["the same by the local pipeline, on files", local])
        alone = s3_alone(job, json.dumps(content).encode())
        rows.append(["its reads and writes at this S3, one after another", alone])
        targets.append(verdict("warm invocation / local pipeline", ratio, 1.3, True))
        first, again = tasks(image, job)
        rows += [["a task: process start to first response", first], ["another task", again]]
        for what, n_named in (("", CLASSES), (", some pixels ignored", CLASSES - 1)):
            event = job.event(huge(10_000, 9, n_named), labelCategories=labels(CLASSES))
            gigabytes, seconds = peak(image, aws, event)
            figure = f"100 megapixels x 9 answers{what}"
            rows.append([f"{figure}: first invocation", seconds])
            targets.append(verdict(f"{figure}: peak memory, GB", gigabytes, 2, True))
    columns, compared = cpu_levels.compare()
    of_vote = dict(zip(columns, compared[0], strict=True))
    targets.append(
        verdict("vote compiled for the best level shipped / native", of_vote[columns[2]], 1.5, True)
    )
    report(
        "lambda_cold_start",
        {
            "Targets": (["figure", "measured", "target", "reached"], targets),
            "Seconds": (["what", "median"], rows),
            f"Kernels by what they are compiled for: times of native ({GENERIC} is the fallback)": (
                columns,
                compared,
            ),
        },
    )


if __name__ == "__main__":
    main()

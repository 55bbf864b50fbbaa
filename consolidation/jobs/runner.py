"""A whole job: every object through the pipeline, and the folder of results."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consolidation import storage
from consolidation._version import __version__
from consolidation.consensus import Choice, Reliability, WorkerConfusion
from consolidation.errors import ConsolidationError
from consolidation.groundtruth import compact, manifest_line
from consolidation.jobs.learning import choose, learn_confusion, learn_reliability
from consolidation.jobs.sources import Source
from consolidation.jobs.tables import Tables
from consolidation.masks import Classes
from consolidation.names import file_names
from consolidation.options import Options
from consolidation.pipeline import ObjectResult, consolidate_object
from consolidation.prepare import LabeledObject, MaskBuffer


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    images: int
    failures: int
    warnings: int
    workers: int
    classes: int
    disputed: float
    """Share of all pixels that workers did not agree on."""
    confidence: float
    """Mean over images of their confidence; NaN without any."""
    seconds: float
    choice: Choice | None = None
    """What `auto` chose, if it was asked."""
    twins: tuple[tuple[str, str], ...] = ()
    """Workers with the same answers to the pixel."""

    @property
    def images_per_second(self) -> float:
        """Consolidated images a second."""
        return self.images / self.seconds if self.seconds > 0 else float("inf")


@dataclass
class Progress:
    """How far a run is."""

    done: int = 0
    total: int = 0
    warnings: int = 0
    failures: int = 0


class JobRun:
    """One run over a source into a folder.

    Parameters
    ----------
    source : Source
    classes : Classes
    out : path
        Gets ``masks/``, ``output.manifest``, ``images.csv``, ``workers.csv``, ``failures.jsonl``,
        ``warnings.jsonl`` and ``provenance.json``; and ``reliability.json`` if it was learnt.
    options : Options
    known : Reliability, optional
        What earlier jobs told about the same workers.
    """

    def __init__(
        self,
        source: Source,
        classes: Classes,
        out: Path,
        options: Options,
        known: Reliability | None = None,
    ) -> None:
        self.source, self.classes, self.out, self.options = source, classes, out, options
        self._known = known
        self.reliability: Reliability | None = None
        self.choice: Choice | None = None
        self._confusion: WorkerConfusion | None = None
        self.names = file_names(source.ids)
        self.tables = Tables(len(classes))
        self.creation_date = _now()
        self._buffer = MaskBuffer()
        self._lines: list[str] = []
        self._failures: list[dict[str, Any]] = []
        self._warnings: list[dict[str, Any]] = []

    def run(self, on_progress: Callable[[Progress], None] = lambda _: None) -> Summary:
        """Consolidate every object, write everything, and sum it up."""
        started = time.perf_counter()
        passes = 1 if self.options.method == "plurality" else 2
        progress = Progress(total=passes * len(self.source.ids))

        def one_more() -> None:
            progress.done += 1
            progress.warnings, progress.failures = len(self._warnings), len(self._failures)
            on_progress(progress)

        if passes == 2:
            self._learn(one_more)
        for obj in self.source.objects():
            self._one(obj)
            one_more()
        self._write_tables()
        return self._summary(time.perf_counter() - started)

    def _learn(self, on_object: Callable[[], None]) -> None:
        """First pass: reliability of the workers, and whether to weigh votes by it."""
        about = (self.source, self.classes, self.options)
        if self.options.method == "dawid-skene":
            self._confusion = learn_confusion(*about, on_object)
            return
        self.reliability, shared = learn_reliability(*about, self._known, on_object)
        if self.options.method == "auto":
            self.choice = choose(*about, self.reliability, shared)

    def _one(self, obj: LabeledObject) -> None:
        try:
            learnt = self.choice or self._confusion or self.reliability
            result = consolidate_object(obj, self.classes, self.options, learnt, self._buffer)
            self._keep(obj, result)
        except Exception as error:
            # whatever one object did, the others are done; a defect of ours says so
            known = isinstance(error, ConsolidationError)
            reason = str(error) if known else f"internal error: {type(error).__name__}: {error}"
            self._failures.append({"object": obj.id, "reason": reason})
            self._lines.append(manifest_line(obj.line, self.options.label_attribute, None, None))

    def _keep(self, obj: LabeledObject, result: ObjectResult) -> None:
        mask = f"masks/{self.names[obj.id]}.png"
        storage.write_bytes(self.out / mask, result.mask_png)
        if self.options.confidence_maps:
            name = f"confidence/{self.names[obj.id]}.png"
            storage.write_bytes(self.out / name, result.confidence_png())
        prefix = self.options.mask_uri_prefix
        uri = f"{prefix.rstrip('/')}/{mask}" if prefix else mask
        block = result.metadata(self.creation_date, self.options.job_name)
        line = manifest_line(obj.line, self.options.label_attribute, uri, block)
        self.tables.add(result, mask)
        for one in result.warnings:
            self._warnings.append({"object": obj.id, **one._asdict()})
            if one.dropped:
                self.tables.worker(one.worker).dropped_answers += 1
        # last: an object that fails on the way has one line, without a label
        self._lines.append(line)

    def _write_tables(self) -> None:
        write = storage.write_bytes
        write(self.out / "output.manifest", _lines(self._lines))
        write(self.out / "images.csv", self.tables.images_csv())
        write(self.out / "workers.csv", self.tables.workers_csv(self.reliability))
        write(self.out / "failures.jsonl", _lines(map(compact, self._failures)))
        write(self.out / "warnings.jsonl", _lines(map(compact, self._warnings)))
        write(self.out / "provenance.json", _pretty(self.provenance()))
        if self.reliability is not None:
            write(self.out / "reliability.json", self.reliability.to_json().encode())

    def _effective_options(self) -> dict[str, Any]:
        options = asdict(self.options)
        if self.options.method == "dawid-skene":
            # it decides by other means
            del options["smoothing"]
        return options

    def provenance(self) -> dict[str, Any]:
        """JSON-ready: version, options, classes, and what was learnt over the job."""
        content: dict[str, Any] = {
            "version": __version__,
            "creation_date": self.creation_date,
            "options": self._effective_options(),
            "classes": list(self.classes.names),
        }
        if self.choice is not None:
            content["auto"] = self.choice.as_dict()
        if self.reliability is not None:
            estimate = self.reliability.estimate()
            content["reliability"] = {
                "quality": {key: round(value, 6) for key, value in estimate.quality.items()},
                "junk": sorted(estimate.junk),
                "twins": [list(pair) for pair in self.reliability.twins()],
                "rounds": estimate.rounds,
                "converged": estimate.converged,
            }
        return content

    def _summary(self, seconds: float) -> Summary:
        rows = self.tables.images
        pixels = sum(row.height * row.width for row in rows)
        disputed = sum(row.disputed * row.height * row.width for row in rows)
        return Summary(
            images=len(rows),
            failures=len(self._failures),
            warnings=len(self._warnings),
            workers=len(self.tables.workers),
            classes=len(self.classes),
            disputed=disputed / pixels if pixels else 0.0,
            confidence=sum(row.confidence for row in rows) / len(rows) if rows else float("nan"),
            seconds=seconds,
            choice=self.choice,
            twins=tuple(self.reliability.twins()) if self.reliability is not None else (),
        )


def _lines(lines: Any) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _pretty(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _now() -> str:
    """Time for the manifest, UTC; fixed by SOURCE_DATE_EPOCH where runs must repeat to the byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return now.replace(tzinfo=None).isoformat(timespec="microseconds")

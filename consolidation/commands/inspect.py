"""What is in a source, and what a run over it would stumble over. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from consolidation.errors import ConsolidationError
from consolidation.formats import Source, SourceObject, SourceOptions, job_classes, open_source
from consolidation.masks import Classes
from consolidation.objects import LabeledObject, LoadedAnswer
from consolidation.objects.prepare import MaskBuffer, prepare_object
from consolidation.options import Options
from consolidation.text import count

LARGE = 500
"""Objects above which a sample is looked into, unless all are asked for."""
SAMPLE = 200
EXAMPLES = 3
"""Problems of one kind that a person is shown."""


@dataclass
class Inspection:
    """What was found.

    Attributes
    ----------
    kind : str
        Kind of source.
    classes : tuple of str
        By index.
    values : str
        What stored values of masks mean, where there are such.
    notes : sequence of str
        How the source is understood, where it could be understood in another way.
    objects : int
    looked : int
        Objects that were looked into; what follows is about these.
    answers : int
        Annotations, usable or not.
    per_object : Counter
        Number of objects by their number of answers.
    workers : Counter
        Number of answers by worker.
    sizes : Counter
        Number of answers by (height, width).
    by_kind : dict of str to list of str
        Problems, one line each naming object and worker, by kind.
    """

    kind: str
    classes: tuple[str, ...]
    values: str = ""
    notes: Sequence[str] = ()
    objects: int = 0
    looked: int = 0
    answers: int = 0
    per_object: Counter[int] = field(default_factory=Counter)
    workers: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    by_kind: dict[str, list[str]] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """All problems."""
        return [line for lines in self.by_kind.values() for line in lines]

    def add(self, kind: str, line: str) -> None:
        """Note a problem of some kind."""
        self.by_kind.setdefault(kind, []).append(line)

    def table(self, most: int = 10) -> str:
        """Plain text for a person, at most `most` workers, classes and sizes."""
        lines = [f"{self.kind}: {self.objects:,} objects, {self.answers:,} answers"]
        if self.looked < self.objects:
            lines.append(f"  looked into        {self.looked:,} of them; --all looks into all")
        counts = ", ".join(
            f"{objects} with {answers}" for answers, objects in sorted(self.per_object.items())
        )
        lines.append(f"  answers an object  {counts}")
        listed = ", ".join(f"{index} {name}" for index, name in enumerate(self.classes[:most]))
        more = ", ..." if len(self.classes) > most else ""
        lines.append(f"  classes            {len(self.classes)}: {listed}{more}")
        if self.values:
            lines.append(f"  values             {self.values}")
        lines += [f"  note               {note}" for note in self.notes]
        sizes = self.sizes.most_common(most)
        shown = ", ".join(f"{width} x {height} ({n})" for (height, width), n in sizes)
        lines.append(f"  mask sizes         {shown}{', ...' if len(self.sizes) > most else ''}")
        lines.append(f"  workers            {len(self.workers):,}")
        for worker, answers in self.workers.most_common(most):
            lines.append(f"    {answers:>6,} answers  {worker}")
        if len(self.workers) > most:
            lines.append(f"    ... and {len(self.workers) - most:,} more")
        lines.append(f"  problems           {len(self.problems):,}")
        for kind, problems in self.by_kind.items():
            lines.append(f"    {len(problems):>6,} {kind}")
            lines += [f"           {problem}" for problem in problems[:EXAMPLES]]
            if len(problems) > EXAMPLES:
                lines.append(f"           ... and {len(problems) - EXAMPLES:,} more")
        # names are strangers': none may look like a line of ours
        return "\n".join(line.replace("\n", "\\n") for line in lines)


def inspect_source(
    path: str | Path,
    options: Options | None = None,
    *,
    labels: str | Path | None = None,
    source_options: SourceOptions | None = None,
    everything: bool = False,
) -> Inspection:
    """Look through a source as a run would: its answers are read and decoded.

    Parameters
    ----------
    path : path or ``s3://`` URI
    options : Options, optional
        Those of the run.
    labels, source_options
        As for `run_job`.
    everything : bool, optional
        Look into every object. Otherwise of more than 500, 200 spread over the source.

    Raises
    ------
    SourceError
        If the source cannot be read, or not be understood: a run would end with the same.
    """
    options = options or Options()
    reading = replace(source_options or SourceOptions(), labels=labels).within(options)
    source = open_source(path, reading)
    classes = job_classes(source, labels)
    values = "" if classes.meaning is None else classes.meaning.text
    inspection = Inspection(source.kind, classes.names, values, source.notes)
    inspection.objects = len(source.items)
    buffer = MaskBuffer()
    for item in _sample(source.items, everything):
        inspection.looked += 1
        _inspect_object(inspection, item, classes, options, buffer)
    _inspect_manifest(inspection, source)
    return inspection


def _sample(items: Sequence[SourceObject], everything: bool) -> Iterator[SourceObject]:
    if everything or len(items) <= LARGE:
        yield from items
        return
    for index in range(SAMPLE):
        # the first, the last, and evenly between them
        yield items[index * (len(items) - 1) // (SAMPLE - 1)]


@dataclass(frozen=True)
class _Fetched:
    """An answer that was loaded before, or the error that this ended with."""

    loaded: LoadedAnswer | ConsolidationError

    def load(self, options: Options) -> LoadedAnswer:
        if isinstance(self.loaded, ConsolidationError):
            raise self.loaded
        return self.loaded


def _inspect_object(
    inspection: Inspection,
    item: SourceObject,
    classes: Classes,
    options: Options,
    buffer: MaskBuffer,
) -> None:
    try:
        obj = item.load()
    except ConsolidationError as error:
        inspection.add("objects that cannot be read", f"object {item.id}: {error}")
        return
    inspection.per_object[len(obj.answers)] += 1
    if obj.error is not None:
        inspection.add("objects that cannot be read", f"object {obj.id}: {obj.error}")
        return
    if not obj.answers:
        inspection.add("objects without answers", f"object {obj.id}: it has no answers")
        return
    obj, unread = _fetched(inspection, obj, classes, options)
    workers = {worker for worker, _ in obj.answers}
    if len(workers) == 1:
        inspection.add("objects with one worker alone", f"object {obj.id}: worker {workers.pop()}")
    try:
        prepared = prepare_object(obj, classes, options, buffer)
    except ConsolidationError as error:
        inspection.add("objects that fail", f"object {obj.id}: {error}")
        return
    for warning in prepared.warnings:
        if warning.worker not in unread:
            kind = "answers that do not count" if warning.dropped else "pixels and answers repaired"
            inspection.add(kind, f"object {obj.id}, worker {warning.worker}: {warning.message}")


def _fetched(
    inspection: Inspection, obj: LabeledObject, classes: Classes, options: Options
) -> tuple[LabeledObject, set[str]]:
    """The object with its answers loaded, and the workers whose answers cannot be read."""
    answers, unread, sizes = [], set(), set()
    for worker, answer in obj.answers:
        inspection.answers += 1
        inspection.workers[worker] += 1
        where = f"object {obj.id}, worker {worker}"
        try:
            loaded = answer.load(options)
            size = loaded.size(options)
        except ConsolidationError as error:
            inspection.add("answers that cannot be read", f"{where}: {error}")
            answers.append((worker, _Fetched(error)))
            unread.add(worker)
            continue
        answers.append((worker, _Fetched(loaded)))
        if size is not None:
            sizes.add(size)
            inspection.sizes[size] += 1
        for name in loaded.colors:
            if classes.index(name) is None:
                line = f"{where}: label {name!r} is no class of this job"
                inspection.add("labels that are no class", line)
    if len(sizes) > 1:
        line = f"object {obj.id}: masks of {len(sizes)} different sizes"
        inspection.add("objects of several sizes", line)
    return replace(obj, answers=answers), unread


def _inspect_manifest(inspection: Inspection, source: Source) -> None:
    """Lines of the manifest without an object, and objects without a line."""
    if source.manifest is None:
        return
    numbers = {item.line_number for item in source.items}
    lines = [str(number + 1) for number in range(len(source.manifest)) if number not in numbers]
    if lines:
        some = ", ".join(lines[:5]) + (", ..." if len(lines) > 5 else "")
        text = f"{count(len(lines), 'line')} of {source.manifest.uri}: {some}"
        inspection.add("manifest lines without an object", text)
    for item in source.items:
        if item.line_number is None:
            inspection.add("objects without a line in the manifest", f"object {item.id}")

"""What is in a source: objects, workers, classes, sizes, problems. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from consolidation.errors import ConsolidationError
from consolidation.formats import SourceOptions, job_classes, open_source
from consolidation.options import Options


@dataclass
class Inspection:
    """What was found.

    Attributes
    ----------
    kind : str
        Kind of source.
    objects : int
    answers : int
        Annotations, usable or not.
    per_object : Counter
        Number of objects by their number of answers.
    workers : Counter
        Number of answers by worker.
    classes : tuple of str
        By index.
    sizes : Counter
        Number of answers by (height, width).
    problems : list of str
        One line each, naming object and worker.
    notes : sequence of str
        What was left out or decided when the source was opened.
    """

    kind: str
    classes: tuple[str, ...]
    objects: int = 0
    answers: int = 0
    per_object: Counter[int] = field(default_factory=Counter)
    workers: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: Sequence[str] = ()

    def table(self, most: int = 10) -> str:
        """Plain text for a person, at most `most` lines of each kind."""
        lines = [f"{self.kind}: {self.objects:,} objects, {self.answers:,} answers"]
        counts = ", ".join(
            f"{objects} with {answers}" for answers, objects in sorted(self.per_object.items())
        )
        lines.append(f"  answers an object  {counts}")
        listed = ", ".join(f"{index} {name}" for index, name in enumerate(self.classes[:most]))
        more = ", ..." if len(self.classes) > most else ""
        lines.append(f"  classes            {len(self.classes)}: {listed}{more}")
        sizes = self.sizes.most_common(most)
        shown = ", ".join(f"{width} x {height} ({n})" for (height, width), n in sizes)
        lines.append(f"  mask sizes         {shown}{', ...' if len(self.sizes) > most else ''}")
        lines.append(f"  workers            {len(self.workers):,}")
        for worker, answers in self.workers.most_common(most):
            lines.append(f"    {answers:>6,} answers  {worker}")
        if len(self.workers) > most:
            lines.append(f"    ... and {len(self.workers) - most:,} more")
        lines += [f"  note               {note}" for note in self.notes[:most]]
        lines.append(f"  problems           {len(self.problems):,}")
        lines += [f"    {problem}" for problem in self.problems[:most]]
        if len(self.problems) > most:
            lines.append(f"    ... and {len(self.problems) - most:,} more")
        # names are strangers': none may look like a line of ours
        return "\n".join(line.replace("\n", "\\n") for line in lines)


def inspect_source(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    source_options: SourceOptions | None = None,
) -> Inspection:
    """Look through a source without decoding its masks; SourceError if it cannot be read."""
    source = open_source(path, replace(source_options or SourceOptions(), labels=labels))
    options = Options()
    found = Inspection(source.kind, job_classes(source, labels).names, notes=source.notes)
    known = set(found.classes)
    for item in source.items:
        found.objects += 1
        try:
            obj = item.load()
        except ConsolidationError as error:
            found.problems.append(f"object {item.id}: {error}")
            continue
        found.per_object[len(obj.answers)] += 1
        if obj.error is not None:
            found.problems.append(f"object {obj.id}: {obj.error}")
        elif not obj.answers:
            found.problems.append(f"object {obj.id}: it has no answers")
        sizes = set()
        for worker, answer in obj.answers:
            found.answers += 1
            found.workers[worker] += 1
            where = f"object {obj.id}, worker {worker}"
            try:
                loaded = answer.load(options)
                size = loaded.size(options)
            except ConsolidationError as error:
                found.problems.append(f"{where}: {error}")
                continue
            if size is not None:
                sizes.add(size)
                found.sizes[size] += 1
            found.problems += [
                f"{where}: label {name!r} is no class of this job"
                for name in loaded.colors
                if name not in known
            ]
        if len(sizes) > 1:
            found.problems.append(f"object {obj.id}: masks of {len(sizes)} different sizes")
    return found

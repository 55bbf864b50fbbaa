"""Where the files of a simulated job lie, and who took part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consolidation.errors import SourceError

_REQUESTS = Path("annotations", "consolidated-annotation", "consolidation-request", "iteration-1")


@dataclass(frozen=True)
class SimulatedJob:
    """What was written where.

    Attributes
    ----------
    folder : Path
        The job.
    object_ids : tuple of str
        In manifest order; the true mask of an object is `truth/<id>.png`.
    class_names : tuple of str
        By class index; entry 0 is BACKGROUND.
    worker_ids, worker_kinds : tuple of str
        Who answered, and what kind of worker that is.

    Examples
    --------
    >>> job = SimulatedJob(Path("job"), ("0",), ("BACKGROUND", "road"), ("me",), ("careful",))
    >>> job.image_key(0), job.truth.name
    ('images/000.png', 'truth')
    """

    folder: Path
    object_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    worker_ids: tuple[str, ...]
    worker_kinds: tuple[str, ...]

    @property
    def images(self) -> Path:
        """Folder of pictures."""
        return self.folder / "images"

    @property
    def truth(self) -> Path:
        """Folder of true masks, one `<object id>.png` each."""
        return self.folder / "truth"

    @property
    def requests(self) -> Path:
        """Folder of consolidation requests: what to hand to a consolidation run."""
        return self.folder / _REQUESTS

    @property
    def manifest(self) -> Path:
        """Input manifest, one JSON line for each object."""
        return self.folder / "input.manifest"

    @property
    def label_categories(self) -> Path:
        """Label category file of the job; does not list BACKGROUND."""
        return self.folder / "label-categories.json"

    @property
    def classes(self) -> Path:
        """Index, name and colour of every class, background first."""
        return self.folder / "classes.json"

    def image_key(self, number: int) -> str:
        """Name of a picture as manifest and requests give it, relative to the job."""
        return f"images/{number:03d}.png"

    def refuse_leftovers(self, requests: Sequence[str]) -> None:
        """Make sure that the folder holds no file that this job would not overwrite.

        Parameters
        ----------
        requests : sequence of str
            Names of the request files to be written.

        Raises
        ------
        SourceError
            If there is one: a larger job was here before, and the two would be read as one.
        """
        written = {self.folder / self.image_key(n) for n in range(len(self.object_ids))}
        written |= {self.truth / f"{object_id}.png" for object_id in self.object_ids}
        written |= {self.requests / name for name in requests}
        for folder in (self.images, self.truth, self.folder / "annotations"):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path not in written:
                    raise SourceError(f"{self.folder} holds files of another job, such as {path}")

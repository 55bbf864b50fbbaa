"""Draw the README's picture: one image of the demonstration, its workers, its consensus.

Run it with ``python docs/picture.py`` from the project's root; it writes ``docs/result.png``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from consolidation.evaluation import simulate_job
from consolidation.jobs.sources import open_source
from consolidation.masks import decode_indices
from consolidation.options import Options
from consolidation.pipeline import consolidate_object
from consolidation.report import show

IMAGE = "7"


def main() -> None:
    """Simulate the job, consolidate the image, and draw it."""
    with tempfile.TemporaryDirectory() as folder:
        job = simulate_job(folder)
        source = open_source(job.folder)
        [obj] = [one for one in source.objects() if one.id == IMAGE]
        result = consolidate_object(obj, source.classes(), Options())
        card = show(
            result.consensus,
            (job.folder / str(obj.line["source-ref"])).read_bytes(),
            names=[one.name for one in result.classes],
            colors=[one.color for one in result.classes],
            extra={"the truth": decode_indices((job.truth / f"{IMAGE}.png").read_bytes())},
        )
    card.save(Path("docs", "result.png"))


if __name__ == "__main__":
    main()

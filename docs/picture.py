"""Draw the README's picture: one image of the demonstration, its workers, its consensus.

Run it with ``python docs/picture.py`` from the project's root; it writes ``docs/result.png``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from consolidation.consensus import Reliability
from consolidation.formats import open_source
from consolidation.masks import decode_indices
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import ignore_index, prepare_object
from consolidation.options import Options
from consolidation.report import show
from consolidation.simulation import simulate_job

IMAGE = "7"


def main() -> None:
    """Simulate the job, learn whom to trust as a run does, consolidate the image, and draw it."""
    with tempfile.TemporaryDirectory() as folder:
        job = simulate_job(folder)
        source = open_source(job.folder)
        classes, options = source.classes(), Options()
        reliability = Reliability()
        for obj in source.objects():
            masks = prepare_object(obj, classes, options)
            reliability.add(masks.masks, masks.workers, ignore_index(classes))
        [obj] = [one for one in source.objects() if one.id == IMAGE]
        result = consolidate_object(obj, classes, options, reliability)
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

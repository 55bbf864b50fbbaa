"""What `consolidate evaluate` draws: how often the confidence of a run was right."""

from __future__ import annotations

from consolidation import storage
from consolidation.evaluation import ConfidenceCounts, reliability_diagram
from consolidation.jobs.folder.layout import DIAGRAM, REPORT
from consolidation.report import CalibrationBin, with_reliability


def write_diagrams(counts: ConfidenceCounts, folder: str, picture: str | None = None) -> list[str]:
    """Draw the reliability diagram, as a picture and into the run's report if there is one.

    Parameters
    ----------
    counts : ConfidenceCounts
    folder : path or ``s3://`` URI
        Folder of the run. Its report has a place for the diagram; one that has none, or is not
        there, is left alone.
    picture : path or URI, optional
        PNG to write; ``reliability.png`` in the folder without it.

    Returns
    -------
    list of str
        What was written.
    """
    picture = picture or storage.join(folder, DIAGRAM)
    storage.write_bytes(picture, reliability_diagram(counts))
    report = storage.join(folder, REPORT)
    if not storage.exists(report):
        return [picture]
    page = storage.read_bytes(report)
    drawn = with_reliability(page, [CalibrationBin(*dot) for dot in counts.dots()])
    if drawn == page:
        return [picture]
    storage.write_bytes(report, drawn)
    return [picture, report]

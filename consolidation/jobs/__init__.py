"""A whole job: where objects come from, the run over them, what it leaves behind."""

from consolidation.jobs.calibrate import Calibrated, calibrate
from consolidation.jobs.demo import Demo, run_demo
from consolidation.jobs.diagrams import write_diagrams
from consolidation.jobs.inspect import Inspection, inspect_source
from consolidation.jobs.review import ReviewItem, review_manifest
from consolidation.jobs.run import run_job
from consolidation.jobs.runner import Progress, Summary
from consolidation.jobs.show import show_object
from consolidation.jobs.sources import Source, SourceOptions, open_source

__all__ = [
    "Calibrated",
    "Demo",
    "Inspection",
    "Progress",
    "ReviewItem",
    "Source",
    "SourceOptions",
    "Summary",
    "calibrate",
    "inspect_source",
    "open_source",
    "review_manifest",
    "run_demo",
    "run_job",
    "show_object",
    "write_diagrams",
]

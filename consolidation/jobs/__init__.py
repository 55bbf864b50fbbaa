"""A whole job: the run over a source's objects, in storeys: folder, work, results, runner."""

from consolidation.jobs.runner import JobRun, Progress, Summary

__all__ = ["JobRun", "Progress", "Summary"]

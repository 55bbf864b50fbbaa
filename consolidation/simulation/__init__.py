"""Labeling jobs whose truth is known, written as a finished Ground Truth job has them."""

from consolidation.simulation.simulate import simulate_job
from consolidation.simulation.simulated_job import SimulatedJob
from consolidation.simulation.worker_kinds import KINDS

__all__ = ["KINDS", "SimulatedJob", "simulate_job"]

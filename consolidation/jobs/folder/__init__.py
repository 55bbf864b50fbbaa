"""A run's folder: what lies where, who may write, how far a run is, what was done."""

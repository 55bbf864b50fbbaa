"""Coverage-guided fuzzing of what strangers send: ``make fuzz``."""

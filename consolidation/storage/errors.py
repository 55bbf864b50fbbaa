"""What storage raises."""

from consolidation.errors import ConsolidationError


class StorageError(ConsolidationError):
    """Something cannot be read or written; the text names it and says why."""

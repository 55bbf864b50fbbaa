"""What storage raises."""

from consolidation.errors import ConsolidationError


class StorageError(ConsolidationError):
    """Something cannot be read or written; the text names it and says why.

    Attributes
    ----------
    absent : bool
        It is not there, or not for us to see: asking again will not help.
    """

    def __init__(self, message: str, absent: bool = False) -> None:
        super().__init__(message)
        self.absent = absent

"""The errors a caller can catch. Wrong arguments to array functions are plain ``ValueError``."""

from __future__ import annotations


class ConsolidationError(Exception):
    """Base of every error raised on purpose; its text is one line meant for a person."""


class SourceError(ConsolidationError):
    """A whole source (a job, a folder, a file) cannot be read or is empty."""


class OptionError(ConsolidationError):
    """An option has a value that it cannot have."""


class ObjectError(ConsolidationError):
    """One object of a job cannot be consolidated; the others are not affected."""


class AnswerError(ConsolidationError):
    """One worker's answer cannot be used; the object's other answers are not affected."""


class ForeignValueError(AnswerError):
    """A mask holds values that mean nothing in its source: its object fails, votes would be lost.

    Everything else that is wrong with an answer is its own fault; this is how the source is read.
    """


class ForeignAnswerError(AnswerError):
    """A worker painted something, and nothing of it is a class of the job."""


class RunError(ConsolidationError):
    """A run cannot begin or go on in its output folder."""


class InternalError(ConsolidationError):
    """A defect of ours: no input should lead to it."""

    @classmethod
    def of(cls, error: Exception) -> InternalError:
        """Wrap an exception that nobody raised on purpose.

        Examples
        --------
        >>> InternalError.of(KeyError("a"))
        InternalError("internal error: KeyError: 'a'")
        """
        return cls(f"internal error: {type(error).__name__}: {error}")

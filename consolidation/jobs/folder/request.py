"""What a run is: a source, how it is read, and how its objects are consolidated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consolidation import storage
from consolidation._version import __version__
from consolidation.consensus import METHODS, Calibration, Reliability
from consolidation.errors import OptionError, SourceError
from consolidation.formats import Source, SourceOptions, job_classes, open_source
from consolidation.masks import ENCODER, Classes
from consolidation.options import Options

_READING = ("masks", "missing_is_blank")
"""Fields of `SourceOptions` that change what is read."""
_FILES = ("labels", "manifest")
"""Fields of `SourceOptions` that name a file."""


@dataclass(frozen=True)
class RunRequest:
    """All that a run is asked for; what it finds in the files is its `OpenRun`.

    Attributes
    ----------
    source : str
        Path or ``s3://`` URI.
    options : Options
    reading : SourceOptions
        How the source is read.
    reliability : str
        Path or URI of the ``reliability.json`` to go on from; empty without.
    """

    source: str
    options: Options
    reading: SourceOptions
    reliability: str = ""

    @classmethod
    def of(
        cls,
        source: str | Path,
        options: Options,
        reading: SourceOptions,
        labels: str | Path | None = None,
        reliability: str | Path | None = None,
    ) -> RunRequest:
        """Make a request whose limits are those of the options."""
        if reliability is not None and not METHODS[options.method].learns_reliability:
            raise OptionError(f"--reliability is of no use to --method {options.method}")
        reading = replace(reading, labels=labels).within(options)
        return cls(str(source), options, reading, str(reliability or ""))

    def open(self) -> OpenRun:
        """Open the source and read all that the run goes by.

        Raises
        ------
        SourceError
            If the source or a file cannot be read, or is something else.
        """
        source = open_source(self.source, self.reading)
        classes = job_classes(source, self.reading.labels)
        identity = {
            "version": __version__,
            "mask encoder": ENCODER,
            # a calibration is what it says, wherever it lies
            "options": _without(self.options.results(), "calibration")
            | {name: getattr(self.reading, name) for name in _READING}
            | self.reading.of_format(),
            # by index: the same names in another order are other classes
            "classes": {
                str(index): f"{name} {classes.colors.get(index, '')}".rstrip()
                for index, name in enumerate(classes.names)
            },
            "values": "" if classes.meaning is None else classes.meaning.text,
            "input": source.stamp(),
            "manifest": "" if source.manifest is None else source.manifest.stamp(),
        }
        known, calibration = None, None
        if self.reliability:
            data = storage.read_bytes(self.reliability)
            identity["reliability"] = _hash(data)
            try:
                known = Reliability.from_json(data, self.reliability)
            except ValueError as error:
                raise SourceError(str(error)) from None
        if self.options.calibration:
            data = storage.read_bytes(self.options.calibration)
            identity["calibration"] = _hash(data)
            try:
                calibration = Calibration.from_json(data, self.options.calibration)
            except ValueError as error:
                raise SourceError(str(error)) from None
        return OpenRun(self, source, classes, identity, known, calibration)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, by paths that mean the same in any folder; inverse of `from_dict`."""
        files = {name: getattr(self.reading, name) for name in _FILES}
        return {
            "path": storage.absolute(self.source),
            **{name: getattr(self.reading, name) for name in _READING},
            **self.reading.of_format(),
            **{
                name: None if path is None else storage.absolute(path)
                for name, path in files.items()
            },
            "calibration": storage.absolute(self.options.calibration)
            if self.options.calibration
            else "",
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], options: Mapping[str, Any]) -> RunRequest:
        """Request of a run, of what `as_dict` and the identity's options say.

        Reliability that the run went on from is part of what it learnt, and not read again.
        """
        known = {name: options[name] for name in Options.table().keys() & options.keys()}
        chosen = Options(**known | {"calibration": content["calibration"]})
        reading = SourceOptions(
            **{name: content[name] for name in (*_READING, *_FILES)},
            **SourceOptions.format_of(content),
        )
        return cls.of(content["path"], chosen, reading, content["labels"])


@dataclass(frozen=True)
class OpenRun:
    """A request with all that it names opened.

    Attributes
    ----------
    request : RunRequest
    source : Source
    classes : Classes
    identity : dict
        What must be the same for a run to be gone on with, JSON-ready.
    known : Reliability or None
        What earlier jobs told about the same workers.
    calibration : Calibration or None
    """

    request: RunRequest
    source: Source
    classes: Classes
    identity: Mapping[str, Any]
    known: Reliability | None = None
    calibration: Calibration | None = None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}

"""A model's files: opened, fingerprinted, and asked what they take and give."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import ConsolidationError, SourceError

Arrays = dict[str, NDArray[Any]]


class OnnxFile:
    """One ONNX file.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of its bytes.
    inputs : dict of str to list
        Shape of each input; names or None where a size is free.
    outputs : tuple of str
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise ConsolidationError(
                "a segmenter's model needs onnxruntime: pip install 'consolidation[segmenter]'"
            ) from None
        self.path = Path(path)
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror or error}") from None
        self.sha256 = hashlib.sha256(content).hexdigest()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            # by path where it can: files above 2 GB keep their weights beside them
            self._session = onnxruntime.InferenceSession(
                str(self.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # onnxruntime's errors have no common base of their own
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SourceError(f"{path} is no ONNX model that can be run: {reason}") from None
        self.inputs = {node.name: list(node.shape) for node in self._session.get_inputs()}
        self.outputs = tuple(node.name for node in self._session.get_outputs())
        self._types = {node.name: node.type for node in self._session.get_inputs()}

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Arrays:
        """Outputs by name; what is fed beyond the inputs is left out."""
        wanted = {
            name: np.ascontiguousarray(feeds[name], _NUMPY.get(self._types[name], np.float32))
            for name in self.inputs
        }
        try:
            values = self._session.run(None, wanted)
        except Exception as error:
            reason = str(error).splitlines()[0]
            raise ConsolidationError(f"{self.path} failed: {reason}") from None
        return dict(zip(self.outputs, values, strict=True))

    def describe(self) -> str:
        """Its inputs, for a message."""
        inputs = (f"{name} {'x'.join(map(str, shape))}" for name, shape in self.inputs.items())
        return f"{self.path.name} takes {', '.join(inputs)}"


_NUMPY = {
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
}

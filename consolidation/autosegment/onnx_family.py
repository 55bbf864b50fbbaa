"""Which family a model is of: read off the names of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

from consolidation.autosegment.onnx_files import Arrays, OnnxFile
from consolidation.errors import SourceError

SAM_PROMPT = {"point_coords", "point_labels"}
EFFICIENT_PROMPT = {"batched_point_coords", "batched_point_labels"}


def family_of(files: Sequence[OnnxFile]) -> tuple[str, OnnxFile | None, OnnxFile]:
    """Family of a model, its encoder if it has one, and its decoder."""
    for k, decoder in enumerate(files):
        names = set(decoder.inputs)
        others = [file for j, file in enumerate(files) if j != k]
        if names >= EFFICIENT_PROMPT and len(files) == 1 and "batched_images" in names:
            return "efficientsam", None, decoder
        if names >= EFFICIENT_PROMPT and len(others) == 1:
            return "efficientsam", others[0], decoder
        if names >= SAM_PROMPT and len(others) == 1:
            family = "sam2" if any("high_res" in name for name in names) else "sam"
            return family, others[0], decoder
        shape = next(iter(decoder.inputs.values()), [])
        if len(files) == 1 and len(names) == 1 and len(shape) == 4 and shape[1] == 4:
            return "dextr", None, decoder
    have = "; ".join(file.describe() for file in files)
    raise SourceError(
        f"no model of a known kind (SAM, SAM 2, EfficientSAM: encoder and decoder, or both in one "
        f"file; DEXTR: one input of 4 channels): {have}"
    )


def renamed(outputs: Arrays, decoder: OnnxFile) -> Arrays:
    """Embeddings under the decoder's names: the same ones, else by their order."""
    prompts = {*SAM_PROMPT, *EFFICIENT_PROMPT, "mask_input", "has_mask_input", "orig_im_size"}
    wanted = [name for name in decoder.inputs if name not in prompts]
    if all(name in outputs for name in wanted):
        return {name: outputs[name] for name in wanted}
    if len(wanted) != len(outputs):
        raise SourceError(f"the encoder gives {', '.join(outputs)}; {decoder.describe()}")
    return dict(zip(wanted, outputs.values(), strict=True))

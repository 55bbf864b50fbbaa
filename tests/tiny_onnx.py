"""ONNX models of a few operations with the inputs of known ones: each paints its prompt's box."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import parser

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'

# paints columns x0..x1 and rows y0..y1 of a height and width; the names before are set by others
PAINT = """
    corner = Constant <value_ints = [0, 0]> ()
    zero = Constant <value_float = 0.0> ()
    unit = Constant <value_float = 1.0> ()
    half = Constant <value_float = 0.5> ()
    yes = Constant <value_float = 5.0> ()
    no = Constant <value_float = -5.0> ()
    first = Constant <value_int = 0> ()
    second = Constant <value_int = 1> ()
    upright = Constant <value_ints = [-1, 1]> ()
    flat = Constant <value_ints = [-1, 2]> ()
    places = Reshape (prompt, flat)
    start = Gather <axis = 0> (places, first)
    end = Gather <axis = 0> (places, second)
    x0 = Gather <axis = 0> (start, first)
    y0 = Gather <axis = 0> (start, second)
    x1 = Gather <axis = 0> (end, first)
    y1 = Gather <axis = 0> (end, second)
    row = Range (zero, height, unit)
    column = Range (zero, width, unit)
    rows = Add (row, half)
    columns = Add (column, half)
    below = GreaterOrEqual (rows, y0)
    above = LessOrEqual (rows, y1)
    right = GreaterOrEqual (columns, x0)
    left = LessOrEqual (columns, x1)
    in_rows = And (below, above)
    in_columns = And (right, left)
    standing = Reshape (in_rows, upright)
    inside = And (standing, in_columns)
    painted = Where (inside, yes, no)
"""

SAM_ENCODER = """
sam_encoder (float[1,3,1024,1024] image) => (float[1,1,1,1] embedding) {
    mean = ReduceMean (image)
    tenth = Constant <value_float = 0.1> ()
    embedding = Mul (mean, tenth)
}"""

SAM_DECODER = (
    """
sam_decoder (float[1,1,1,1] image_embeddings, float[1,N,2] point_coords, float[1,N] point_labels,
    float[1,1,256,256] mask_input, float[1] has_mask_input, float[2] orig_im_size)
    => (float[1,1,H,W] masks, float[1,1] iou_predictions) {
    longest = ReduceMax <keepdims = 0> (orig_im_size)
    side = Constant <value_float = 1024.0> ()
    scale = Div (side, longest)
    prompt = Div (point_coords, scale)
    i0 = Constant <value_int = 0> ()
    i1 = Constant <value_int = 1> ()
    height = Gather <axis = 0> (orig_im_size, i0)
    width = Gather <axis = 0> (orig_im_size, i1)
"""
    + PAINT
    + """
    four = Constant <value_ints = [0, 1]> ()
    masks = Unsqueeze (painted, four)
    pair = Constant <value_ints = [1, 1]> ()
    iou_predictions = Reshape (image_embeddings, pair)
}"""
)

SAM2_ENCODER = """
sam2_encoder (float[1,3,1024,1024] image)
    => (float[1,1,1,1] high_res_feats_0, float[1,1,1,1] high_res_feats_1,
    float[1,1,1,1] image_embed) {
    image_embed = ReduceMean (image)
    high_res_feats_0 = Neg (image_embed)
    high_res_feats_1 = Abs (image_embed)
}"""

SAM2_DECODER = (
    """
sam2_decoder (float[1,1,1,1] image_embed, float[1,1,1,1] high_res_feats_0,
    float[1,1,1,1] high_res_feats_1, float[1,N,2] point_coords, float[1,N] point_labels,
    float[1,1,256,256] mask_input, float[1] has_mask_input)
    => (float[1,1,256,256] masks, float[1,1] iou_predictions) {
    four_to_one = Constant <value_float = 4.0> ()
    prompt = Div (point_coords, four_to_one)
    height = Constant <value_float = 256.0> ()
    width = Constant <value_float = 256.0> ()
"""
    + PAINT
    + """
    lead = Constant <value_ints = [0, 1]> ()
    masks = Unsqueeze (painted, lead)
    sum = Add (high_res_feats_0, image_embed)
    pair = Constant <value_ints = [1, 1]> ()
    nothing = Reshape (sum, pair)
    best = Constant <value_float = 0.75> ()
    iou_predictions = Add (nothing, best)
}"""
)

EFFICIENT_SAM = (
    """
efficient (float[1,3,H,W] batched_images, float[1,1,N,2] batched_point_coords,
    float[1,1,N] batched_point_labels)
    => (float[1,1,1,H,W] output_masks, float[1,1,1] iou_predictions) {
    prompt = Identity (batched_point_coords)
    shape = Shape (batched_images)
    size = Cast <to = 1> (shape)
    i2 = Constant <value_int = 2> ()
    i3 = Constant <value_int = 3> ()
    height = Gather <axis = 0> (size, i2)
    width = Gather <axis = 0> (size, i3)
"""
    + PAINT
    + """
    lead = Constant <value_ints = [0, 1, 2]> ()
    output_masks = Unsqueeze (painted, lead)
    brightness = ReduceMean <keepdims = 0> (batched_images)
    single = Constant <value_ints = [1, 1, 1]> ()
    iou_predictions = Reshape (brightness, single)
}"""
)

DEXTR = """
dextr (float[1,4,512,512] input) => (float[1,1,512,512] output) {
    fourth = Constant <value_ints = [3]> ()
    heat = Gather <axis = 1> (input, fourth)
    least = Constant <value_float = 64.0> ()
    output = Sub (heat, least)
}"""

TRANSPOSED = (
    EFFICIENT_SAM.replace("(float[1,1,1,H,W] output_masks", "(float[1,1,1,W,H] output_masks")
    .replace("inside = And", "upright_inside = And")
    .replace(
        "painted = Where (inside",
        "inside = Transpose <perm = [1, 0]> (upright_inside)\n    painted = Where (inside",
    )
)
"""Rows and columns changed: what a wrong export gives."""


def write(folder: Path, name: str, text: str) -> Path:
    """Write a model; return its path."""
    path = folder / name
    model = parser.parse_model(HEAD + text)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path

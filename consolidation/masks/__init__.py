"""PNG files, colours and classes: between a worker's picture and an array of class indices."""

from consolidation.masks.chunks import MAX_PIXELS, Chunks, Header, check_whole, read_header
from consolidation.masks.classes import (
    BACKGROUND,
    UNDECIDED,
    UNDECIDED_INDEX,
    Classes,
    is_background,
    palette,
)
from consolidation.masks.colors import class_color, hex_color, parse_color
from consolidation.masks.matching import ColorMatcher, MatchCounts
from consolidation.masks.meaning import Meaning
from consolidation.masks.picture import read_picture
from consolidation.masks.png_decode import Picture, Pixels, decode, decode_indices, open_png
from consolidation.masks.png_encode import ENCODER, encode_grey, encode_indexed, encode_rgb

__all__ = [
    "BACKGROUND",
    "ENCODER",
    "MAX_PIXELS",
    "UNDECIDED",
    "UNDECIDED_INDEX",
    "Chunks",
    "Classes",
    "ColorMatcher",
    "Header",
    "MatchCounts",
    "Meaning",
    "Picture",
    "Pixels",
    "check_whole",
    "class_color",
    "decode",
    "decode_indices",
    "encode_grey",
    "encode_indexed",
    "encode_rgb",
    "hex_color",
    "is_background",
    "open_png",
    "palette",
    "parse_color",
    "read_header",
    "read_picture",
]

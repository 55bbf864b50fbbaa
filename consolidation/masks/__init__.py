"""PNG files, colours and classes: between a worker's picture and an array of class indices."""

from consolidation.masks.chunks import MAX_PIXELS, Header, check_whole, read_header
from consolidation.masks.classes import BACKGROUND, UNDECIDED, UNDECIDED_INDEX, Classes, palette
from consolidation.masks.colors import class_color, hex_color, parse_color
from consolidation.masks.matching import ColorMatcher, MatchCounts
from consolidation.masks.picture import read_picture
from consolidation.masks.png import (
    Pixels,
    decode,
    decode_indices,
    encode_grey,
    encode_indexed,
)

__all__ = [
    "BACKGROUND",
    "MAX_PIXELS",
    "UNDECIDED",
    "UNDECIDED_INDEX",
    "Classes",
    "ColorMatcher",
    "Header",
    "MatchCounts",
    "Pixels",
    "check_whole",
    "class_color",
    "decode",
    "decode_indices",
    "encode_grey",
    "encode_indexed",
    "hex_color",
    "palette",
    "parse_color",
    "read_header",
    "read_picture",
]

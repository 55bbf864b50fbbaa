"""The labeling configuration of a project of Label Studio: its labels and their colours."""

from __future__ import annotations

from collections.abc import Mapping

from consolidation.errors import SourceError
from consolidation.formats.xml import walk
from consolidation.masks import hex_color, parse_color

_TAGS = (
    *("Labels", "BrushLabels", "BitmaskLabels", "PolygonLabels", "RectangleLabels"),
    "EllipseLabels",
)


def config_labels(data: bytes, file: str) -> dict[str, str]:
    """Colour by label, empty where none is said; SourceError if it is no configuration.

    Examples
    --------
    >>> config_labels(b'<View><BrushLabels name="t"><Label value="cat" background="red"/>'
    ...               b'<Label value="d" alias="dog"/></BrushLabels></View>', "config.xml")
    {'cat': '#ff0000', 'dog': ''}
    """
    labels: dict[str, str] = {}

    def begin(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        if path[-1] == "Label" and any(tag in path for tag in _TAGS):
            # an alias is what is exported
            name = attributes.get("alias") or attributes.get("value")
            if name:
                rgb = parse_color(attributes.get("background"))
                labels.setdefault(name, "" if rgb is None else hex_color(rgb))

    walk([data], file, begin, lambda *_: None)
    if not labels:
        raise SourceError(
            f"{file} is no configuration of Label Studio: it has no labels of regions"
        )
    return labels

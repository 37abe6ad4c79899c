"""Image and box of an annotation in Pascal VOC's XML, which Flickr30k Entities uses, too."""

from __future__ import annotations

from pathlib import Path

from cliprpn.data.checks import Record
from cliprpn.data.xml_files import Element

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def image_values(root: Element, file: Path) -> Record:
    """Name and size of the image, by column; without a name, that of the file."""
    values: Record = {"image": root.value("filename") or f"{file.stem}.jpg"}
    for key in ("width", "height"):
        size = root.value("size", key)
        if size not in (None, "", "0"):  # Some tools write 0 for an unknown size.
            values[key] = size
    return values


def parse_bndbox(item: Element) -> list[float | str | None]:
    """The corners of an object's box; what is not a number stays text, for the message."""
    corners: list[float | str | None] = []
    for name in CORNERS:
        text = item.value("bndbox", name)
        try:
            corners.append(None if text is None else float(text))
        except ValueError:
            corners.append(text)
    return corners

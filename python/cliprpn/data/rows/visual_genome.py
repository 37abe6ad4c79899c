"""Reads Visual Genome's region_descriptions.json, with the images' sizes of image_data.json beside it, if it is there.

    [{"id": 1, "regions": [{"region_id": 1382, "image_id": 1, "phrase": "...", "x": 421, "y": 57,
                            "width": 82, "height": 139}]}]

An image is `VG_100K/1.jpg` or `VG_100K_2/1.jpg`, as its URL in image_data.json says; otherwise `1.jpg`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record, is_integer, shorten
from cliprpn.data.json_files import read_json
from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError

IMAGE_DATA = "image_data.json"
BOX_KEYS = ("x", "y", "width", "height")


def read_visual_genome(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each region description.

    Raises:
        CliprpnError: data_invalid, if a file is not a list of JSON.
    """
    images = _read_images(path.parent / IMAGE_DATA)
    for position, image in enumerate(_read_list(path)):
        where = f"{path.name}: [{position}]"
        regions = image.get("regions") if isinstance(image, dict) else None
        if not isinstance(image, dict) or not isinstance(regions, list):
            problems.add_row(f"{where}: expected a list `regions`, found {shorten(image)}", "no regions")
            continue
        for number, region in enumerate(regions):
            place = f"{where}: regions[{number}]"
            if not isinstance(region, dict):
                problems.add_row(f"{place}: expected an object, found {shorten(region)}", "no region")
                continue
            image_id: Any = region.get("image_id", image.get("id", image.get("image_id")))
            if not is_integer(image_id):
                expected = "expected an integer as image_id"
                problems.add_row(f"{place}: {expected}, found {shorten(image_id)}", expected)
                continue
            yield (
                place,
                {
                    "image": f"{image_id}.jpg",
                    **images.get(image_id, {}),
                    "image_id": image_id,
                    "sentence": region.get("phrase"),
                    "box": [region.get(key) for key in BOX_KEYS],
                    "sent_id": region.get("region_id"),
                    "split": region.get("split", image.get("split")),
                },
            )


def _read_images(path: Path) -> dict[int, Record]:
    """Name, width and height of each image, by its id; empty if there is no file."""
    if not path.is_file():
        return {}
    images: dict[int, Record] = {}
    for position, image in enumerate(_read_list(path)):
        image_id: Any = image.get("image_id", image.get("id")) if isinstance(image, dict) else None
        if not is_integer(image_id):
            raise CliprpnError(
                "data_invalid",
                f"{path}: [{position}]: expected an object with an integer as image_id, found {shorten(image)}",
            )
        values = {key: image[key] for key in ("width", "height") if key in image}
        url = image.get("url")
        if isinstance(url, str) and "/" in url:
            values["image"] = "/".join(url.split("/")[-2:])
        images[image_id] = values
    return images


def _read_list(path: Path) -> list[Any]:
    content = read_json(path)
    if not isinstance(content, list):
        raise CliprpnError(
            "data_invalid", f"{path}: expected a list of images, found a {type(content).__name__}"
        )
    return content

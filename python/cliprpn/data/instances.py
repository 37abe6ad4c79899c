"""Reads `annotations/instances.json`: COCO's images, objects and categories."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cliprpn.data.problems import Problems
from cliprpn.data.records import good_records, is_box, is_integer, is_name, is_size, is_text
from cliprpn.errors import CliprpnError

FIELDS = {
    "images": {
        "id": ("an integer", is_integer),
        "file_name": ("a name", is_name),
        "width": ("a whole number of pixels", is_size),
        "height": ("a whole number of pixels", is_size),
    },
    "annotations": {
        "id": ("an integer", is_integer),
        "image_id": ("an integer", is_integer),
        "category_id": ("an integer", is_integer),
        "bbox": ("four numbers, xywh", is_box),
    },
    "categories": {"id": ("an integer", is_integer), "name": ("text", is_text)},
}


@dataclass(frozen=True)
class Instances:
    """COCO's records by their id."""

    images: dict[int, dict[str, Any]]
    annotations: dict[int, dict[str, Any]]
    categories: dict[int, str]


def read_instances(path: Path, problems: Problems) -> Instances:
    """
    Raises:
        CliprpnError: data_invalid, when there is no such file, or it is not JSON, or not COCO's.
    """
    content = _read_json(path)
    if not isinstance(content, dict):
        raise CliprpnError("data_invalid", f"{path}: expected an object, found a {type(content).__name__}")
    by_id: dict[str, dict[int, dict[str, Any]]] = {}
    for key, fields in FIELDS.items():
        items = content.get(key)
        if not isinstance(items, list):
            raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found none")
        by_id[key] = {}
        for item in good_records(items, fields, f"{path.name}: {key}", problems):
            if item["id"] in by_id[key]:
                problems.add(f"{path.name}: {key}: id {item['id']} stands more than once")
            by_id[key][item["id"]] = item
    return Instances(
        images=by_id["images"],
        annotations=by_id["annotations"],
        categories={key: category["name"] for key, category in by_id["categories"].items()},
    )


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected COCO's annotations of the images, found no file; a data set has "
            "annotations/instances.json, annotations/refs(umd).p and images/",
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise CliprpnError(
            "data_invalid", f"{path}:{error.lineno}:{error.colno}: expected JSON: {error.msg}"
        ) from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise CliprpnError("data_invalid", f"{path}: expected JSON: {error}") from error

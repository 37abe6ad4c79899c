"""COCO JSON"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Problems, good_records, is_integer, is_text, shown
from cliprpn.data.json_files import read_json_object
from cliprpn.errors import CliprpnError

Record = dict[str, Any]
ONE = ("sentence", "caption", "expression", "sent")
MANY = ("sentences", "captions", "expressions", "refs")


def read_coco(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Where it stands and what it says, for each sentence, and for each object without one.

    Raises:
        CliprpnError: data_invalid, when the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = images_by_id(content, path, problems)
    categories = category_names(content, path, problems)
    for position, item in enumerate(list_of(content, "annotations", path)):
        where = f"{path.name}: annotations[{position}]"
        if not isinstance(item, dict):
            problems.add(f"{where}: expected an object, found {shown(item)}")
            continue
        image_id = item.get("image_id")
        image = images.get(image_id) if isinstance(image_id, int) else None
        if image is None:
            problems.add(f"{where}: expected the id of an image as image_id, found {shown(image_id)}")
            continue
        row = row_of(image, item, columns, categories)
        sentences = _sentences(item, columns)
        if not sentences:
            yield where, row
        for sentence in sentences:
            known = sentence if isinstance(sentence, dict) else {"sentence": sentence}
            names = (columns.sentence, *ONE)
            text = next((known[name] for name in names if name in known), None)
            own = {key: known[key] for key in ("sent_id", "ref_id") if key in known}
            split = known.get(columns.split, row["split"])
            yield where, {**row, **own, "split": split, "sentence": text}


def row_of(image: Record, annotation: Record, columns: Columns, categories: dict[int, str]) -> Record:
    """What an image and an object of it say, by the names of a row's columns; `sentence` is left out."""
    category_id = annotation.get("category_id")
    known = categories.get(category_id) if isinstance(category_id, int) else None
    return {
        "image": image.get(columns.image, image.get("file_name")),
        "box": annotation.get(columns.box, annotation.get("bbox")),
        "split": annotation.get(columns.split, image.get(columns.split)),
        "width": image.get("width"),
        "height": image.get("height"),
        "category": category_id if known is None else known,
        "image_id": image.get("original_id", image.get("id")),
        "ann_id": annotation.get("original_id", annotation.get("id")),
        "ref_id": annotation.get("ref_id"),
    }


def images_by_id(content: Record, path: Path, problems: Problems) -> dict[int, Record]:
    images: dict[int, Record] = {}
    fields = {"id": ("an integer", is_integer)}
    for item in good_records(list_of(content, "images", path), fields, f"{path.name}: images", problems):
        if item["id"] in images:
            problems.add(f"{path.name}: images: id {item['id']} stands more than once")
        images[item["id"]] = item
    return images


def category_names(content: Record, path: Path, problems: Problems) -> dict[int, str]:
    if "categories" not in content:
        return {}
    fields = {"id": ("an integer", is_integer), "name": ("text", is_text)}
    items = list_of(content, "categories", path)
    return {
        item["id"]: item["name"] for item in good_records(items, fields, f"{path.name}: categories", problems)
    }


def list_of(content: Record, key: str, path: Path) -> list[Any]:
    items = content.get(key)
    if not isinstance(items, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found {shown(items)}")
    return items


def _sentences(annotation: Record, columns: Columns) -> list[Any]:
    names = (columns.sentence, *ONE, *MANY)
    found = next((annotation[name] for name in names if name in annotation), None)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def read_mdetr(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where it stands and what it says, for each sentence.

    Raises:
        CliprpnError: data_invalid, when the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = images_by_id(content, path, problems)
    categories = category_names(content, path, problems)
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for position, item in enumerate(list_of(content, "annotations", path)):
        image_id = item.get("image_id") if isinstance(item, dict) else None
        if not is_integer(image_id) or image_id not in images:
            where = f"{path.name}: annotations[{position}]"
            problems.add(f"{where}: expected the id of an image as image_id, found {shown(image_id)}")
            continue
        annotations[image_id].append(item)
    for image_id, image in images.items():
        where = f"{path.name}: image {image_id}"
        if len(annotations[image_id]) != 1:
            problems.add(f"{where}: expected one annotation, found {len(annotations[image_id])}")
            continue
        row = row_of(image, annotations[image_id][0], columns, categories)
        caption = image.get(columns.sentence, image.get("caption"))
        yield where, {**row, "sentence": caption, "sent_id": image.get("sent_id", image_id)}

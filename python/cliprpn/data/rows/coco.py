"""Reads COCO's JSON with sentences in the annotations, and MDETR's, with one image per sentence.

In COCO's JSON, an annotation has its sentences under `sentence`, `caption` or `expression`, or as a list under
`sentences`, `captions`, `expressions` or `refs`. A list contains texts, or objects with the text under `sent` or one
of these names, and optionally `sent_id`, `ref_id` and `split`. In MDETR's finetune files, such as
`finetune_refcocog_train.json`, the sentence is the image's `caption`. An `original_id`, which a converter keeps
when it renumbers, takes precedence over `id`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record, is_integer, is_text, shorten, valid_records
from cliprpn.data.json_files import read_json_object
from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError

SENTENCE_KEYS = ("sentence", "caption", "expression", "sent")
NO_IMAGE = "expected the id of an image as image_id"
SENTENCE_LIST_KEYS = ("sentences", "captions", "expressions", "refs")


def read_coco(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each sentence, and of each object without one.

    Raises:
        CliprpnError: data_invalid, if the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = _images_by_id(content, path, problems)
    categories = _category_names(content, path, problems)
    for position, annotation in enumerate(_list(content, "annotations", path)):
        where = f"{path.name}: annotations[{position}]"
        if not isinstance(annotation, dict):
            problems.add_row(
                f"{where}: expected an object, found {shorten(annotation)}", "annotations: no object"
            )
            continue
        image_id = annotation.get("image_id")
        image = images.get(image_id) if isinstance(image_id, int) else None
        if image is None:
            problems.add_row(f"{where}: {NO_IMAGE}, found {shorten(image_id)}", NO_IMAGE)
            continue
        object_values = _object_values(image, annotation, columns, categories)
        sentences = _sentences(annotation, columns)
        if not sentences:
            yield where, object_values
        for sentence in sentences:
            entry = sentence if isinstance(sentence, dict) else {"sentence": sentence}
            text = next((entry[key] for key in (columns.sentence, *SENTENCE_KEYS) if key in entry), None)
            ids = {key: entry[key] for key in ("sent_id", "ref_id") if key in entry}
            split = entry.get(columns.split, object_values["split"])
            yield where, {**object_values, **ids, "split": split, "sentence": text}


def read_mdetr(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each sentence.

    Raises:
        CliprpnError: data_invalid, if the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = _images_by_id(content, path, problems)
    categories = _category_names(content, path, problems)
    annotations: dict[int, list[Record]] = defaultdict(list)
    for position, annotation in enumerate(_list(content, "annotations", path)):
        image_id = annotation.get("image_id") if isinstance(annotation, dict) else None
        if not is_integer(image_id) or image_id not in images:
            where = f"{path.name}: annotations[{position}]"
            problems.add_row(f"{where}: {NO_IMAGE}, found {shorten(image_id)}", NO_IMAGE)
            continue
        annotations[image_id].append(annotation)
    for image_id, image in images.items():
        where = f"{path.name}: image {image_id}"
        if len(annotations[image_id]) != 1:
            problems.add(f"{where}: expected one annotation, found {len(annotations[image_id])}")
            continue
        object_values = _object_values(image, annotations[image_id][0], columns, categories)
        caption = image.get(columns.sentence, image.get("caption"))
        yield where, {**object_values, "sentence": caption, "sent_id": image.get("sent_id", image_id)}


def _images_by_id(content: Record, path: Path, problems: Problems) -> dict[int, Record]:
    images: dict[int, Record] = {}
    fields = {"id": ("an integer", is_integer)}
    for image in valid_records(_list(content, "images", path), fields, f"{path.name}: images", problems):
        if image["id"] in images:
            problems.add(f"{path.name}: images: duplicate id {image['id']}")
        images[image["id"]] = image
    return images


def _category_names(content: Record, path: Path, problems: Problems) -> dict[int, str]:
    if "categories" not in content:
        return {}
    fields = {"id": ("an integer", is_integer), "name": ("text", is_text)}
    categories = valid_records(
        _list(content, "categories", path), fields, f"{path.name}: categories", problems
    )
    return {category["id"]: category["name"] for category in categories}


def _list(content: Record, key: str, path: Path) -> list[Any]:
    """
    Raises:
        CliprpnError: data_invalid, if the content has no list of this name.
    """
    items = content.get(key)
    if not isinstance(items, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found {shorten(items)}")
    return items


def _object_values(image: Record, annotation: Record, columns: Columns, categories: dict[int, str]) -> Record:
    """Values of an object and its image, by column; without the sentence."""
    category_id = annotation.get("category_id")
    category = categories.get(category_id) if isinstance(category_id, int) else None
    return {
        "image": image.get(columns.image, image.get("file_name")),
        "box": annotation.get(columns.box, annotation.get("bbox")),
        "split": annotation.get(columns.split, image.get(columns.split)),
        "width": image.get("width"),
        "height": image.get("height"),
        "category": category_id if category is None else category,
        "image_id": image.get("original_id", image.get("id")),
        "ann_id": annotation.get("original_id", annotation.get("id")),
        "ref_id": annotation.get("ref_id"),
    }


def _sentences(annotation: Record, columns: Columns) -> list[Any]:
    """The sentences of an annotation, as texts or as objects."""
    keys = (columns.sentence, *SENTENCE_KEYS, *SENTENCE_LIST_KEYS)
    value = next((annotation[key] for key in keys if key in annotation), None)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

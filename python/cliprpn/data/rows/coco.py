"""Reads COCO's JSON with sentences in the annotations, also as CVAT and Label Studio export it.

An annotation, or its `attributes`, has its sentences under `sentence`, `caption` or `expression`, or as a list under
`sentences`, `captions`, `expressions` or `refs`. A list contains texts, or objects with the text under `sent` or one
of these names, and optionally `sent_id`, `ref_id` and `split`. If the name of the sentence is `category`, the category
names are the sentences, each with all boxes of its category in an image. An `original_id`, which a converter keeps
when it renumbers, takes precedence over `id`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record, is_text, shorten, valid_records
from cliprpn.data.json_files import read_json_object
from cliprpn.data.problems import Problems
from cliprpn.data.rows.values import is_id, parse_id
from cliprpn.errors import CliprpnError

Id = int | str
SENTENCE_KEYS = ("sentence", "caption", "expression", "sent")
# The name of the sentence that stands for the names of the categories.
CATEGORY = "category"
NO_IMAGE = "expected the id of an image as image_id"
SENTENCE_LIST_KEYS = ("sentences", "captions", "expressions", "refs")


def read_coco(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each sentence, and of each object without one.

    Raises:
        CliprpnError: data_invalid, if the file is not COCO's JSON, or has no sentences.
    """
    content = read_json_object(path)
    images = images_by_id(content, path, problems)
    categories = category_names(content, path, problems)
    num_objects = num_sentences = 0
    for where, annotation in annotations_of(content, images, path, problems):
        values = object_values(images[annotation["image_id"]], annotation, columns, categories)
        sentences = _sentences(annotation, columns)
        num_objects, num_sentences = num_objects + 1, num_sentences + len(sentences)
        if not sentences:
            yield where, values
        for sentence in sentences:
            entry = sentence if isinstance(sentence, dict) else {"sentence": sentence}
            text = next((entry[key] for key in (columns.sentence, *SENTENCE_KEYS) if key in entry), None)
            ids = {key: entry[key] for key in ("sent_id", "ref_id") if key in entry}
            split = entry.get(columns.split, values["split"])
            yield where, {**values, **ids, "split": split, "sentence": text}
    if num_objects and not num_sentences and columns.sentence != CATEGORY:
        names = (
            f"; to use the category names as sentences, --columns sentence={CATEGORY}" if categories else ""
        )
        keys = ", ".join(dict.fromkeys((columns.sentence, *SENTENCE_KEYS)))
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected annotations with a sentence ({keys}), found {num_objects:,} without one{names}",
        )


def read_categories(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each category in each image, whose name is the sentence, and of each object.

    Raises:
        CliprpnError: data_invalid, if the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = images_by_id(content, path, problems)
    categories = category_names(content, path, problems)
    groups: dict[tuple[Id, str], list[tuple[str, Record]]] = defaultdict(list)
    for where, annotation in annotations_of(content, images, path, problems):
        category_id = parse_id(annotation.get("category_id"))
        if category_id is None or category_id not in categories:
            expected = "expected the id of a category as category_id"
            problems.add_row(f"{where}: {expected}, found {shorten(annotation.get('category_id'))}", expected)
            continue
        # Objects are told apart by their boxes, since an object of several categories has several annotations.
        values = object_values(images[annotation["image_id"]], annotation, columns, {})
        for key in ("category", "ann_id", "ref_id"):
            del values[key]
        groups[annotation["image_id"], categories[category_id]].append((where, values))
    for (_, name), objects in groups.items():
        where, values = objects[0]
        boxes = [item["box"] for _, item in objects]
        yield where, {**values, "sentence": name, "box": boxes[0] if len(boxes) == 1 else boxes}
        if len(boxes) > 1:
            yield from objects


def annotations_of(
    content: Record, images: dict[Id, Record], path: Path, problems: Problems
) -> Iterator[tuple[str, Record]]:
    """Yields location and content of each annotation of a known image."""
    for position, annotation in enumerate(records_of(content, "annotations", path)):
        where = f"{path.name}: annotations[{position}]"
        if not isinstance(annotation, dict):
            found = f"expected an object, found {shorten(annotation)}"
            problems.add_row(f"{where}: {found}", "annotations: no object")
            continue
        image_id = parse_id(annotation.get("image_id"))
        if image_id is not None and image_id in images:
            yield where, {**annotation, "image_id": image_id}
        else:
            problems.add_row(f"{where}: {NO_IMAGE}, found {shorten(annotation.get('image_id'))}", NO_IMAGE)


def images_by_id(content: Record, path: Path, problems: Problems) -> dict[Id, Record]:
    """The images by their ids, which are integers or names; `"7"` is 7."""
    images: dict[Id, Record] = {}
    fields = {"id": ("an integer or a name", is_id)}
    for image in valid_records(records_of(content, "images", path), fields, f"{path.name}: images", problems):
        image_id = parse_id(image["id"])
        if image_id is None:
            continue
        if image_id in images:
            problems.add(f"{path.name}: images: duplicate id {image_id}")
        images[image_id] = image
    return images


def category_names(content: Record, path: Path, problems: Problems) -> dict[Id, str]:
    """The names of the categories by their ids."""
    if "categories" not in content:
        return {}
    fields = {"id": ("an integer or a name", is_id), "name": ("text", is_text)}
    categories = valid_records(
        records_of(content, "categories", path), fields, f"{path.name}: categories", problems
    )
    return {parse_id(category["id"]) or 0: category["name"] for category in categories}


def records_of(content: Record, key: str, path: Path) -> list[Any]:
    """
    Raises:
        CliprpnError: data_invalid, if the content has no list of this name.
    """
    items = content.get(key)
    if not isinstance(items, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found {shorten(items)}")
    return items


def object_values(image: Record, annotation: Record, columns: Columns, categories: dict[Id, str]) -> Record:
    """Values of an object and its image, by column; without the sentence."""
    category_id = annotation.get("category_id")
    number = parse_id(category_id)
    category = None if number is None else categories.get(number)
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
    attributes = annotation.get("attributes")  # CVAT's.
    name = columns.sentence.removeprefix("attributes.")
    keys = (columns.sentence, name, *SENTENCE_KEYS, *SENTENCE_LIST_KEYS)
    for place in (annotation, attributes):
        value = next((place[key] for key in keys if key in place), None) if isinstance(place, dict) else None
        if isinstance(value, str) and not value and place is attributes:
            continue  # CVAT writes every attribute of an object, also an empty one.
        if value is not None:
            return value if isinstance(value, list) else [value]
    return []

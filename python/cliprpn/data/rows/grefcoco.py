"""Reads gRefCOCO: `grefs(unc).json`, with the boxes of COCO's instances.json beside it.

A ref has a list of objects as `ann_id`; `[-1]` or `no_target` means that no object is meant. Its `file_name` may end
in `_<ann_id>`; the image is looked up by `image_id`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.checks import Record, is_integer, shorten
from cliprpn.data.json_files import read_json
from cliprpn.data.problems import Problems
from cliprpn.data.refcoco import Instances, read_instances
from cliprpn.errors import CliprpnError

INSTANCES = ("instances.json", "instances_train2014.json")


def read_grefcoco(path: Path, instances_file: str | None, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each expression, and of each object of its image.

    Args:
        instances_file: COCO's images and boxes; None if they lie beside `path`.

    Raises:
        CliprpnError: data_invalid, if a file is missing or not of this layout.
    """
    refs = read_json(path)
    if not isinstance(refs, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list of refs, found a {type(refs).__name__}")
    files = [path.parent / name for name in INSTANCES] if instances_file is None else [Path(instances_file)]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected COCO's boxes in {' or '.join(map(str, files))}, found no such file; name it with "
            "--instances FILE",
        )
    instances = read_instances(file, problems)
    used: set[int] = set()
    for position, ref in enumerate(refs):
        where = f"{path.name}: [{position}]"
        problem = _ref_problem(ref, instances, file.name)
        if problem is not None:
            problems.add_row(f"{where}: {problem[1]}", problem[0])
            continue
        used.add(ref["image_id"])
        yield from _sentences(ref, where, instances, problems)
    by_image: dict[int, list[Record]] = defaultdict(list)
    for annotation in instances.annotations.values():
        by_image[annotation["image_id"]].append(annotation)
    for image_id in sorted(used):
        for annotation in by_image[image_id]:
            yield f"{file.name}: annotation {annotation['id']}", _object_values(annotation, instances)


def _ref_problem(ref: object, instances: Instances, file: str) -> tuple[str, str] | None:
    """Kind and message of the problem of a ref; None if it has an image, and objects in this image."""
    if not isinstance(ref, dict):
        return "refs that are no object", f"expected a ref, found {shorten(ref)}"
    image_id = ref.get("image_id")
    if not is_integer(image_id) or image_id not in instances.images:
        return "unknown image_id", f"expected an image_id of {file}, found {shorten(image_id)}"
    if not isinstance(ref.get("sentences"), list):
        return "refs without sentences", f"expected a list `sentences`, found {shorten(ref.get('sentences'))}"
    for ann_id in _ann_ids(ref):
        annotation = instances.annotations.get(ann_id) if is_integer(ann_id) else None
        if annotation is None or annotation["image_id"] != image_id:
            return (
                "unknown ann_id",
                f"expected an ann_id of image {image_id} in {file}, found {shorten(ann_id)}",
            )
    return None


def _sentences(
    ref: Record, where: str, instances: Instances, problems: Problems
) -> Iterator[tuple[str, Record]]:
    objects = [_object_values(instances.annotations[ann_id], instances) for ann_id in _ann_ids(ref)]
    boxes = [values["box"] for values in objects]
    first = objects[0] if objects else {"image": instances.images[ref["image_id"]]["file_name"]}
    for number, sentence in enumerate(ref["sentences"]):
        place = f"{where}: sentences[{number}]"
        if not isinstance(sentence, dict):
            problems.add_row(f"{place}: expected an object, found {shorten(sentence)}", "no sentence")
            continue
        yield (
            place,
            {
                **first,
                "sentence": sentence.get("sent", sentence.get("raw")),
                "box": boxes[0] if len(boxes) == 1 else boxes,
                "split": ref.get("split"),
                "ref_id": ref.get("ref_id"),
                "sent_id": sentence.get("sent_id"),
            },
        )


def _ann_ids(ref: Record) -> list[Any]:
    """The objects of a ref, each once; empty if it means none."""
    value = ref.get("ann_id")
    ann_ids = value if isinstance(value, list) else [value]
    if ref.get("no_target") is True or ann_ids == [-1]:
        return []
    return [ann_id for i, ann_id in enumerate(ann_ids) if ann_id not in ann_ids[:i]]


def _object_values(annotation: Record, instances: Instances) -> Record:
    image = instances.images[annotation["image_id"]]
    category_id = annotation["category_id"]
    return {
        "image": image["file_name"],
        "width": image["width"],
        "height": image["height"],
        "image_id": image["id"],
        "ann_id": annotation["id"],
        "category": instances.categories.get(category_id, str(category_id)),
        "box": list(annotation["bbox"]),
    }

"""Reads the original layout of RefCOCO, RefCOCO+ and RefCOCOg: instances.json and refs(<split_by>).p."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cliprpn.data.annotations import SPLITS, Annotations, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.checks import (
    Record,
    is_box,
    is_integer,
    is_name,
    is_python2_text,
    is_size,
    is_text,
    shorten,
    valid_records,
)
from cliprpn.data.json_files import read_json
from cliprpn.data.plain_pickle import clean_text, load_plain
from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError

INSTANCES_FIELDS = {
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
REF_FIELDS = {
    "ref_id": ("an integer", is_integer),
    "ann_id": ("an integer", is_integer),
    "image_id": ("an integer", is_integer),
    "split": ("train, val, test, testA or testB", lambda value: value in SPLITS),
    "sentences": (
        "a list of at least one sentence",
        lambda value: isinstance(value, list) and len(value) > 0,
    ),
}
SENTENCE_FIELDS = {"sent_id": ("an integer", is_integer), "sent": ("text", is_python2_text)}


def read_refcoco(instances_file: Path, refs_file: Path, problems: Problems) -> Annotations:
    """Images with refs, in order of first mention, all their objects, and all sentences.

    A ref's `file_name` is ignored, since it is not a file name (it ends in `_<ann_id>`); its image is looked up by
    image_id in instances.json. Sentences may have `stratum` and `pair_id`, as the demo's do.

    Raises:
        CliprpnError: data_invalid, if a file is missing or not in this layout.
    """
    instances = read_instances(instances_file, problems)
    all_refs, num_sentences = _read_refs(refs_file, problems)
    refs = [ref for ref in all_refs if _is_consistent(ref, instances, refs_file, problems)]
    image_ids = dict.fromkeys(ref["image_id"] for ref in refs)
    sentences = [
        _sentence_record(sentence, ref, refs_file, problems) for ref in refs for sentence in ref["sentences"]
    ]
    return Annotations(
        box_format="xywh",
        images=[_image_record(instances.images[image_id], instances_file) for image_id in image_ids],
        objects={
            ann_id: _object_record(annotation, instances, instances_file)
            for ann_id, annotation in instances.annotations.items()
            if annotation["image_id"] in image_ids
        },
        sentences=sentences,
        num_left_out=num_sentences - len(sentences),
    )


@dataclass(frozen=True)
class Instances:
    """COCO's images and annotations, and category names, by id; and the ids of invalid ones, by list."""

    images: dict[int, Record]
    annotations: dict[int, Record]
    categories: dict[int, str]
    invalid: dict[str, set[int]]


def read_instances(path: Path, problems: Problems) -> Instances:
    """The valid images, annotations and categories of instances.json.

    Raises:
        CliprpnError: data_invalid.
    """
    if not path.is_file():
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected COCO annotations of the images, found no file; a dataset has "
            "annotations/instances.json, annotations/refs(umd).p and images/",
        )
    content = read_json(path)
    if not isinstance(content, dict):
        raise CliprpnError("data_invalid", f"{path}: expected an object, found a {type(content).__name__}")
    by_id: dict[str, dict[int, Record]] = {}
    invalid: dict[str, set[int]] = {}
    for key, fields in INSTANCES_FIELDS.items():
        items = content.get(key)
        if not isinstance(items, list):
            raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found none")
        by_id[key] = {}
        for item in valid_records(items, fields, f"{path.name}: {key}", problems):
            if item["id"] in by_id[key]:
                problems.add(f"{path.name}: {key}: duplicate id {item['id']}")
            by_id[key][item["id"]] = item
        ids = {item["id"] for item in items if isinstance(item, dict) and is_integer(item.get("id"))}
        invalid[key] = ids - set(by_id[key])
    return Instances(
        images=by_id["images"],
        annotations=by_id["annotations"],
        categories={key: category["name"] for key, category in by_id["categories"].items()},
        invalid=invalid,
    )


def _read_refs(path: Path, problems: Problems) -> tuple[list[Record], int]:
    """Valid refs in the file's order: ref_id, ann_id, image_id, split and the valid sentences; and the number of all
    sentences.

    Raises:
        CliprpnError: data_invalid.
    """
    if not path.is_file():
        present = sorted(file.name for file in path.parent.glob("refs(*).p"))
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected the refs of this split_by, found {', '.join(present) or 'no refs file'} "
            "in the folder",
        )
    content = load_plain(path)
    if not isinstance(content, list):
        raise CliprpnError(
            "data_invalid", f"{path}: expected a list of refs, found a {type(content).__name__}"
        )
    refs = []
    for ref in valid_records(content, REF_FIELDS, path.name, problems):
        where = f"{path.name}: ref {ref['ref_id']}: sentences"
        refs.append(
            {**ref, "sentences": list(valid_records(ref["sentences"], SENTENCE_FIELDS, where, problems))}
        )
    if not content:
        problems.add(f"{path.name}: expected refs, found an empty list")
    lists = [ref.get("sentences") for ref in content if isinstance(ref, dict)]
    return refs, sum(len(sentences) for sentences in lists if isinstance(sentences, list))


def _is_consistent(ref: Record, instances: Instances, file: Path, problems: Problems) -> bool:
    """Whether the ref's object and image exist and belong together."""
    where = f"{file.name}: ref {ref['ref_id']}"
    if ref["ann_id"] in instances.invalid["annotations"] or ref["image_id"] in instances.invalid["images"]:
        return False  # Its object or image is a problem already.
    annotation = instances.annotations.get(ref["ann_id"])
    if annotation is None:
        problems.add_row(
            f"{where}: expected its ann_id {ref['ann_id']} in instances.json, found none",
            "refs without an object",
        )
        if problems.allow_invalid:
            return False
    if ref["image_id"] not in instances.images:
        problems.add_row(
            f"{where}: expected its image_id {ref['image_id']} in instances.json, found none",
            "refs without an image",
        )
        return False
    if annotation is not None and annotation["image_id"] != ref["image_id"]:
        problems.add_row(
            f"{where}: expected its ann_id {ref['ann_id']} in image {ref['image_id']}, "
            f"found it in image {annotation['image_id']}",
            "refs whose object is in another image",
        )
        return False
    return annotation is not None


def _image_record(image: Record, file: Path) -> ImageRecord:
    where = f"{file.name}: image {image['id']}"
    return ImageRecord(image["id"], image["file_name"], image["width"], image["height"], where)


def _object_record(annotation: Record, instances: Instances, file: Path) -> ObjectRecord:
    category_id = annotation["category_id"]
    x, y, width, height = (float(side) for side in annotation["bbox"])
    return ObjectRecord(
        ann_id=annotation["id"],
        image_id=annotation["image_id"],
        category=instances.categories.get(category_id, str(category_id)),
        box=(x, y, width, height),
        where=f"{file.name}: annotation {annotation['id']}",
    )


def _sentence_record(sentence: Record, ref: Record, file: Path, problems: Problems) -> SentenceRecord:
    where = f"{file.name}: ref {ref['ref_id']}: sent_id {sentence['sent_id']}"
    stratum, pair_id = sentence.get("stratum"), sentence.get("pair_id")
    if not (stratum is None or is_text(stratum)):
        problems.add(f"{where}: expected stratum to be text, found {shorten(stratum)}")
    if not (pair_id is None or is_integer(pair_id)):
        problems.add(f"{where}: expected pair_id to be an integer, found {shorten(pair_id)}")
    return SentenceRecord(
        sent_id=sentence["sent_id"],
        ref_id=ref["ref_id"],
        ann_id=ref["ann_id"],
        image_id=ref["image_id"],
        split=ref["split"],
        sentence=clean_text(sentence["sent"]),
        stratum=stratum,
        pair_id=pair_id,
        where=where,
    )

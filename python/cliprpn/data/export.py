"""Writes a prepared data set as files that other tools read: JSON Lines, a row per sentence, or COCO's JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import torch
from torchvision.ops import box_convert

from cliprpn.data.annotations import BoxFormat
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably

Record = dict[str, Any]
# COCO has a category for everything; this one is for objects of which nobody says what they are.
UNNAMED = "object"


def export_rows(
    index: DatasetIndex, format: Literal["jsonl", "coco"], box_format: BoxFormat, out_file: Path
) -> int:
    """Writes all sentences in the data set's order. Boxes of the source's own format keep their numbers.

    Returns:
        how many sentences were written.

    Raises:
        CliprpnError: bad_input, when COCO's boxes are to be other than xywh; data_invalid, when shares are asked
            of an image whose size nobody knows; no_space.
    """
    if format == "coco":
        if box_format != "xywh":
            raise CliprpnError(
                "bad_input", f"{out_file}: expected xywh, which COCO's boxes are, found {box_format}"
            )
        text = json.dumps(_coco(index), ensure_ascii=False)
    else:
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _rows(index, box_format))
    write_durably(out_file, text.encode())
    return index.sentences.num_rows


def _rows(index: DatasetIndex, box_format: BoxFormat) -> list[Record]:
    """One for each sentence, with the names that `data/rows` reads."""
    images = {image["image_id"]: image for image in index.images.to_pylist()}
    boxes = _boxes(index.sentences, "gt_box_xyxy", index, box_format)
    if box_format == index.source_box_format:
        boxes = index.sentences["source_box"].to_pylist()
    rows = []
    for sentence, box in zip(index.sentences.to_pylist(), boxes, strict=True):
        image = images[sentence["image_id"]]
        rows.append(
            {
                "image": image["file_name"],
                "sentence": sentence["sentence"],
                "box": box,
                **{key: sentence[key] for key in ("split", "image_id", "ann_id", "ref_id", "sent_id")},
                "width": image["width"],
                "height": image["height"],
                "category": sentence["category"] or None,
            }
        )
    return rows


def _coco(index: DatasetIndex) -> Record:
    """Images, all objects and categories as pycocotools loads them; sentences stand in their objects."""
    sentences: dict[int, list[Record]] = defaultdict(list)
    given: dict[int, list[float]] = {}
    for each in index.sentences.to_pylist():
        sentences[each["ann_id"]].append(
            {key: each[key] for key in ("sent_id", "ref_id", "sentence", "split")}
        )
        given[each["ann_id"]] = each["source_box"]
    boxes = _boxes(index.objects, "box_xyxy", index, "xywh")
    categories: dict[str, int] = {}
    annotations = []
    for each, box in zip(index.objects.to_pylist(), boxes, strict=True):
        ann_id = each["ann_id"]
        bbox = given.get(ann_id, box) if index.source_box_format == "xywh" else box
        name = each["category"] or UNNAMED
        annotation = {
            "id": ann_id,
            "image_id": each["image_id"],
            "category_id": categories.setdefault(name, len(categories) + 1),
            "bbox": bbox,
            "area": bbox[2] * bbox[3],
            "iscrowd": 0,
        }
        own = sentences.get(ann_id)
        annotations.append({**annotation, "sentences": own} if own else annotation)
    return {
        "info": {"description": "Exported by cliprpn; areas are the boxes'."},
        "licenses": [],
        "images": [_coco_image(image) for image in index.images.to_pylist()],
        "annotations": annotations,
        "categories": [{"id": key, "name": name, "supercategory": ""} for name, key in categories.items()],
    }


def _coco_image(image: Record) -> Record:
    size = {key: image[key] for key in ("width", "height") if image[key] is not None}
    return {"id": image["image_id"], "file_name": image["file_name"], **size}


def _boxes(table: pa.Table, column: str, index: DatasetIndex, box_format: BoxFormat) -> list[list[float]]:
    """A table's boxes in another format: [N, 4]."""
    boxes = torch.tensor(table[column].to_pylist(), dtype=torch.float64).reshape(-1, 4)
    if box_format != "cxcywh_norm":
        return box_convert(boxes, "xyxy", box_format).tolist()
    known = {image["image_id"]: (image["width"], image["height"]) for image in index.images.to_pylist()}
    sizes = [known[image_id] for image_id in table["image_id"].to_pylist()]
    if any(None in size for size in sizes):
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the sizes of all images, to write boxes as shares of them, found none for "
            "some; prepare the data set with its images",
        )
    limits = torch.tensor(sizes, dtype=torch.float64).reshape(-1, 2).repeat(1, 2)  # [N, 4]
    return (box_convert(boxes, "xyxy", "cxcywh") / limits).tolist()

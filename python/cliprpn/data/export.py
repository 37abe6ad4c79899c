"""Exports a prepared dataset for other tools: as JSON Lines with a row per sentence, or as COCO's JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Literal

import pyarrow as pa
import torch

from cliprpn.data.annotations import BoxFormat
from cliprpn.data.boxes import from_xyxy, needs_sizes
from cliprpn.data.checks import Record
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably

# COCO requires a category; this one is for objects whose category is unknown.
UNKNOWN_CATEGORY = "object"


def export_rows(
    index: DatasetIndex, file_format: Literal["jsonl", "coco"], box_format: BoxFormat, out_file: Path
) -> int:
    """Writes all sentences in the dataset's order. Boxes in the source's format keep their exact numbers.

    Returns:
        the number of sentences written.

    Raises:
        CliprpnError: bad_input, if `file_format` is coco and `box_format` is not xywh; data_invalid, if a
            format that does not count pixels is requested but the size of an image is unknown; no_space.
    """
    if file_format == "coco":
        if box_format != "xywh":
            raise CliprpnError(
                "bad_input", f"{out_file}: expected xywh, the box format of COCO, found {box_format}"
            )
        text = json.dumps(_coco_content(index), ensure_ascii=False)
    else:
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _jsonl_rows(index, box_format))
    write_durably(out_file, text.encode())
    return index.sentences.num_rows


def _jsonl_rows(index: DatasetIndex, box_format: BoxFormat) -> list[Record]:
    """A row for each sentence, with the column names that `data/rows` reads."""
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


def _coco_content(index: DatasetIndex) -> Record:
    """Images, objects and categories as pycocotools loads them, with sentences inside their objects."""
    sentences: dict[int, list[Record]] = defaultdict(list)
    source_boxes: dict[int, list[float]] = {}
    for sentence in index.sentences.to_pylist():
        sentences[sentence["ann_id"]].append(
            {key: sentence[key] for key in ("sent_id", "ref_id", "sentence", "split")}
        )
        source_boxes[sentence["ann_id"]] = sentence["source_box"]
    boxes = _boxes(index.objects, "box_xyxy", index, "xywh")
    categories: dict[str, int] = {}
    annotations = []
    for row, box in zip(index.objects.to_pylist(), boxes, strict=True):
        ann_id = row["ann_id"]
        bbox = source_boxes.get(ann_id, box) if index.source_box_format == "xywh" else box
        name = row["category"] or UNKNOWN_CATEGORY
        annotation: Record = {
            "id": ann_id,
            "image_id": row["image_id"],
            "category_id": categories.setdefault(name, len(categories) + 1),
            "bbox": bbox,
            "area": bbox[2] * bbox[3],
            "iscrowd": 0,
        }
        if ann_id in sentences:
            annotation["sentences"] = sentences[ann_id]
        annotations.append(annotation)
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
    """A table's boxes in the requested format: [N, 4].

    Raises:
        CliprpnError: data_invalid, if a format that does not count pixels is requested but the size of an image is
            unknown.
    """
    boxes = torch.tensor(table[column].to_pylist(), dtype=torch.float64).reshape(-1, 4)
    if not needs_sizes(box_format):
        return from_xyxy(boxes, box_format, boxes).tolist()
    size_by_id = {image["image_id"]: (image["width"], image["height"]) for image in index.images.to_pylist()}
    sizes = [size_by_id[image_id] for image_id in table["image_id"].to_pylist()]
    if any(None in size for size in sizes):
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: {box_format} needs the sizes of all images, but some are unknown; prepare the dataset "
            "with its images",
        )
    return from_xyxy(boxes, box_format, torch.tensor(sizes, dtype=torch.float64).reshape(-1, 2)).tolist()

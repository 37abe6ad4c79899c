"""Writes the index of a prepared data set: images, sentences and objects as three Parquet tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import torch

from cliprpn.contract.generated import PixelsManifest
from cliprpn.data.annotations import Annotations, Box, ObjectRecord
from cliprpn.data.boxes import boxes_in_images
from cliprpn.data.checks import Problems
from cliprpn.data.sources import UNKNOWN, Sizes, referred_boxes
from cliprpn.errors import CliprpnError
from cliprpn.storage.parquet import write_whole

Row = dict[str, object]


@dataclass(frozen=True)
class ImageRow:
    """An image's row; its size is None where nobody tells it, its place in the pixels where there are none."""

    image_id: int
    file_name: str
    width: int | None
    height: int | None
    upright: bool
    pixel_row: int | None


@dataclass(frozen=True)
class Dropped:
    """What was left out, since its image is missing or broken."""

    num_images: int
    num_refs: int
    num_sentences: int


def write_tables(annotations: Annotations, pixels: PixelsManifest | None, folder: Path) -> Dropped:
    """Writes the three tables; refs of images without pixels are left out.

    Args:
        pixels: of all images of the annotations, in their order; None for a set without images, whose
            sizes are what the annotations say, or nothing.

    Raises:
        CliprpnError: data_invalid, where a box does not fit its image; no_space.
    """
    images = _images(annotations, pixels)
    sizes = {
        row.image_id: (float(row.width), float(row.height))
        for row in images
        if row.width is not None and row.height is not None
    }
    kept = {row.image_id for row in images}
    sentences = [row for row in annotations.sentences if row.image_id in kept]
    if not sentences:
        raise CliprpnError("data_invalid", f"{folder}: expected a sentence with its image, found none")
    left = Annotations(annotations.box_format, annotations.images, annotations.objects, sentences)
    if pixels is None and annotations.box_format == "cxcywh_norm" and len(sizes) < len(images):
        raise CliprpnError(
            "data_invalid",
            "boxes are shares of their image (cxcywh_norm), whose size nobody tells; give the images",
        )
    problems = Problems(folder)
    boxes = referred_boxes(left, sizes, problems)
    problems.raise_if_any()
    objects = [each for each in annotations.objects.values() if each.image_id in kept]
    (folder / "dataset.json").unlink(missing_ok=True)  # It tells of other tables; the caller writes the next.
    write_whole([asdict(row) for row in images], IMAGES, folder / "images.parquet")
    write_whole(_objects(objects, left, sizes), OBJECTS, folder / "objects.parquet")
    write_whole(_sentences(left, boxes, objects), SENTENCES, folder / "sentences.parquet")
    gone = [row for row in annotations.sentences if row.image_id not in kept]
    return Dropped(len(annotations.images) - len(images), len({row.ref_id for row in gone}), len(gone))


def _images(annotations: Annotations, pixels: PixelsManifest | None) -> list[ImageRow]:
    if pixels is None:
        return [
            ImageRow(each.image_id, each.file_name, each.width, each.height, upright=False, pixel_row=None)
            for each in annotations.images
        ]
    prepared = [each for shard in pixels.shards for each in shard.pictures]
    if [each.file_name for each in prepared] != [each.file_name for each in annotations.images]:
        raise CliprpnError("internal", "the pixels are of other images than the annotations'")
    return [
        ImageRow(each.image_id, each.file_name, found.width, found.height, found.upright, row)
        for row, (each, found) in enumerate(zip(annotations.images, prepared, strict=True))
        if found.problem is None
    ]


def _objects(objects: list[ObjectRecord], annotations: Annotations, sizes: Sizes) -> list[Row]:
    """Those whose box fits its image: others teach nothing."""
    boxes, fit = boxes_in_images(
        torch.tensor([each.box for each in objects], dtype=torch.float64).reshape(-1, 4),
        annotations.box_format,
        torch.tensor([sizes.get(each.image_id, UNKNOWN) for each in objects], dtype=torch.float64),
    )
    return [
        {"ann_id": each.ann_id, "image_id": each.image_id, "category": each.category, "box_xyxy": box}
        for each, box, good in zip(objects, boxes.tolist(), fit.tolist(), strict=True)
        if good
    ]


def _sentences(annotations: Annotations, boxes: dict[int, Box], objects: list[ObjectRecord]) -> list[Row]:
    num_in_image = Counter((each.image_id, each.category) for each in objects)
    rows: list[Row] = []
    for row in annotations.sentences:
        own = annotations.objects[row.ann_id]
        rows.append(
            {
                "sent_id": row.sent_id,
                "ref_id": row.ref_id,
                "ann_id": row.ann_id,
                "image_id": row.image_id,
                "split": row.split,
                "sentence": row.sentence,
                "gt_box_xyxy": boxes[row.ann_id],
                "category": own.category or "",
                # 0 where nobody says what the objects are.
                "num_same_category": num_in_image[own.image_id, own.category] if own.category else 0,
                "stratum": row.stratum,
                "pair_id": row.pair_id,
                "source_box": own.box,
            }
        )
    return rows


BOX = pa.list_(pa.float64(), 4)
IMAGES = pa.schema(
    [
        ("image_id", pa.int64()),
        ("file_name", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("upright", pa.bool_()),
        ("pixel_row", pa.int64()),
    ]
)
OBJECTS = pa.schema(
    [("ann_id", pa.int64()), ("image_id", pa.int64()), ("category", pa.string()), ("box_xyxy", BOX)]
)
SENTENCES = pa.schema(
    [
        ("sent_id", pa.int64()),
        ("ref_id", pa.int64()),
        ("ann_id", pa.int64()),
        ("image_id", pa.int64()),
        ("split", pa.string()),
        ("sentence", pa.string()),
        ("gt_box_xyxy", BOX),
        ("category", pa.string()),
        ("num_same_category", pa.int64()),
        ("stratum", pa.string()),
        ("pair_id", pa.int64()),
        ("source_box", BOX),
    ]
)

"""Writes the index of a prepared dataset: images, sentences and objects as three Parquet tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import torch

from cliprpn.contract.generated import PixelsManifest
from cliprpn.data.annotations import Annotations, Box, ObjectRecord
from cliprpn.data.box_checks import (
    DEFAULT_RULES,
    UNKNOWN_SIZE,
    BoxRules,
    ImageSizes,
    check_reading_of,
    check_referred_boxes,
)
from cliprpn.data.boxes import boxes_in_images, needs_sizes
from cliprpn.data.problems import Problems
from cliprpn.data.sources import ALLOW_INVALID
from cliprpn.errors import CliprpnError
from cliprpn.storage.parquet import write_table

TableRow = dict[str, object]


@dataclass(frozen=True)
class ImageRow:
    """A row of the images table; the size is None if unknown, `pixel_row` is None if there are no images."""

    image_id: int
    file_name: str
    width: int | None
    height: int | None
    upright: bool
    pixel_row: int | None


@dataclass(frozen=True)
class Dropped:
    """Numbers of images, refs and sentences that were dropped: their image cannot be used, or their box is invalid."""

    num_images: int
    num_refs: int
    num_sentences: int


@dataclass(frozen=True)
class WrittenTables:
    """What was dropped, and lines for people: what was accepted, and what may make results wrong."""

    dropped: Dropped
    notes: list[str]
    warnings: list[str]


def write_tables(
    annotations: Annotations,
    pixels: PixelsManifest | None,
    folder: Path,
    rules: BoxRules = DEFAULT_RULES,
    source_folder: Path | None = None,
) -> WrittenTables:
    """Writes the three tables; refs whose image has no pixels are dropped, and counted in the result.

    Args:
        pixels: of all images of the annotations, in their order; None for a dataset without images, whose sizes
            are taken from the annotations, if given there.
        rules: what to do with imperfect boxes.
        source_folder: the folder of the annotations, for messages.

    Raises:
        CliprpnError: data_invalid, if a referred box is not inside its image; no_space.
    """
    images = _image_rows(annotations, pixels)
    sizes = {
        row.image_id: (float(row.width), float(row.height))
        for row in images
        if row.width is not None and row.height is not None
    }
    image_ids = {row.image_id for row in images}
    sentences = [row for row in annotations.sentences if row.image_id in image_ids]
    if not sentences:
        raise CliprpnError("data_invalid", f"{folder}: expected a sentence with an image, found none")
    kept = replace(annotations, sentences=sentences)
    if pixels is None and needs_sizes(annotations.box_format) and len(sizes) < len(images):
        raise CliprpnError(
            "data_invalid",
            f"boxes are {annotations.box_format}, not in pixels, but the sizes of their images are unknown; "
            "prepare the dataset with its images (--images DIR)",
        )
    problems = Problems(source_folder or folder, allow_invalid=rules.allow_invalid, row_advice=ALLOW_INVALID)
    warnings = check_reading_of(kept, sizes, rules, problems)
    problems.raise_if_any()  # A wrong format explains invalid boxes.
    checked = check_referred_boxes(kept, sizes, rules, problems)
    kept = checked.annotations
    problems.require_rows(len(kept.sentences), "expected sentences with a valid box, found none")
    problems.raise_if_any()
    num_unusable = len(annotations.images) - len(images)
    image_ids = {row.image_id for row in kept.sentences}
    images = [row for row in images if row.image_id in image_ids]
    objects = [record for record in annotations.objects.values() if record.image_id in image_ids]
    # It describes the old tables; the caller writes a new one.
    (folder / "dataset.json").unlink(missing_ok=True)
    write_table([asdict(row) for row in images], IMAGES_SCHEMA, folder / "images.parquet")
    write_table(_object_rows(objects, kept, sizes, rules), OBJECTS_SCHEMA, folder / "objects.parquet")
    write_table(_sentence_rows(kept, checked.boxes, objects), SENTENCES_SCHEMA, folder / "sentences.parquet")
    dropped = Dropped(
        num_images=num_unusable,
        num_refs=len({row.ref_id for row in annotations.sentences} - {row.ref_id for row in kept.sentences}),
        num_sentences=len(annotations.sentences) - len(kept.sentences),
    )
    return WrittenTables(dropped, [*problems.left_out_notes(), *checked.notes], warnings)


def _image_rows(annotations: Annotations, pixels: PixelsManifest | None) -> list[ImageRow]:
    """The images that have pixels; all images if there is no manifest."""
    if pixels is None:
        return [
            ImageRow(
                record.image_id, record.file_name, record.width, record.height, upright=False, pixel_row=None
            )
            for record in annotations.images
        ]
    prepared = [image for shard in pixels.shards for image in shard.pictures]
    if [image.file_name for image in prepared] != [record.file_name for record in annotations.images]:
        raise CliprpnError("internal", "the pixels belong to different images than the annotations")
    return [
        ImageRow(record.image_id, record.file_name, image.width, image.height, image.upright, row)
        for row, (record, image) in enumerate(zip(annotations.images, prepared, strict=True))
        if image.problem is None
    ]


def _object_rows(
    objects: list[ObjectRecord], annotations: Annotations, sizes: ImageSizes, rules: BoxRules
) -> list[TableRow]:
    """Rows of the objects with a valid box; a model cannot be trained on the others."""
    boxes, valid = boxes_in_images(
        torch.tensor([record.box for record in objects], dtype=torch.float64).reshape(-1, 4),
        annotations.box_format,
        torch.tensor([sizes.get(record.image_id, UNKNOWN_SIZE) for record in objects], dtype=torch.float64),
        rules.clip,
    )
    return [
        {"ann_id": record.ann_id, "image_id": record.image_id, "category": record.category, "box_xyxy": box}
        for record, box, is_valid in zip(objects, boxes.tolist(), valid.tolist(), strict=True)
        if is_valid
    ]


def _sentence_rows(
    annotations: Annotations, boxes: dict[int, Box], objects: list[ObjectRecord]
) -> list[TableRow]:
    """
    Args:
        boxes: xyxy, pixels, by ann_id.
    """
    num_in_image = Counter((record.image_id, record.category) for record in objects)
    rows: list[TableRow] = []
    for row in annotations.sentences:
        record = annotations.objects[row.ann_id]
        rows.append(
            {
                "sent_id": row.sent_id,
                "ref_id": row.ref_id,
                "ann_id": row.ann_id,
                "image_id": row.image_id,
                "split": row.split,
                "sentence": row.sentence,
                "gt_box_xyxy": boxes[row.ann_id],
                "category": record.category or "",
                # 0 if the categories are unknown.
                "num_same_category": num_in_image[record.image_id, record.category] if record.category else 0,
                "stratum": row.stratum,
                "pair_id": row.pair_id,
                "source_box": record.box,
            }
        )
    return rows


BOX_TYPE = pa.list_(pa.float64(), 4)
IMAGES_SCHEMA = pa.schema(
    [
        ("image_id", pa.int64()),
        ("file_name", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("upright", pa.bool_()),
        ("pixel_row", pa.int64()),
    ]
)
OBJECTS_SCHEMA = pa.schema(
    [("ann_id", pa.int64()), ("image_id", pa.int64()), ("category", pa.string()), ("box_xyxy", BOX_TYPE)]
)
SENTENCES_SCHEMA = pa.schema(
    [
        ("sent_id", pa.int64()),
        ("ref_id", pa.int64()),
        ("ann_id", pa.int64()),
        ("image_id", pa.int64()),
        ("split", pa.string()),
        ("sentence", pa.string()),
        ("gt_box_xyxy", BOX_TYPE),
        ("category", pa.string()),
        ("num_same_category", pa.int64()),
        ("stratum", pa.string()),
        ("pair_id", pa.int64()),
        ("source_box", BOX_TYPE),
    ]
)

"""Checks the boxes of all objects with a sentence: their format, and that they lie inside their images."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cliprpn.contract.generated import RefcocoSource, RowsSource
from cliprpn.data.annotations import Annotations, Box, BoxFormat, ObjectRecord
from cliprpn.data.box_readings import find_other_reading
from cliprpn.data.boxes import boxes_in_images, to_xyxy
from cliprpn.data.orientation import orientation_hint
from cliprpn.data.problems import Problems

ImageSizes = dict[int, tuple[float, float]]
UNKNOWN_SIZE = (float("inf"), float("inf"))
MAX_PLACES = 3
OUTSIDE = "boxes outside their image or without an area"
PAST = "boxes that extend past their image"


@dataclass(frozen=True)
class BoxRules:
    """What to do with imperfect boxes.

    Attributes:
        clip: whether boxes that extend past their image are clipped; otherwise they are problems.
        allow_invalid: whether sentences with an invalid box are left out; otherwise they are problems.
        force_format: whether to read the boxes as they were said to be, even if another format is more likely.
        trust_sizes: whether sizes in the annotations are those of the frame of the boxes.
    """

    clip: bool = False
    allow_invalid: bool = False
    force_format: bool = False
    trust_sizes: bool = True

    @classmethod
    def of(cls, source: RefcocoSource | RowsSource) -> BoxRules:
        """The rules of a source."""
        return cls(
            clip=source.clip_boxes is True,
            allow_invalid=source.allow_invalid is True,
            force_format=source.force_box_format is True,
            trust_sizes=source.orientation is None,
        )


DEFAULT_RULES = BoxRules()


@dataclass(frozen=True)
class CheckedBoxes:
    """
    Attributes:
        annotations: without the sentences that were left out.
        boxes: of each object with a sentence, xyxy in pixels, by ann_id.
        notes: a line about boxes that were clipped, if there are any.
    """

    annotations: Annotations
    boxes: dict[int, Box]
    notes: list[str]


def check_referred_boxes(
    annotations: Annotations, sizes: ImageSizes, rules: BoxRules, problems: Problems
) -> CheckedBoxes:
    """Converts the boxes of all objects with a sentence; an invalid one is a problem, or its sentences are left out.

    Args:
        sizes: width and height in pixels by image_id. If an image's size is unknown, its boxes are not clipped.
    """
    ann_ids = list(dict.fromkeys(row.ann_id for row in annotations.sentences))
    objects = [annotations.objects[ann_id] for ann_id in ann_ids]
    source_boxes = _tensor([record.box for record in objects])
    limits = _tensor([sizes.get(record.image_id, UNKNOWN_SIZE) for record in objects], 2)
    boxes, valid = boxes_in_images(source_boxes, annotations.box_format, limits, rules.clip)
    hint = None if valid.all() else orientation_hint(source_boxes, valid, annotations.box_format, limits)
    if hint is not None:
        problems.add_hint(hint)
    _add_problems(
        annotations,
        [record for record, fits in zip(objects, valid.tolist(), strict=True) if not fits],
        sizes,
        problems,
    )
    notes = []
    if rules.clip:
        _, whole = boxes_in_images(source_boxes, annotations.box_format, limits)
        clipped = [objects[row] for row in (valid & ~whole).nonzero()[:, 0].tolist()]
        if clipped:
            past = (
                (to_xyxy(source_boxes, annotations.box_format, limits) - boxes)[valid & ~whole]
                .abs()
                .max()
                .item()
            )
            places = ", ".join(record.where for record in clipped[:MAX_PLACES])
            rest = ", ..." if len(clipped) > MAX_PLACES else ""
            what = (
                "boxes extend past their image and are"
                if len(clipped) > 1
                else "box extends past its image and is"
            )
            notes.append(f"{len(clipped):,} {what} clipped, by up to {past:.0f} px: {places}{rest}")
    is_valid = dict(zip(ann_ids, valid.tolist(), strict=True))
    sentences = annotations.sentences
    if rules.allow_invalid:
        sentences = [row for row in sentences if is_valid[row.ann_id]]
    return CheckedBoxes(
        replace(annotations, sentences=sentences),
        {ann_id: _box(box) for ann_id, box in zip(ann_ids, boxes.tolist(), strict=True)},
        notes,
    )


def check_reading(
    boxes: Sequence[Box],
    box_format: BoxFormat,
    sizes: Sequence[tuple[float, float] | None],
    images: Sequence[Hashable],
    places: Sequence[str],
    rules: BoxRules,
    problems: Problems,
) -> list[str]:
    """Adds a problem if the boxes are in another format than was said, or of images of another size.

    Args:
        boxes: in the source's format.
        sizes: width and height of each box's image in pixels, if known.
        images: what identifies each box's image.
        places: file and line of each box.

    Returns:
        a warning, if it cannot be known; nothing otherwise.
    """
    finding = find_other_reading(boxes, box_format, sizes, images)
    if finding is None:
        return []
    examples = ", ".join(f"{places[row]}: {_shown(boxes[row])}" for row in finding.rows)
    message = f"box format: {finding.message} See {examples}."
    if not finding.is_certain or rules.force_format:
        return [message]
    problems.add_hint(f"{message} If they are {box_format} all the same, use --force-box-format.")
    return []


def check_reading_of(
    annotations: Annotations, sizes: ImageSizes, rules: BoxRules, problems: Problems
) -> list[str]:
    """`check_reading` for all objects of the annotations; if some sizes are known, for the objects that have one."""
    objects = [record for record in annotations.objects.values() if record.image_id in sizes or not sizes]
    return check_reading(
        [record.box for record in objects],
        annotations.box_format,
        [sizes.get(record.image_id) for record in objects],
        [record.image_id for record in objects],
        [record.where for record in objects],
        rules,
        problems,
    )


def _add_problems(
    annotations: Annotations, invalid: list[ObjectRecord], sizes: ImageSizes, problems: Problems
) -> None:
    """A problem for each invalid object; if they are left out, one for each of their sentences."""
    if not invalid:
        return
    names = {record.image_id: record.file_name for record in annotations.images}
    texts: dict[int, tuple[str, str]] = {}
    distances = _pixels_past(invalid, annotations.box_format, sizes)
    for record, past in zip(invalid, distances, strict=True):
        width, height = sizes.get(record.image_id, UNKNOWN_SIZE)
        image = f"{width:.0f} x {height:.0f} image" if width != float("inf") else "image"
        found = f"found {_shown(record.box)} ({annotations.box_format})"
        expected = f"expected a box inside the {image} {names[record.image_id]}"
        texts[record.ann_id] = (
            (f"{expected} and not empty, {found}", OUTSIDE)
            if past is None
            else (f"{expected}, {found}, which extends past it by {past:.1f} px", PAST)
        )
    if problems.allow_invalid:
        for row in annotations.sentences:
            if row.ann_id in texts:
                text, kind = texts[row.ann_id]
                problems.add_row(f"{row.where}: {text}", kind)
        return
    for record in invalid:
        text, kind = texts[record.ann_id]
        problems.add_row(f"{record.where}: {text}", kind)
    if any(kind == PAST for _, kind in texts.values()):
        problems.add_advice("use --clip-boxes to clip boxes that extend past their image")


def _pixels_past(records: list[ObjectRecord], box_format: BoxFormat, sizes: ImageSizes) -> list[float | None]:
    """How far each box that overlaps with its image extends past it; None if nothing of it is inside."""
    source_boxes = _tensor([record.box for record in records])
    limits = _tensor([sizes.get(record.image_id, UNKNOWN_SIZE) for record in records], 2)
    boxes, overlaps = boxes_in_images(source_boxes, box_format, limits, clip=True)
    past = (to_xyxy(source_boxes, box_format, limits) - boxes).abs().max(dim=1).values
    return [
        distance if is_inside else None
        for distance, is_inside in zip(past.tolist(), overlaps.tolist(), strict=True)
    ]


def _shown(box: Box) -> str:
    return f"[{', '.join(f'{number:.7g}' for number in box)}]"


def _box(values: list[float]) -> Box:
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2


def _tensor(rows: Sequence[tuple[float, ...]], width: int = 4) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, width)

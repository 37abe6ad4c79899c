"""Reads what a source says, whatever its layout, and checks all of it that needs no image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.contract.generated import RefcocoSource, RowsSource
from cliprpn.data.annotations import SPLITS, Annotations, Box
from cliprpn.data.boxes import boxes_in_images, format_hint
from cliprpn.data.checks import Problems
from cliprpn.data.refcoco import read_refcoco
from cliprpn.data.rows import read_rows
from cliprpn.data.splits import with_splits

Sizes = dict[int, tuple[float, float]]
UNKNOWN = (float("inf"), float("inf"))


@dataclass(frozen=True)
class Source:
    """A source's records with their splits, and how they came to them."""

    annotations: Annotations
    split_rule: str


def read_source(source: RefcocoSource | RowsSource) -> Source:
    """
    Raises:
        CliprpnError: data_invalid, naming every problem, up to twenty.
    """
    known = _read.get(key := (source.model_dump_json(), *map(_stamp, _files(source))))
    if known is not None:
        return known
    problems = Problems(_place(source))
    if isinstance(source, RefcocoSource):
        annotations = read_refcoco(Path(source.instances_file), Path(source.refs_file), problems)
        rule = "as the refs file says"
    else:
        annotations = read_rows(source, problems)
        problems.raise_if_any()
        annotations, rule = with_splits(annotations, source.split_seed)
    for sent_id, count in Counter(row.sent_id for row in annotations.sentences).items():
        if count > 1:
            problems.add(f"sent_id {sent_id} stands {count} times, expected once")
    sizes = {
        picture.image_id: (float(picture.width), float(picture.height))
        for picture in annotations.images
        if picture.width is not None and picture.height is not None
    }
    if len(sizes) == len(annotations.images) or annotations.box_format != "cxcywh_norm":
        referred_boxes(annotations, sizes, problems)
    problems.raise_if_any()
    _read.clear()
    _read[key] = Source(annotations, rule)
    return _read[key]


# The last source: reading it and indexing it are two calls, and the files may have changed in between.
_read: dict[tuple[object, ...], Source] = {}


def referred_boxes(annotations: Annotations, sizes: Sizes, problems: Problems) -> dict[int, Box]:
    """The box (xyxy, pixels) of each object that is referred to; an unfit one is a problem.

    Args:
        sizes: width and height by image_id; an image of unknown size has no edges.
    """
    refs = list({row.ann_id: row for row in annotations.sentences}.values())
    objects = [annotations.objects[ref.ann_id] for ref in refs]
    boxes, fit = boxes_in_images(
        _tensor([each.box for each in objects]),
        annotations.box_format,
        _tensor([sizes.get(each.image_id, UNKNOWN) for each in objects], 2),
    )
    names = {picture.image_id: picture.file_name for picture in annotations.images}
    for row in (~fit).nonzero()[:, 0].tolist():
        width, height = sizes.get(objects[row].image_id, UNKNOWN)
        place = f"{width:.0f} x {height:.0f} image" if width != float("inf") else "picture"
        problems.add(
            f"ref {refs[row].ref_id}: expected the box of ann_id {refs[row].ann_id} inside the "
            f"{place} {objects[row].image_id} ({names[objects[row].image_id]}) and not empty, found "
            f"{list(objects[row].box)} ({annotations.box_format})"
        )
    if not fit.all():
        known = [sizes.get(each.image_id) for each in objects]
        hint = format_hint([each.box for each in objects], annotations.box_format, known)
        if hint is not None:
            problems.add(hint)
    return {
        each.ann_id: (x1, y1, x2, y2) for each, (x1, y1, x2, y2) in zip(objects, boxes.tolist(), strict=True)
    }


def count_splits(annotations: Annotations) -> list[dict[str, int | str]]:
    """Per split that has any: split, num_images, num_refs, num_sentences."""
    found: list[dict[str, int | str]] = []
    for split in SPLITS:
        rows = [row for row in annotations.sentences if row.split == split]
        if rows:
            images, refs = ({getattr(row, key) for row in rows} for key in ("image_id", "ref_id"))
            sizes = {"num_images": len(images), "num_refs": len(refs), "num_sentences": len(rows)}
            found.append({"split": split, **sizes})
    return found


def _tensor(rows: Sequence[tuple[float, ...]], width: int = 4) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, width)


def _place(source: RefcocoSource | RowsSource) -> Path:
    """The folder that problems are about."""
    return _files(source)[0].parent


def _files(source: RefcocoSource | RowsSource) -> list[Path]:
    if isinstance(source, RefcocoSource):
        return [Path(source.refs_file), Path(source.instances_file)]
    return [Path(each.file) for each in source.files]


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes with the file; None where there is none."""
    if not file.exists():
        return None
    found = file.stat()
    return found.st_size, found.st_mtime_ns

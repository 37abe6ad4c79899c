"""Reads annotations of any layout and runs all checks that need no image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.contract.generated import RefcocoSource, RowsFile, RowsSource
from cliprpn.data.annotations import SPLITS, Annotations, Box
from cliprpn.data.boxes import boxes_in_images, format_hint, needs_sizes
from cliprpn.data.found_names import FoundNames, read_image_names
from cliprpn.data.only import keep_only
from cliprpn.data.orientation import orientation_hint
from cliprpn.data.problems import Problems
from cliprpn.data.published import MatchedSplit, match_published, warn_unmatched
from cliprpn.data.refcoco import read_refcoco
from cliprpn.data.rows import read_rows
from cliprpn.data.splits import GIVEN_RULE, assign_splits

ImageSizes = dict[int, tuple[float, float]]
UNKNOWN_SIZE = (float("inf"), float("inf"))


@dataclass(frozen=True)
class LoadedSource:
    """A source's records with their splits, the rule that assigned them, and the published splits that they match."""

    annotations: Annotations
    split_rule: str
    matched: list[MatchedSplit] | None = None


def read_source(
    source: RefcocoSource | RowsSource,
    image_names_file: Path | None = None,
    images_folder: Path | None = None,
) -> LoadedSource:
    """Reads and checks a source; cached, since indexing a dataset reads it twice.

    Args:
        image_names_file: the names that its images get; None if they keep those of the annotations.
        images_folder: where images inside the annotations are written; None if they are there.

    Raises:
        CliprpnError: data_invalid, listing up to 20 problems.
    """
    names = None if image_names_file is None else read_image_names(image_names_file)
    names_key = None if names is None else names.model_dump_json(exclude={"written"})
    key = (source.model_dump_json(), names_key, *map(_size_and_mtime, _files(source)))
    if key in _last_source and images_folder is None:
        return _last_source[key]
    matched: list[MatchedSplit] | None = None
    problems = Problems(_files(source)[0].parent, allow_invalid=source.allow_invalid is True)
    if isinstance(source, RefcocoSource):
        annotations = read_refcoco(Path(source.instances_file), Path(source.refs_file), problems)
        found = FoundNames(names)
        images = [
            replace(image, file_name=found.path_of(image.file_name, None)) for image in annotations.images
        ]
        annotations = replace(annotations, images=images)
        annotations = _keep_only(annotations, source.only or [])
        rule = "as given in the refs file"
    else:
        annotations = read_rows(source, problems, names, images_folder)
        problems.raise_if_any()
        if source.match is None:
            annotations, rule = assign_splits(annotations, source.split_seed)
            if rule == GIVEN_RULE:
                warnings = [*annotations.warnings, *warn_unmatched(annotations)]
                annotations = replace(annotations, warnings=warnings)
        else:
            annotations, matched, rule = match_published(annotations, source.match)
    for sent_id, count in Counter(row.sent_id for row in annotations.sentences).items():
        if count > 1:
            problems.add(f"sent_id {sent_id}: expected once, found {count} times", "repeated sent_id")
    sizes = {
        image.image_id: (float(image.width), float(image.height))
        for image in annotations.images
        # With an orientation, the size may be that of the other frame; the image tells.
        if image.width is not None and image.height is not None and source.orientation is None
    }
    if len(sizes) == len(annotations.images) or not needs_sizes(annotations.box_format):
        convert_referred_boxes(annotations, sizes, problems)
    problems.raise_if_any()
    _last_source.clear()
    _last_source[key] = LoadedSource(annotations, rule, matched)
    return _last_source[key]


# One entry at most. The files may change between the calls of `read_annotations` and `index_dataset`.
_last_source: dict[tuple[object, ...], LoadedSource] = {}


def convert_referred_boxes(annotations: Annotations, sizes: ImageSizes, problems: Problems) -> dict[int, Box]:
    """The box of each object with a sentence, xyxy in pixels, by ann_id; an invalid one is a problem.

    Args:
        sizes: width and height in pixels by image_id. If an image's size is unknown, its boxes are not clipped.
    """
    sentences = list({row.ann_id: row for row in annotations.sentences}.values())  # One per object.
    objects = [annotations.objects[row.ann_id] for row in sentences]
    annotated = _tensor([record.box for record in objects])
    sizes_of_boxes = _tensor([sizes.get(record.image_id, UNKNOWN_SIZE) for record in objects], 2)
    boxes, valid = boxes_in_images(annotated, annotations.box_format, sizes_of_boxes)
    names = {record.image_id: record.file_name for record in annotations.images}
    for row in (~valid).nonzero()[:, 0].tolist():
        width, height = sizes.get(objects[row].image_id, UNKNOWN_SIZE)
        image = f"{width:.0f} x {height:.0f} image" if width != float("inf") else "image"
        problems.add(
            f"{objects[row].where}: expected a box inside the {image} {names[objects[row].image_id]} and not "
            f"empty, found {list(objects[row].box)} ({annotations.box_format})",
            "boxes outside their image",
        )
    if not valid.all():
        known_sizes = [sizes.get(record.image_id) for record in objects]
        for hint in (
            format_hint([record.box for record in objects], annotations.box_format, known_sizes),
            orientation_hint(annotated, valid, annotations.box_format, sizes_of_boxes),
        ):
            if hint is not None:
                problems.add_hint(hint)
    return {
        record.ann_id: (x1, y1, x2, y2)
        for record, (x1, y1, x2, y2) in zip(objects, boxes.tolist(), strict=True)
    }


def _keep_only(annotations: Annotations, files: list[RowsFile]) -> Annotations:
    """The annotations of the expressions that the files name; all without files."""
    if not files:
        return annotations
    notes = list(annotations.notes)
    sentences = keep_only(annotations.sentences, files, notes)
    image_ids = {row.image_id for row in sentences}
    images = [image for image in annotations.images if image.image_id in image_ids]
    objects = {key: row for key, row in annotations.objects.items() if row.image_id in image_ids}
    return replace(annotations, images=images, objects=objects, sentences=sentences, notes=notes)


def count_splits(annotations: Annotations) -> list[dict[str, int | str]]:
    """For each split with sentences: split, num_images, num_refs, num_sentences."""
    counts: list[dict[str, int | str]] = []
    for split in SPLITS:
        rows = [row for row in annotations.sentences if row.split == split]
        if rows:
            images, refs = ({getattr(row, key) for row in rows} for key in ("image_id", "ref_id"))
            sizes = {"num_images": len(images), "num_refs": len(refs), "num_sentences": len(rows)}
            counts.append({"split": split, **sizes})
    return counts


def _tensor(rows: Sequence[tuple[float, ...]], width: int = 4) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, width)


def _files(source: RefcocoSource | RowsSource) -> list[Path]:
    only = [Path(file.file) for file in source.only or []]
    if isinstance(source, RefcocoSource):
        return [Path(source.refs_file), Path(source.instances_file), *only]
    others = [source.instances, None if source.match is None else source.match.file]
    return [*(Path(file.file) for file in source.files), *only, *(Path(file) for file in others if file)]


def _size_and_mtime(file: Path) -> tuple[int, int] | None:
    """Identifies a version of the file; None if there is no file."""
    if not file.exists():
        return None
    status = file.stat()
    return status.st_size, status.st_mtime_ns

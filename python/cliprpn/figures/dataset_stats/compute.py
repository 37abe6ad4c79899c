"""Statistics and consistency checks of a prepared dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.contract.generated import DatasetStats
from cliprpn.data.annotations import SPLITS
from cliprpn.data.index import DatasetIndex, open_dataset, read_facts
from cliprpn.data.long_expressions import dataset_warnings
from cliprpn.figures.dataset_stats.distributions import area_cuts, relative_areas
from cliprpn.figures.dataset_stats.examples import choose_examples
from cliprpn.figures.dataset_stats.overlaps import hash_all_pixels, split_overlaps
from cliprpn.figures.dataset_stats.split_stats import split_stats, word_bins
from cliprpn.figures.dataset_stats.table_checks import table_checks
from cliprpn.figures.floors import fit_constant_box
from cliprpn.figures.image_origins import count_origins

COCO_TRAIN2014 = r"(^|/)COCO_train2014_\d+"


def compute_dataset_stats(root: Path, hash_pixels: bool) -> DatasetStats:
    """All statistics and checks of a prepared dataset.

    Args:
        root: folder of a prepared dataset.
        hash_pixels: also compare images by their pixels, which reads all of them.

    Raises:
        CliprpnError: data_invalid, if the dataset cannot be opened.
    """
    facts = read_facts(root)
    index = open_dataset(root, facts.id)
    facts = facts.model_copy(update={"warnings": dataset_warnings(index)})
    splits = [split for split in SPLITS if len(index.split(split)) > 0]
    areas = relative_areas(index)
    cuts = area_cuts(areas)
    constant_box = _constant_box(index, areas)
    return DatasetStats.model_validate(
        {
            "facts": facts,
            "num_objects": index.objects.num_rows,
            "image_origins": count_origins(index.images["file_name"].to_pylist(), facts.split_by),
            "num_coco_train2014": _num_coco_images(index),
            "word_bins": word_bins(),
            "area_cuts": cuts,
            "splits": [split_stats(index, split, areas, cuts, constant_box) for split in splits],
            "overlaps": split_overlaps(index, splits, hash_all_pixels(index) if hash_pixels else None),
            "table_checks": table_checks(index, facts),
            "examples": choose_examples(index, splits, areas, cuts),
        }
    )


def _num_coco_images(index: DatasetIndex) -> int:
    matches = pc.match_substring_regex(index.images["file_name"], COCO_TRAIN2014)
    return pc.sum(matches, min_count=0).as_py()


def _constant_box(index: DatasetIndex, areas: NDArray) -> NDArray | None:
    """The box, [4], xyxy, normalized coordinates, that fits train best; None if no image size of train is known."""
    rows = index.split("train")
    rows = rows[np.isfinite(areas[rows])]
    if len(rows) == 0:
        return None
    sizes = index.image_sizes(rows).astype(np.float64)
    return fit_constant_box(index.gt_boxes[rows] / np.concatenate([sizes, sizes], axis=1))

"""The expressions and predictions that REPORT.html shows one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    Explorer,
    ExplorerExpressions,
    ExplorerImages,
    ExplorerSetting,
    ExplorerSubset,
)
from cliprpn.data.read_predictions import read_numbers
from cliprpn.figures.error_classes import ERROR_CLASSES, SplitObjects, classify
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Subset

# More would make the page slow, and no one can tell more lines apart.
MAX_SETTINGS = 10
# The name is part of the contract: explorer.schema.json.
EXPLORER_FILE = "explorer.json"


def make_explorer(
    table: SplitTable,
    subsets: Sequence[Subset],
    objects: SplitObjects,
    all_runs: Sequence[Runs],
    baseline: str | None,
    images_dir: Path | None,
) -> Explorer:
    """The expressions with the first answers of some configurations, each with its first seed.

    Args:
        subsets: of the table's expressions.
        objects: of the table's images.
        all_runs: every configuration, in the order of the summary.
        baseline: label of the configuration that others are compared with; it is always shown.
        images_dir: folder of the images; None if the dataset has none.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    _, first_rows, image = np.unique(table.image_id, return_index=True, return_inverse=True)
    shown = choose_shown([runs.group.label for runs in all_runs], baseline)
    return Explorer(
        schema_version=1,
        split=cast(Literal["train", "val", "test", "testA", "testB"], table.split),
        num_settings=len(all_runs),
        images_dir=None if images_dir is None else str(images_dir),
        images=ExplorerImages(
            file=[str(name) for name in table.image_file[first_rows]],
            width=table.width[first_rows].tolist(),
            height=table.height[first_rows].tolist(),
            upright=[bool(upright) for upright in table.upright[first_rows]],
        ),
        expressions=ExplorerExpressions(
            sent_id=table.sent_id.tolist(),
            image=image.tolist(),
            sentence=table.sentence.tolist(),
            category=[name or "" for name in table.category],
            gt_box_xyxy=_boxes(table.gt_box_xyxy),
        ),
        subsets=_divisions(table, subsets),
        error_classes=list(ERROR_CLASSES),
        settings=[_setting(all_runs[position], objects) for position in shown],
    )


def choose_shown(labels: Sequence[str], baseline: str | None) -> list[int]:
    """Positions of the configurations to show: the first ones, and always the one that others are compared with."""
    shown = list(range(min(len(labels), MAX_SETTINGS)))
    if baseline in labels and labels.index(baseline) not in shown:
        shown[-1] = labels.index(baseline)
    return shown


def _divisions(table: SplitTable, subsets: Sequence[Subset]) -> list[ExplorerSubset]:
    """The groups that divide the rows in the same way, with the position of each row's group."""
    divisions = []
    for by in dict.fromkeys(subset.by for subset in subsets):
        groups = [subset for subset in subsets if subset.by == by]
        group = np.full(len(table.sent_id), -1)
        for position, subset in enumerate(groups):
            group[subset.rows] = position
        names = [subset.group for subset in groups]
        divisions.append(ExplorerSubset(by=by, groups=names, group=group.tolist()))
    categories, codes = np.unique([name or "" for name in table.category], return_inverse=True)
    if len(categories) > 1:
        names = [str(name) or "unknown" for name in categories]
        divisions.append(ExplorerSubset(by="category", groups=names, group=codes.tolist()))
    return divisions


def _setting(runs: Runs, objects: SplitObjects) -> ExplorerSetting:
    """The answers of its first seed."""
    is_baseline = runs.group.kind == "baseline"
    has_scores = runs.has("objectness")
    names = (
        "pred_box_xyxy",
        "iou",
        *(("objectness",) if has_scores else ()),
        *(("num_boxes",) if is_baseline else ()),
    )
    columns = {name: values[None] for name, values in read_numbers(runs.files[0], names).items()}  # [1, S]
    boxes, iou = columns["pred_box_xyxy"], columns["iou"]
    classes = classify(boxes, iou, columns.get("num_boxes"), objects)
    return ExplorerSetting(
        label=runs.group.label,
        seed=runs.seeds[0] if runs.has_seeds else None,
        pred_box_xyxy=_boxes(boxes),
        iou=np.round(iou[0], 3).tolist(),
        score=[
            float(f"{score:.4g}") if np.isfinite(score) else None
            for score in columns["objectness"][0].astype(np.float64).tolist()
        ]
        if has_scores
        else [None] * len(iou[0]),
        error_class=classes[0].tolist(),
    )


def _boxes(boxes: NDArray) -> list[float]:
    """[S, 4] -> 4 S numbers, to a tenth of a pixel."""
    return np.round(boxes, 1).reshape(-1).tolist()

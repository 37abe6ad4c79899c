"""Splits of made images with answers of made models, for figures over several splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cliprpn.contract.generated import CombineParams, EndpointParams, TrialGroup

Hits = NDArray[np.bool_]


def write_split(
    folder: Path,
    name: str,
    images: NDArray[np.int64],
    hits: Mapping[str, Hits],
    *,
    kind: str = "results",
    val: Mapping[str, float] | None = None,
    in_primary: bool = True,
    split_by: str = "unc",
    files: Sequence[str] | None = None,
) -> EndpointParams:
    """An endpoint with a file of predictions for each run of each model.

    Args:
        name: dataset:split.
        images: [S], COCO ids.
        hits: [R, S] by label.
        val: Acc@0.5 on val by label; None for models that were not chosen so.
        files: [S], the image files; names of COCO by default.
    """
    dataset, split = name.split(":")
    files = files or [f"COCO_train2014_{image:012d}.jpg" for image in images]
    groups = []
    for label, runs in hits.items():
        trials = []
        for run, hit in enumerate(runs):
            place = folder / dataset / label / str(run)
            write_hits(place / f"predictions-{split}.parquet", split, images, files, hit)
            trial = {
                "trial_id": f"{run:016x}",
                "seed": run,
                "val_acc_at_50": None if val is None else val[label],
            }
            trials.append({**trial, "val_acc_by_epoch": [], "predictions_dir": str(place)})
        group = {"label": label, "kind": kind, "is_upper_bound": False, "trials": trials}
        repeats = "decoding" if kind == "results" and len(runs) > 1 else None
        groups.append(
            TrialGroup.model_validate({**group, "num_planned_seeds": len(runs), "repeats": repeats})
        )
    source = {"id": dataset, "name": dataset, "root": str(folder), "split_by": split_by}
    return EndpointParams.model_validate(
        {"name": name, "dataset": source, "split": split, "in_primary": in_primary, "groups": groups}
    )


def write_hits(path: Path, split: str, images: NDArray[np.int64], files: Sequence[str], hit: Hits) -> None:
    """Predictions with an IoU of 0.9 for a hit and 0.1 for a miss."""
    num = len(images)
    columns: dict[str, Any] = {
        "split": [split] * num,
        "sentence": [f"thing {i}" for i in range(num)],
        "category": ["thing"] * num,
        "stratum": pa.nulls(num, pa.string()),
        "image_file": list(files),
        "sent_id": np.arange(num),
        "image_id": images,
        "pair_id": pa.nulls(num, pa.int64()),
        "num_same_category": np.full(num, 2),
        "width": np.full(num, 100),
        "height": np.full(num, 100),
        "upright": np.zeros(num, dtype=bool),
        "gt_box_xyxy": [[0.0, 0.0, 10.0, 10.0]] * num,
        "iou": np.where(hit, 0.9, 0.1),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def combine_params(*endpoints: EndpointParams, **changes: Any) -> CombineParams:
    values = {"endpoints": endpoints, "baseline": None, "smallest_difference": None, "alpha": 0.05}
    return CombineParams.model_validate({**values, "cache_dir": "", **changes})

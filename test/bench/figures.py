"""`-m bench.figures make|measure ...`: what the figures of a report on many trials cost."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cliprpn.contract.generated import SummarizeParams
from cliprpn.data.index import open_dataset
from cliprpn.data.predictions import predictions_file, write_predictions
from cliprpn.figures.summarize import summarize


def make(root: Path, dataset_id: str, folder: Path, num_settings: int, num_seeds: int) -> None:
    """Predictions of synthetic trials on val, as training writes them, where they are missing."""
    index = open_dataset(root, dataset_id)
    rows = index.split("val")
    gt_boxes = index.gt_boxes[rows].astype(np.float64)
    base = np.random.default_rng(0).random(len(rows))
    template: pa.Table | None = None
    for setting in range(num_settings):
        skill = 0.3 + 0.4 * setting / 333
        for seed in range(num_seeds):
            path = predictions_file(folder / f"{setting}-{seed}", "val")
            if path.is_file():
                continue
            path.parent.mkdir(parents=True)
            noise = np.random.default_rng([setting, seed]).standard_normal(len(rows))
            ious = np.clip(skill + 0.5 * (base - 0.5) + 0.3 * noise, 0, 1)
            columns = prediction_columns(ious, gt_boxes)
            if template is None:
                write_predictions(path, index, rows, columns)
                template = pq.read_table(path)
                continue
            table = template  # The shared columns are converted once.
            for name, values in columns.items():
                column = pa.array(values.tolist()) if values.ndim > 1 else pa.array(values)
                table = table.set_column(table.column_names.index(name), name, column)
            pq.write_table(table, path)
    print("null")


def prediction_columns(ious: np.ndarray, gt_boxes: np.ndarray) -> dict[str, np.ndarray]:
    """Boxes with these IoUs: the left part of the ground truth."""
    boxes = gt_boxes.copy()
    boxes[:, 2] = boxes[:, 0] + (boxes[:, 2] - boxes[:, 0]) * ious
    union = (gt_boxes[:, 2:] - gt_boxes[:, :2]).prod(axis=1)
    better = np.minimum(ious + 0.2, 1)
    return {
        "pred_box_xyxy": boxes,
        "objectness": ious.astype(np.float32),
        "iou": ious,
        "intersection": ious * union,
        "union": union,
        "pointing": ious > 0.5,
        "iou_at_5": better,
        "iou_at_10": better,
        "iou_at_100": better,
        "iou_blank": ious[::-1] * 0.5,
    }


def measure(root: Path, dataset_id: str, folder: Path, num_settings: int, num_seeds: int) -> None:
    """Prints the duration of one summary and the peak memory of this process as JSON."""
    groups = [
        {
            "label": f"setting {setting}",
            "kind": "cliprpn",
            "is_upper_bound": False,
            "num_planned_seeds": num_seeds,
            "trials": [
                {
                    "trial_id": f"{setting * 100 + seed:016x}",
                    "seed": seed,
                    "val_acc_at_50": setting / 1000,
                    "val_acc_by_epoch": [0.1, 0.2],
                    "predictions_dir": str(folder / f"{setting}-{seed}"),
                }
                for seed in range(num_seeds)
            ],
        }
        for setting in range(num_settings)
    ]
    out = folder / "out"
    out.mkdir(exist_ok=True)
    params = SummarizeParams.model_validate(
        {
            "split": "val",
            "dataset": {"id": dataset_id, "name": "many", "root": str(root), "split_by": "own"},
            "groups": groups,
            "baseline": None,
            "smallest_difference": None,
            "alpha": 0.05,
            "out_dir": str(out),
            "cache_dir": str(folder / "cache"),
        }
    )
    started = perf_counter()
    summary = summarize(params)
    duration_s = perf_counter() - started
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
    size = {"num_sentences": summary.num_sentences, "num_images": summary.num_images}
    print(json.dumps({"duration_s": duration_s, "peak_bytes": peak_bytes, **size}))


if __name__ == "__main__":
    command, root, dataset_id, folder, num_settings, num_seeds = sys.argv[1:]
    run = {"make": make, "measure": measure}[command]
    run(Path(root), dataset_id, Path(folder), int(num_settings), int(num_seeds))

"""Whether a baseline's detector finds the objects, and CLIP ranks its boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.arithmetic import prefer_deterministic
from cliprpn.contract.generated import BaselineSpec, PreflightFinding
from cliprpn.data.index import open_dataset
from cliprpn.errors import CliprpnError
from cliprpn.metrics import HIT_IOU
from cliprpn.preflight.finding import failed, figure, not_checked, passed
from cliprpn.preflight.sample import sample_images
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.specs import Spec
from cliprpn.trials.baseline import predict_baseline

NUM_IMAGES = 32
# Expressions with a hit among their boxes that pass. Detectors find most objects; boxes in other coordinates hit few.
MIN_RECALL = 0.2


def check_detections(
    spec: Spec, scratch: Path, context: RunContext, num_images: int = NUM_IMAGES
) -> PreflightFinding:
    """Runs a baseline on some val images.

    Detections and embeddings stay in the cache, as those of a trial do: it needs the same ones.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    if not isinstance(spec, BaselineSpec):
        return not_checked("no trial of this experiment is a baseline")
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    rows = index.split("val", spec.limits.val)
    images = sample_images(index, "val", num_images, spec.limits.val)
    rows = rows[np.isin(index.image_rows[rows], images)]
    seed_everything(spec.seed, spec.num_threads)
    prefer_deterministic()
    try:
        columns = predict_baseline(spec, index, rows, context).columns
    except CliprpnError as error:
        if spec.baseline.detector.kind == "trained_yolo" and error.code == "weights_missing":
            return not_checked(f"{spec.label}: its detector is not trained yet; the sweep trains it first")
        raise
    recall = float((columns["proposal_iou_best"] >= HIT_IOU).mean())
    acc = float((columns["iou"] >= HIT_IOU).mean())
    num_boxes = float(columns["num_boxes"].mean())
    figures = [
        figure(
            f"expressions with a hit among the boxes of {spec.label}", 100 * recall, "%", 100 * MIN_RECALL
        ),
        figure(f"Acc@0.5 of {spec.label}", 100 * acc, "%"),
        figure(f"boxes of an image, {spec.label}", num_boxes),
    ]
    found = (
        f"{spec.label}: a box is a hit for {100 * recall:.1f} % of {len(rows)} expressions of {len(images)} val "
        f"images, the one that CLIP ranks first for {100 * acc:.1f} %; {num_boxes:.1f} boxes an image"
    )
    if recall >= MIN_RECALL:
        return passed(found, figures)
    return failed(
        f"{found}; expected a hit for at least {100 * MIN_RECALL:.0f} %",
        "check the coordinates of the boxes (box_format), the detector's weights and its score_thresh",
        figures,
    )

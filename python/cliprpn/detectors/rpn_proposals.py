"""Proposals of a trained ClipRPN, which depend on the sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.contract.generated import TrialDataset
from cliprpn.data.index import DatasetIndex, read_facts
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures, open_data
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.predict import EVAL_BATCH_SIZE, all_to_image_clipped
from cliprpn.models import ClipRPN
from cliprpn.models.rpn import filter_proposals
from cliprpn.out_of_memory import compute_in_batches
from cliprpn.run_context import RunContext


def rpn_proposals(
    model_file: Path, index: DatasetIndex, rows: np.ndarray, max_boxes: int, context: RunContext
) -> list[Proposals]:
    """The model's proposals for each sentence after NMS, scored by objectness.

    Args:
        model_file: a trained model's .safetensors.
        rows: [S], rows of the index's sentences.
        max_boxes: maximum number of boxes per sentence; the best are kept.

    Raises:
        CliprpnError: interrupted, no_space, not_found, weights_*, data_invalid (including images that are not
            prepared at the model's size).
    """
    saved = load_model(model_file)
    facts = read_facts(index.root)
    _, features = open_data(
        TrialDataset(id=index.dataset_id, name=facts.name, root=str(index.root), split_by=facts.split_by),
        saved.backbone,
        saved.image_size_px,
        saved.resize,
        context,
    )
    model = saved.model.to(context.device).eval()
    proposals: list[Proposals] = []
    for batch, (boxes, scores) in compute_in_batches(
        rows,
        EVAL_BATCH_SIZE,
        lambda batch, _: _propose_in_frame(model, features, batch, context.device),
        context,
    ):
        if context.should_stop():
            raise CliprpnError("interrupted", "stopped while proposing boxes")
        sizes = torch.from_numpy(index.image_sizes(batch)).double()
        boxes = all_to_image_clipped(
            boxes, features.frames_of(batch), sizes, features.zoom(model.frame_size_px)
        )
        proposals += [
            _keep_best(boxes_i, scores_i, int(width), int(height), max_boxes)
            for boxes_i, scores_i, (width, height) in zip(boxes, scores, sizes.tolist(), strict=True)
        ]
        context.progress("detections", len(proposals), len(rows))
    return proposals


@torch.no_grad()
def _propose_in_frame(
    model: ClipRPN, features: FrozenFeatures, rows: np.ndarray, device: torch.device
) -> tuple[list[Tensor], list[Tensor]]:
    """For each sentence: boxes [K, 4], xyxy, pixels of the model's frame, and their objectness [K] in [0, 1]."""
    logits, deltas = (output.float() for output in model(*features.batch(rows, device)))
    boxes, kept_logits = filter_proposals(logits, deltas, model.anchors, model.frame_size_px, model.rules)
    scores = [
        model.objectness(kept_i, logits_i.expand(len(kept_i), -1))
        for kept_i, logits_i in zip(kept_logits, logits, strict=True)
    ]
    return boxes, scores


def _keep_best(boxes: Tensor, scores: Tensor, width: int, height: int, max_boxes: int) -> Proposals:
    """The best boxes of an image; boxes [K, 4], xyxy, pixels, and scores [K]."""
    proposals = make_proposals(boxes, scores.cpu(), [""] * len(boxes), width, height)
    return Proposals(
        proposals.boxes_xyxy[:max_boxes], proposals.scores[:max_boxes], proposals.categories[:max_boxes]
    )

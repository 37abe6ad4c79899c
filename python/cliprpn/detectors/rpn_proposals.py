"""What a trained ClipRPN proposes: boxes that depend on the sentence."""

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
from cliprpn.inference.predict import BATCH, each_in_image
from cliprpn.models import ClipRPN
from cliprpn.models.rpn import proposals as frame_proposals
from cliprpn.run_context import RunContext


def rpn_proposals(
    model_file: Path,
    index: DatasetIndex,
    rows: np.ndarray,
    max_boxes: int,
    context: RunContext,
) -> list[Proposals]:
    """The model's proposals for each sentence, after its own non-maximum suppression; their score is its objectness.

    Args:
        model_file: a trained model's .safetensors, or its trial's folder.
        rows: [S], of the index's sentences.
        max_boxes: at most so many of a sentence, the best.

    Raises:
        CliprpnError: interrupted, no_space, not_found, weights_*, data_invalid (also where the images are not
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
    found: list[Proposals] = []
    for start in range(0, len(rows), BATCH):
        if context.should_stop():
            raise CliprpnError("interrupted", "stopped while proposing boxes")
        some = rows[start : start + BATCH]
        sizes = torch.from_numpy(index.image_sizes(some)).double()
        boxes, scores = _in_frame(model, features, some, context.device)
        everywhere = each_in_image(boxes, features.frames_of(some), sizes, features.zoom(model.frame_size_px))
        found += [
            _first(own, its, int(width), int(height), max_boxes)
            for own, its, (width, height) in zip(everywhere, scores, sizes.tolist(), strict=True)
        ]
        context.progress("detections", len(found), len(rows))
    return found


@torch.no_grad()
def _in_frame(
    model: ClipRPN, features: FrozenFeatures, rows: np.ndarray, device: torch.device
) -> tuple[list[Tensor], list[Tensor]]:
    """Per sentence boxes [K, 4], pixels of the model's frame, and their objectness [K] in [0, 1]."""
    logits, deltas = (output.float() for output in model(*features.batch(rows, device)))
    boxes, kept = frame_proposals(logits, deltas, model.anchors, model.frame_size_px, model.rules)
    scores = [
        model.objectness(own, every.expand(len(own), -1)) for own, every in zip(kept, logits, strict=True)
    ]
    return boxes, scores


def _first(boxes: Tensor, scores: Tensor, width: int, height: int, max_boxes: int) -> Proposals:
    every = make_proposals(boxes, scores.cpu(), [""] * len(boxes), width, height)
    return Proposals(every.boxes_xyxy[:max_boxes], every.scores[:max_boxes], every.categories[:max_boxes])

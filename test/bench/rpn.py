"""Labels, sampling, decoding, losses and proposals for given head outputs: ours compared with torchvision's.

`python -m bench.rpn [NUM_THREADS]`
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cliprpn.models.anchors import make_anchors
from cliprpn.models.head import flatten_head
from cliprpn.models.original import ORIGINAL_RULES
from cliprpn.models.rpn import (
    AnchorTargets,
    anchor_targets,
    filter_proposals,
    rpn_losses,
    sample_anchors,
    top1_boxes,
)
from cliprpn.models.rpn_torchvision import square_images, torchvision_rpn

BATCH, FRAME, REPEATS = 50, 640, 30
SCALES, RATIOS = (32, 64, 128, 256, 512), (0.5, 1.0, 2.0)


class FixedHead(nn.Module):
    """A head that returns fixed outputs."""

    def __init__(self, outputs: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, feature_map: Tensor) -> tuple[Tensor, Tensor]:
        return self.outputs


def measure(device: torch.device, repeats: int = REPEATS) -> dict[str, Any]:
    """Median milliseconds of a training step and of inference, of ours and of torchvision's."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.zeros(BATCH, 1, 7, 7, device=device)
    outputs = tuple(
        (torch.randn(BATCH, channels, 7, 7, generator=generator) * scale).to(device).requires_grad_()
        for channels, scale in ((15, 1.0), (60, 0.2))
    )
    corners = torch.rand(BATCH, 2, generator=generator) * 400
    gt_boxes = torch.cat([corners, corners + 80 + torch.rand(BATCH, 2, generator=generator) * 160], dim=1)
    gt_boxes = gt_boxes.to(device)
    anchors = make_anchors(7, FRAME, SCALES, RATIOS, "corner").to(device)
    theirs = torchvision_rpn(FixedHead(outputs), anchors, 15, ORIGINAL_RULES).to(device)
    images = square_images(BATCH, FRAME)
    targets = [{"boxes": box[None]} for box in gt_boxes]

    def flat() -> tuple[Tensor, Tensor]:
        return flatten_head(*outputs)

    def their_step() -> object:
        return theirs.train()(images, {"0": maps}, targets)

    def our_step_with_all_proposals() -> object:
        logits, deltas = flat()
        losses = rpn_losses(logits, deltas, labels(), ORIGINAL_RULES)
        with torch.no_grad():
            return losses, filter_proposals(logits, deltas, anchors, FRAME, ORIGINAL_RULES)

    def our_step_with_best_proposal() -> object:
        logits, deltas = flat()
        losses = rpn_losses(logits, deltas, labels(), ORIGINAL_RULES)
        with torch.no_grad():
            return losses, top1_boxes(logits, deltas, anchors, FRAME)

    def our_losses() -> object:
        return rpn_losses(*flat(), labels(), ORIGINAL_RULES)

    def their_inference() -> object:
        with torch.no_grad():
            return theirs.eval()(images, {"0": maps})

    def our_inference() -> object:
        with torch.no_grad():
            return top1_boxes(*flat(), anchors, FRAME)

    def labels() -> AnchorTargets:
        return anchor_targets(anchors, gt_boxes, ORIGINAL_RULES)

    def labels_and_sample() -> object:
        found = labels()
        return sample_anchors(found.positive, found.negative, ORIGINAL_RULES)

    def our_proposals() -> object:
        with torch.no_grad():
            return filter_proposals(*flat(), anchors, FRAME, ORIGINAL_RULES)

    timed = alternate(
        {
            function.__name__: function
            for function in (
                *(their_step, our_step_with_all_proposals, our_step_with_best_proposal, our_losses),
                *(their_inference, our_inference),
                *(labels, labels_and_sample, our_proposals),
            )
        },
        device,
        repeats,
    )
    return {"batch_size": BATCH, "num_threads": torch.get_num_threads(), "ms": timed}


def alternate(
    functions: dict[str, Callable[[], object]], device: torch.device, repeats: int
) -> dict[str, float]:
    """Median milliseconds of each function; alternates between them, so that load on the machine affects all."""
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for repeat in range(repeats + 3):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if repeat >= 3:  # The first runs warm up.
                samples[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(times) for name, times in samples.items()}


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    print(json.dumps(measure(torch.device("cpu"))))

"""The proposals of one image, and the interface of a detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Proposals:
    """Boxes of one image, sorted by score, highest first.

    Attributes:
        boxes_xyxy: [N, 4], float64, pixels of the image given to the detector, inside the image, none empty.
        scores: [N], float64, in [0, 1].
        categories: [N], class name of each box; "" for a box without one.
    """

    boxes_xyxy: Tensor
    scores: Tensor
    categories: list[str]

    def __len__(self) -> int:
        return len(self.scores)


class Detector(Protocol):
    """Detects objects in images.

    Attributes:
        classes: class names, in the detector's order.
        warning: message for the user if the detector does not run on the requested device; else None.
    """

    classes: list[str]
    warning: str | None

    def detect(self, images: list[Tensor]) -> list[Proposals]:
        """Detects objects in images.

        Args:
            images: each [3, H, W], uint8, RGB; sizes may differ.

        Returns:
            one `Proposals` per image.
        """
        ...


def make_proposals(
    boxes_xyxy: Tensor, scores: Tensor, categories: list[str], width: int, height: int
) -> Proposals:
    """Clips boxes to the image, drops empty and non-finite ones, and sorts by score.

    Args:
        boxes_xyxy: [N, 4], pixels.
        scores: [N].
        categories: class name of each box.
        width: of the image, pixels.
        height: of the image, pixels.
    """
    boxes = boxes_xyxy.double().reshape(-1, 4)
    limit = torch.tensor([width, height, width, height], dtype=torch.float64)
    boxes = torch.minimum(boxes.clamp(min=0), limit)  # NaN stays NaN.
    scores = scores.double()
    keep = ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1) & boxes.isfinite().all(dim=1) & scores.isfinite()
    order = [i for i in torch.argsort(scores, descending=True, stable=True).tolist() if keep[i]]
    return Proposals(boxes[order], scores[order].clamp(0, 1), [categories[i] for i in order])

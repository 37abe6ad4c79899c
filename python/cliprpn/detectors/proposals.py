"""An image's boxes, and who finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Proposals:
    """Boxes of one image, the best-scoring first.

    Attributes:
        boxes_xyxy: [N, 4], float64, pixels of the image that was looked at, inside it, none empty.
        scores: [N], float64, in [0, 1].
        categories: of each box the name of its class; "" where it has none.
    """

    boxes_xyxy: Tensor
    scores: Tensor
    categories: list[str]

    def __len__(self) -> int:
        return len(self.scores)


class Detector(Protocol):
    """Finds things in images.

    Attributes:
        classes: names of its classes, in its order.
        warning: for a person, where it does not run on the device that was asked for; else None.
    """

    classes: list[str]
    warning: str | None

    def detect(self, pictures: list[Tensor]) -> list[Proposals]:
        """
        Args:
            images: each [3, H, W], uint8, RGB; of any sizes.
        """
        ...


def proposals(
    boxes_xyxy: Tensor, scores: Tensor, categories: list[str], width: int, height: int
) -> Proposals:
    """Boxes as they came, cut at the image's edges; what is empty then, or not finite, is left out.

    Args:
        boxes_xyxy: [N, 4], pixels.
        scores: [N].
    """
    boxes = boxes_xyxy.double().reshape(-1, 4)
    limit = torch.tensor([width, height, width, height], dtype=torch.float64)
    boxes = torch.minimum(boxes.clamp(min=0), limit)  # NaN stays NaN.
    own = scores.double()
    whole = ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1) & boxes.isfinite().all(dim=1) & own.isfinite()
    order = [i for i in torch.argsort(own, descending=True, stable=True).tolist() if whole[i]]
    return Proposals(boxes[order], own[order].clamp(0, 1), [categories[i] for i in order])

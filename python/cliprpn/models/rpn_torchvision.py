"""torchvision's own RegionProposalNetwork around our head and anchors: what the fast path must equal."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork

from cliprpn.models.rpn import RpnRules


class FixedAnchors(nn.Module):
    """An anchor generator that gives every image the same boxes, [N, 4]."""

    anchors: Tensor

    def __init__(self, anchors: Tensor, num_anchors_per_cell: int) -> None:
        super().__init__()
        self.register_buffer("anchors", anchors)
        self.num_anchors_per_cell = num_anchors_per_cell

    def num_anchors_per_location(self) -> list[int]:
        return [self.num_anchors_per_cell]

    def forward(self, images: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        return [self.anchors for _ in images.image_sizes]


def torchvision_rpn(
    head: nn.Module, anchors: Tensor, num_anchors_per_cell: int, rules: RpnRules
) -> RegionProposalNetwork:
    """The network, with the rules' thresholds.

    Args:
        head: [B, C, h, w] to logits and offsets.
        anchors: [N, 4], xyxy, pixels of the frame.
    """

    class PerLevel(nn.Module):
        """torchvision's heads take and give a list, a map a level."""

        def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            logits, offsets = head(maps[0])
            return [logits], [offsets]

    both = {"training": rules.pre_nms_top_n, "testing": rules.pre_nms_top_n}
    after = {"training": rules.post_nms_top_n, "testing": rules.post_nms_top_n}
    return RegionProposalNetwork(
        FixedAnchors(anchors, num_anchors_per_cell),
        PerLevel(),
        rules.fg_iou_thresh,
        rules.bg_iou_thresh,
        rules.batch_size_per_image,
        rules.positive_fraction,
        both,
        after,
        rules.nms_thresh,
    )


def square_images(batch_size: int, frame_size_px: int) -> ImageList:
    """Stands for `batch_size` images of the frame's size; torchvision only reads their sizes."""
    size = (frame_size_px, frame_size_px)
    return ImageList(torch.zeros(batch_size, 1, 1, 1).expand(batch_size, 1, *size), [size] * batch_size)

"""torchvision's RegionProposalNetwork with our head and anchors: the reference for the batched version."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork

from cliprpn.models.rpn import RpnRules


class FixedAnchors(nn.Module):
    """An anchor generator that returns the same boxes, [N, 4], for every image."""

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
    """Builds torchvision's network.

    Args:
        head: [B, C, h, w] to logits and offsets.
        anchors: [N, 4], xyxy, pixels of the frame.
    """

    class PerLevel(nn.Module):
        """Adapts the head to torchvision, whose heads map lists with one entry per level."""

        def forward(self, feature_maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            logits, offsets = head(feature_maps[0])
            return [logits], [offsets]

    pre_nms_top_n = {"training": rules.pre_nms_top_n, "testing": rules.pre_nms_top_n}
    post_nms_top_n = {"training": rules.post_nms_top_n, "testing": rules.post_nms_top_n}
    return RegionProposalNetwork(
        FixedAnchors(anchors, num_anchors_per_cell),
        PerLevel(),
        rules.fg_iou_thresh,
        rules.bg_iou_thresh,
        rules.batch_size_per_image,
        rules.positive_fraction,
        pre_nms_top_n,
        post_nms_top_n,
        rules.nms_thresh,
    )


def square_images(batch_size: int, frame_size_px: int) -> ImageList:
    """Placeholders for images of the frame's size: [batch_size, 1, H, W]; torchvision reads only their sizes."""
    size = (frame_size_px, frame_size_px)
    return ImageList(torch.zeros(batch_size, 1, 1, 1).expand(batch_size, 1, *size), [size] * batch_size)

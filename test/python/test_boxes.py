"""Formats of annotated boxes: conversion to pixels and back."""

from __future__ import annotations

import pytest
import torch

from cliprpn.data.boxes import FORMAT_NAMES, boxes_in_images, from_xyxy, needs_sizes, to_xyxy

SIZES = torch.tensor([[640, 480], [1800, 1800], [333, 1001]], dtype=torch.float64)
BOXES_XYXY = torch.tensor(
    [[10.5, 20, 40.75, 60], [0, 0, 1800, 1800], [100, 1, 333, 1000.5]], dtype=torch.float64
)


@pytest.mark.parametrize("box_format", FORMAT_NAMES)
def test_every_format_converts_to_pixels_and_back(box_format: str) -> None:
    annotated = from_xyxy(BOXES_XYXY, box_format, SIZES)
    torch.testing.assert_close(to_xyxy(annotated, box_format, SIZES), BOXES_XYXY)
    boxes, valid = boxes_in_images(annotated, box_format, SIZES)
    assert valid.all()
    torch.testing.assert_close(boxes, BOXES_XYXY)


def test_1000_is_the_right_and_bottom_edge_of_any_image() -> None:
    annotated = torch.tensor([[0, 500, 1000, 1000]], dtype=torch.float64)
    assert to_xyxy(annotated, "xyxy_1000", SIZES[:1]).tolist() == [[0, 240, 640, 480]]
    assert to_xyxy(annotated / 1000, "xyxy_norm", SIZES[:1]).tolist() == [[0, 240, 640, 480]]
    corner = torch.tensor([[250, 500, 750, 500]], dtype=torch.float64)
    assert to_xyxy(corner, "xywh_1000", SIZES[:1]).tolist() == [[160, 240, 640, 480]]
    assert to_xyxy(corner / 1000, "xywh_norm", SIZES[:1]).tolist() == [[160, 240, 640, 480]]


def test_left_and_width_that_are_both_rounded_up_stay_valid() -> None:
    # 1001 of 1000: 1.9 px past the edge of an image of 1920 px.
    boxes, valid = boxes_in_images(
        torch.tensor([[500, 0, 501, 10.0], [500, 0, 503, 10]], dtype=torch.float64),
        "xywh_1000",
        torch.tensor([[1920, 1080], [1920, 1080]], dtype=torch.float64),
    )
    assert valid.tolist() == [True, False] and boxes[0].tolist() == [960, 0, 1920, 10.8]


def test_formats_in_pixels_need_no_image_size() -> None:
    assert [name for name in FORMAT_NAMES if not needs_sizes(name)] == ["xywh", "xyxy"]

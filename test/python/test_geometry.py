"""Conversion of boxes between an image and its prepared square."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cliprpn.geometry import to_frame, to_image

NUM_CASES = 500


def _frames(sizes: Tensor, size_px: int, resize: str) -> Tensor:
    """Frames [N, 4] of images with these sizes, computed as in `src/dataset/images/resize.ts`."""
    if resize == "squash":
        resized = torch.full_like(sizes, size_px)
    else:
        resized = (sizes * size_px / sizes.max(dim=1, keepdim=True).values).round().clamp(min=1)
    return torch.cat((resized / sizes, ((size_px - resized) / 2).floor()), dim=1)


def _cases(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Image sizes [N, 2] and boxes inside the images [N, 4], float64."""
    sizes = torch.randint(1, 5000, (NUM_CASES, 2), generator=generator).double()
    corners = torch.rand(NUM_CASES, 2, 2, generator=generator, dtype=torch.float64).sort(dim=1).values
    return sizes, (corners * sizes[:, None]).flatten(1)


@pytest.mark.parametrize("resize", ["squash", "letterbox"])
@pytest.mark.parametrize("zoom", [1.0, 320 / 224])
def test_conversion_and_back_gives_the_same_box(resize: str, zoom: float) -> None:
    sizes, boxes = _cases(torch.Generator().manual_seed(0))
    frames = _frames(sizes, 224, resize)
    moved = to_frame(boxes, frames, zoom)
    assert moved.dtype == torch.float64
    assert moved.min() >= 0
    assert moved.max() <= 224 * zoom + 1e-9
    # An image of 1 x 5000 becomes one pixel wide: its offset of 111 costs digits.
    torch.testing.assert_close(to_image(moved, frames, zoom), boxes, rtol=1e-9, atol=1e-9)


def test_a_squashed_box_keeps_its_normalized_coordinates() -> None:
    sizes, boxes = _cases(torch.Generator().manual_seed(1))
    moved = to_frame(boxes, _frames(sizes, 224, "squash"), 640 / 224)
    torch.testing.assert_close(moved / 640, boxes / sizes.repeat(1, 2))


def test_a_letterboxed_image_is_centered() -> None:
    sizes = torch.tensor([[640.0, 480.0]])
    frames = _frames(sizes, 224, "letterbox")
    box = to_frame(torch.tensor([[0.0, 0.0, 640.0, 480.0]]), frames)
    torch.testing.assert_close(box, torch.tensor([[0.0, 28.0, 224.0, 196.0]]))


def test_an_empty_set_of_boxes_stays_empty() -> None:
    nothing = torch.zeros(0, 4)
    assert to_frame(nothing, nothing).shape == (0, 4)
    assert to_image(nothing, nothing).shape == (0, 4)

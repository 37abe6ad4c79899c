"""Views of images: boxes move with the pixels, what must stay stays, and the same seed gives the same bits."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter

import pytest
import torch
from helpers import REPO
from torch import Tensor

from cliprpn.data.views.augmentation import CHANGES, View, move_boxes, render
from cliprpn.data.views.sampling import CROP_STRETCH, LARGEST_CROP, SMALLEST_CROP, plan_view

SIZE = 96
ALL = frozenset(CHANGES)


def random_boxes(seed: int, num_boxes: int, largest: int = SIZE // 3) -> Tensor:
    """[N, 4], xyxy, whole pixels of the square, at least 4 pixels a side."""
    draws = torch.Generator().manual_seed(seed)
    sides = torch.randint(4, largest, (num_boxes, 2), generator=draws)
    corners = (torch.rand(num_boxes, 2, generator=draws) * (SIZE - sides)).floor()
    return torch.cat([corners, corners + sides], dim=1)


def painted(box: Tensor) -> Tensor:
    """A black square image with the box in white."""
    pixels = torch.zeros(3, SIZE, SIZE, dtype=torch.uint8)
    left, top, right, bottom = (int(side) for side in box)
    pixels[:, top:bottom, left:right] = 255
    return pixels


def extent(pixels: Tensor) -> Tensor:
    """Where an image is light: the smallest box, xyxy. Half-covered pixels count from half on."""
    rows, columns = torch.nonzero(pixels[0] >= 128, as_tuple=True)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()


@pytest.mark.parametrize("seed", range(40))
def test_boxes_move_with_the_pixels(seed: int) -> None:
    boxes = random_boxes(seed, 1)
    for number in range(3):
        view = plan_view(seed, "picture", number, [ALL], boxes, SIZE)
        geometry = View(SIZE, flip=view.flip, crop_xyxy=view.crop_xyxy)
        moved = move_boxes(boxes, geometry)
        assert (extent(render(painted(boxes[0]), geometry)) - moved[0]).abs().max() <= 1.0


@pytest.mark.parametrize("seed", range(40))
def test_a_crop_keeps_what_must_stay_and_no_image_is_stretched_much(seed: int) -> None:
    boxes = random_boxes(seed, 3)
    view = plan_view(seed, "picture", 0, [ALL], boxes, SIZE)
    if view.crop_xyxy is None:
        return
    left, top, right, bottom = view.crop_xyxy
    x, y = (boxes[:, [0, 2]], boxes[:, [1, 3]])
    assert left >= 0 and right <= SIZE and bool(((x >= left) & (x <= right)).all())
    assert top >= 0 and bottom <= SIZE and bool(((y >= top) & (y <= bottom)).all())
    width, height = right - left, bottom - top
    assert min(width, height) >= SMALLEST_CROP / CROP_STRETCH * SIZE - 1
    assert 1 / CROP_STRETCH - 0.05 <= width / height <= CROP_STRETCH + 0.05
    # Nothing is cut off a box that is kept: its area grows by the crop's scale and no less.
    before, after = ((b[:, 2:] - b[:, :2]).prod(dim=1) for b in (boxes, move_boxes(boxes, view)))
    torch.testing.assert_close(after, before * SIZE**2 / (width * height))


def test_where_nearly_all_must_stay_there_is_no_crop() -> None:
    wide = torch.tensor([[1.0, 40, SIZE - 1, 50]])
    views = [plan_view(0, "picture", number, [ALL], wide, SIZE) for number in range(50)]
    assert {view.crop_xyxy for view in views} == {None}
    assert LARGEST_CROP < 1


def test_a_box_that_a_crop_cuts_away_has_no_area() -> None:
    view = View(SIZE, crop_xyxy=(0, 0, 48, 48))
    moved = move_boxes(torch.tensor([[60.0, 60, 80, 80], [40, 40, 60, 60], [10, 10, 20, 20]]), view)
    assert (moved[:, 2:] - moved[:, :2]).prod(dim=1).tolist() == [0, 256, 400]


def test_a_view_without_changes_is_the_image() -> None:
    pixels = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    assert torch.equal(render(pixels, View(SIZE)), pixels)
    assert View(SIZE).changes == frozenset()


def test_colour_and_blur_change_pixels_and_leave_boxes() -> None:
    pixels = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    boxes = random_boxes(0, 4)
    for view in (
        View(SIZE, brightness=0.9),
        View(SIZE, contrast=1.1),
        View(SIZE, saturation=0.8),
        View(SIZE, hue=0.02),
        View(SIZE, blur_px=0.5),
    ):
        assert len(view.changes) == 1
        rendered = render(pixels, view)
        assert rendered.dtype == torch.uint8 and type(rendered) is Tensor
        assert not torch.equal(rendered, pixels)
        assert torch.equal(move_boxes(boxes, view), boxes)


def test_brightness_and_contrast_keep_grey_grey() -> None:
    grey = torch.randint(0, 256, (1, SIZE, SIZE), dtype=torch.uint8).expand(3, -1, -1)
    rendered = render(grey, View(SIZE, brightness=0.85, contrast=1.2))
    assert torch.equal(rendered[0], rendered[1]) and torch.equal(rendered[0], rendered[2])


def test_a_change_that_most_sentences_do_not_bear_is_left_out() -> None:
    boxes = random_boxes(0, 1)
    no_flip = ALL - {"flip"}
    for permitted, some in (([ALL, no_flip], True), ([ALL, no_flip, no_flip], False), ([no_flip], False)):
        views = [plan_view(0, "picture", number, permitted, boxes, SIZE) for number in range(50)]
        assert any(view.flip for view in views) is some
        assert any("light" in view.changes for view in views)


def test_views_are_drawn_from_the_seed_the_image_and_the_number() -> None:
    boxes = random_boxes(0, 1)

    def drawn(seed: int, picture: str, number: int) -> View:
        return plan_view(seed, picture, number, [ALL], boxes, SIZE)

    first = drawn(0, "a", 0)
    assert drawn(0, "a", 0) == first
    assert len({first, drawn(1, "a", 0), drawn(0, "b", 0), drawn(0, "a", 1)}) == 4
    counts = Counter(change for number in range(400) for change in drawn(0, "a", number).changes)
    shares = {change: round(counts[change] / 400, 1) for change in CHANGES}
    assert shares == {"flip": 0.5, "crop": 0.7, "light": 0.8, "chroma": 0.8, "blur": 0.3}


def test_another_process_gives_the_same_bits() -> None:
    code = "import test_views; print(test_views.digest())"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPO / 'python'}:{REPO / 'test' / 'python'}",
            "PYTHONHASHSEED": "7",
        },
    )
    assert found.stdout.strip() == digest()


def digest() -> str:
    """Of some views' pixels and boxes."""
    pixels = torch.arange(3 * SIZE * SIZE).reshape(3, SIZE, SIZE).mul(7).remainder(256).to(torch.uint8)
    boxes = random_boxes(3, 2)
    hashed = hashlib.sha256()
    for number in range(8):
        view = plan_view(5, "picture", number, [ALL], boxes, SIZE)
        hashed.update(render(pixels, view).numpy().tobytes())
        hashed.update(move_boxes(boxes, view).numpy().tobytes())
    return hashed.hexdigest()
